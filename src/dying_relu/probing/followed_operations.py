"""The operations through which units are followed, by kind, and which of them make 0 of a unit that is 0 everywhere."""

import re
from typing import Any

import torch

from dying_relu.probing.graph import Operation, Value

ZERO_TO_ZERO = {
    *("relu", "leaky_relu", "gelu", "silu", "elu", "mish", "tanh", "sin", "tan", "sinh", "asinh", "atan", "erf", "expm1", "log1p"),
    *("abs", "neg", "sqrt", "sign", "floor", "ceil", "round", "trunc", "square", "hardswish", "hardshrink", "softshrink"),
    *("clone", "_to_copy", "to", "detach", "alias", "lift_fresh", "contiguous", "native_dropout", "_prelu_kernel", "nan_to_num"),
}  # fmt: skip
"""Element by element, and 0 of 0."""
ELEMENTWISE = {
    *("exp", "log", "sigmoid", "cos", "softplus", "log_sigmoid", "hardsigmoid", "reciprocal", "rsqrt", "pow", "clamp", "clamp_min"),
    *("clamp_max", "hardtanh", "threshold", "logical_not"),
}  # fmt: skip
"""Element by element, and 0 of 0 at most for some arguments."""
RESHAPES = {"view", "_unsafe_view", "reshape", "_reshape_alias"}
ORDERS = {
    *("t", "transpose", "permute", "unsqueeze", "squeeze", "expand", "slice", "select", "split", "split_with_sizes", "unbind", "chunk"),
    *("flip", "roll", "cat", "stack", "repeat", "pixel_shuffle", "pixel_unshuffle", "constant_pad_nd", "channel_shuffle", "movedim"),
    *("numpy_T", "unfold", "narrow", "diagonal", "native_channel_shuffle"),
}  # fmt: skip
"""Entries are put elsewhere, left out or joined by zeros, and not changed: done to the labels too."""
POOLING = re.compile(
    r"(?:max_pool|avg_pool|upsample\w*?|adaptive_avg_pool|adaptive_max_pool|reflection_pad|replication_pad)([123])d"
)
REDUCTIONS = {"mean", "sum", "amax", "amin", "max", "min"}
OF_SHAPES = {
    *("empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "randint_like"),
    *("new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided"),
}
"""Take the shape of a tensor alone."""
SCALINGS = {"mul", "div"}
MASKS = {"masked_fill", "where"}
CHOICES = {"index", "index_select"}
GATHERINGS = {"index_add": 3, "scatter_add": 3, "scatter_reduce": 3}
"""Add what is gathered to a tensor -> the place of what is gathered."""
MIXTURES = {"mm": 0, "bmm": 0, "_sparse_mm": 0, "_sparse_addmm": 1}
"""Products of two tensors of which none is a parameter, and the place of the left one: positions are mixed, and units not."""
SUMS = {"add", "sub", "rsub"}
NORMALISATIONS = re.compile(
    r"(native|cudnn|miopen)_batch_norm|_native_batch_norm_legit\w*|_batch_norm_with_update\w*|batch_norm"
)


def is_followed(operation: Operation) -> bool:
    """Tell whether there is a rule for an operation."""
    name = operation.name
    listed = (ZERO_TO_ZERO, ELEMENTWISE, RESHAPES, ORDERS, REDUCTIONS, SCALINGS, SUMS, OF_SHAPES)
    others = (MASKS, CHOICES, GATHERINGS, MIXTURES)
    return any(name in one for one in (*listed, *others)) or bool(
        NORMALISATIONS.fullmatch(name) or POOLING.search(name)
    )


def keeps_zero(operation: Operation) -> bool:
    """Tell whether an operation followed by :func:`labels_after` makes 0 of a unit that is 0 everywhere."""
    name = operation.name
    if name in ("clamp", "hardtanh"):
        low, high = (
            argument_of(operation, place, key, default) for place, key, default in _bounds(operation)
        )
        numbers = all(isinstance(one, int | float) for one in (low, high))
        return numbers and low <= 0 <= high
    if name == "clamp_min":
        low = argument_of(operation, 1, "min", None)
        return isinstance(low, int | float) and low <= 0
    if name == "threshold":
        low, value = argument_of(operation, 1, "threshold", None), argument_of(operation, 2, "value", None)
        return value == 0 or (isinstance(low, int | float) and low < 0)
    if name == "pow":
        exponent = argument_of(operation, 1, "exponent", None)
        return isinstance(exponent, int | float) and exponent > 0
    if name == "constant_pad_nd":
        return argument_of(operation, 2, "value", 0) == 0
    if name == "masked_fill":
        return is_zero(operation.arguments[2])
    if name == "where":
        return any(is_zero(one) for one in operation.arguments[1:3])
    if name in GATHERINGS:
        return is_zero(operation.arguments[0])
    return name not in ELEMENTWISE and name not in SUMS and not NORMALISATIONS.fullmatch(name)


def is_zero(value: Any) -> bool:
    """Tell whether an argument is the number 0, or a tensor that was made of nothing but that.

    Args:
        value: a number or a tensor's value.
    """
    if not isinstance(value, Value):
        return isinstance(value, int | float) and value == 0
    source = value.source
    while source is not None and len(source.values) == 1 and source.name in RESHAPES | ORDERS | ZERO_TO_ZERO:
        source = source.values[0].source
    if source is None:
        return False
    if source.name in ("scalar_tensor", "full", "full_like", "new_full", "fill"):
        return 0 in [
            one for one in source.arguments if isinstance(one, int | float) and not isinstance(one, bool)
        ]
    return "zero" in source.name


def _bounds(operation: Operation) -> tuple[tuple[int, str, float], tuple[int, str, float]]:
    names = ("min_val", "max_val") if operation.name == "hardtanh" else ("min", "max")
    defaults = (-1.0, 1.0) if operation.name == "hardtanh" else (-torch.inf, torch.inf)
    return (1, names[0], defaults[0]), (2, names[1], defaults[1])


def argument_of(operation: Operation, place: int, name: str, default: Any) -> Any:
    """Look up an argument of an operation.

    Args:
        operation: any.
        place: of the argument among those by position.
        name: of the argument among those by name.
        default: its value if it was not given.
    """
    given = operation.arguments[place] if len(operation.arguments) > place else operation.options.get(name)
    return default if given is None else given
