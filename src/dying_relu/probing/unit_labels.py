"""Labels that follow units through operations: each entry of a tensor says which unit it belongs to.

The label of an entry is the unit's number plus one, and 0 where it belongs to none. A rule for an operation makes the labels of its
result; whatever has no rule here is not followed. To follow another operation, add it where it belongs.
"""

import re
from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

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


class CannotFollow(Exception):
    """The reason, in words."""


def unit_labels(value: Value, axes: Sequence[int], units: int) -> Tensor:
    """The labels of a tensor whose units lie on one axis or on several.

    Args:
        value: the tensor.
        axes: of the units; on several they are numbered with the last axis fastest.
        units: their number.

    Returns:
        Of the shape of the tensor; a view of one label for each unit.
    """
    shape = [1] * len(value.shape)
    for axis in axes:
        shape[axis] = value.shape[axis]
    if prod(shape) != units:
        raise CannotFollow("its units lie otherwise than in the report")
    return torch.arange(1, units + 1, dtype=torch.int32).view(shape).expand(value.shape)


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
        low, high = (_argument(operation, place, key, default) for place, key, default in _bounds(operation))
        numbers = all(isinstance(one, int | float) for one in (low, high))
        return numbers and low <= 0 <= high
    if name == "clamp_min":
        low = _argument(operation, 1, "min", None)
        return isinstance(low, int | float) and low <= 0
    if name == "threshold":
        low, value = _argument(operation, 1, "threshold", None), _argument(operation, 2, "value", None)
        return value == 0 or (isinstance(low, int | float) and low < 0)
    if name == "pow":
        exponent = _argument(operation, 1, "exponent", None)
        return isinstance(exponent, int | float) and exponent > 0
    if name == "constant_pad_nd":
        return _argument(operation, 2, "value", 0) == 0
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


def _argument(operation: Operation, place: int, name: str, default: Any) -> Any:
    given = operation.arguments[place] if len(operation.arguments) > place else operation.options.get(name)
    return default if given is None else given


def labels_after(operation: Operation, known: dict[int, Tensor]) -> list[Tensor | None] | None:
    """The labels of what an operation gives.

    Args:
        operation: at least one of its values is in ``known``.
        known: ``id(value)`` -> labels of the values that have some.

    Returns:
        For each of its results the labels, or None where it holds none of the units; None if the operation is not followed.
    """
    name = operation.name
    if name in ZERO_TO_ZERO or name in ELEMENTWISE:
        return _elementwise(operation, known)
    if name in SCALINGS or name in SUMS:
        return _combined(operation, known)
    if NORMALISATIONS.fullmatch(name):
        return _elementwise(operation, known)
    if name in OF_SHAPES:
        return _nothing(operation, 0)
    if name in RESHAPES:
        return [known[id(operation.arguments[0])].reshape(operation.results[0].shape)]
    if name in ORDERS:
        return _moved(operation, known)
    if pooling := POOLING.search(name):
        return _reduced(operation, known, [-one for one in range(1, int(pooling[1]) + 1)], keep=True)
    if name in REDUCTIONS:
        return _reduction(operation, known)
    if name in MASKS:
        return _masked(operation, known)
    if name in CHOICES or name in GATHERINGS:
        return _chosen(operation, known)
    return _mixed(operation, known) if name in MIXTURES else None


def _masked(operation: Operation, known: dict[int, Tensor]) -> list[Tensor | None] | None:
    """One of two tensors at each place: followed if not both, nor the choice, hold the units."""
    places = (0,) if operation.name == "masked_fill" else (1, 2)
    labelled = [one for one in operation.values if id(one) in known]
    if len(labelled) != 1 or not any(labelled[0] is operation.arguments[place] for place in places):
        return None
    return [known[id(labelled[0])].broadcast_to(operation.results[0].shape)]


def _chosen(operation: Operation, known: dict[int, Tensor]) -> list[Tensor | None] | None:
    """Positions chosen from many, or added to others: the same units at each."""
    source = operation.arguments[GATHERINGS.get(operation.name, 0)]
    labels = known.get(id(source))
    if labels is None or sum(id(one) in known for one in operation.values) > 1:
        return None
    if operation.name == "index":
        if any(one is None for one in operation.arguments[1]):
            return None
        axes = list(range(len(operation.arguments[1])))
    else:
        axes = [operation.arguments[1] % labels.dim()]
    for axis in axes:
        if (one := first_along(labels, axis)) is None:
            return None
        labels = one
    if operation.name == "index":
        labels = labels[(0,) * len(axes)]
    return [labels.expand(operation.results[0].shape)]


def _mixed(operation: Operation, known: dict[int, Tensor]) -> list[Tensor | None] | None:
    """A product of two tensors, one of which holds units that are not summed over."""
    left, right = operation.arguments[MIXTURES[operation.name] :][:2]
    if (id(left) in known) == (id(right) in known):
        return None
    value, axis = (left, -1) if id(left) in known else (right, -2)
    labels = first_along(known[id(value)], axis)
    return None if labels is None else [labels.expand(operation.results[0].shape)]


def _nothing(operation: Operation, start: int) -> list[Tensor | None]:
    return [None] * (len(operation.results) - start)


def _elementwise(operation: Operation, known: dict[int, Tensor]) -> list[Tensor | None] | None:
    labels = known.get(id(operation.arguments[0]))
    return None if labels is None else [labels, *_nothing(operation, 1)]


def _combined(operation: Operation, known: dict[int, Tensor]) -> list[Tensor | None] | None:
    """A sum, a product or a quotient: units stay apart if both sides do not hold different ones."""
    operands = [one for one in operation.arguments[:2] if isinstance(one, Value)]
    labels = [known[id(one)] for one in operands if id(one) in known]
    if operation.name == "div" and id(operation.arguments[0]) not in known:
        return None
    shape = operation.results[0].shape
    spread = [one.broadcast_to(shape) for one in labels]
    if len(spread) > 1 and not bool((compact(spread[0]) == compact(spread[1])).all()):
        return None
    return [spread[0], *_nothing(operation, 1)]


def _moved(operation: Operation, known: dict[int, Tensor]) -> list[Tensor | None]:
    def labelled(leaf: Any) -> Any:
        if not isinstance(leaf, Value):
            return leaf
        labels = known.get(id(leaf))
        return torch.zeros((), dtype=torch.int32).expand(leaf.shape) if labels is None else labels

    given = tree_map(labelled, (operation.arguments, operation.options))
    options = {name: value for name, value in given[1].items() if name != "value"}
    result = operation.function(*given[0], **options)
    return [result] if isinstance(result, Tensor) else list(result)


def _reduction(operation: Operation, known: dict[int, Tensor]) -> list[Tensor | None] | None:
    axes = _argument(operation, 1, "dim", None)
    if isinstance(axes, Value) or axes is None or axes == []:
        return None
    keep = _argument(operation, 2, "keepdim", False)
    return _reduced(operation, known, [axes] if isinstance(axes, int) else list(axes), keep)


def _reduced(
    operation: Operation, known: dict[int, Tensor], axes: list[int], keep: bool
) -> list[Tensor | None] | None:
    """One number from many of the same unit."""
    labels = known.get(id(operation.arguments[0]))
    if labels is None:
        return None
    axes = sorted(axis % labels.dim() for axis in axes)
    for axis in axes:
        if (one := first_along(labels, axis)) is None:
            return None
        labels = one
    for axis in [] if keep else reversed(axes):
        labels = labels.squeeze(axis)
    return [labels.expand(operation.results[0].shape), *_nothing(operation, 1)]


def first_along(labels: Tensor, axis: int) -> Tensor | None:
    """The first entry along an axis.

    Args:
        labels: of a tensor.
        axis: stays, with length 1.

    Returns:
        None if the others differ from it.
    """
    if labels.stride(axis) == 0 or labels.shape[axis] == 1:
        return labels.narrow(axis, 0, 1)
    small = compact(labels)
    return labels.narrow(axis, 0, 1) if bool((small == small.narrow(axis, 0, 1)).all()) else None


def compact(labels: Tensor) -> Tensor:
    """The labels without what is the same because it is the same memory: axes that only repeat have length 1."""
    for axis, (size, step) in enumerate(zip(labels.shape, labels.stride(), strict=True)):
        if step == 0 and size > 1:
            labels = labels.narrow(axis, 0, 1)
    return labels


def replaced(labels: Tensor, table: Tensor) -> Tensor:
    """Look every label up in a table.

    Args:
        labels: of any shape.
        table: (highest label + 1,).

    Returns:
        Of the shape of ``labels``.
    """
    return table[compact(labels).long()].expand(labels.shape)


def _along(labels: Tensor, axis: int) -> Tensor | None:
    """The labels along one axis, (length,); None if they differ along another."""
    axis = axis % labels.dim()
    for other in range(labels.dim()):
        if other != axis:
            first = first_along(labels, other)
            if first is None:
                return None
            labels = first
    return labels.reshape(-1)


def labels_along(labels: Tensor, axis: int, what: str) -> Tensor:
    """The labels along one axis.

    Args:
        labels: of a tensor.
        axis: the one along which they differ.
        what: reads or computes the tensor, for a message.

    Raises:
        CannotFollow: they differ along another axis.
    """
    one = _along(labels, axis)
    if one is None:
        raise CannotFollow(f"{what} does not have an entry for each unit")
    return one


def broadcast_labels(labels: Tensor, shape: torch.Size) -> Tensor | None:
    """The labels of an operand that was spread over a larger tensor.

    Args:
        labels: of the larger tensor.
        shape: of the operand.

    Returns:
        Of that shape; None where one entry of the operand meets several units.
    """
    labels = labels[(0,) * (labels.dim() - len(shape))] if _outer_equal(labels, len(shape)) else labels
    if labels.dim() != len(shape):
        return None
    for axis, size in enumerate(shape):
        if size == 1 and labels.shape[axis] != 1:
            first = first_along(labels, axis)
            if first is None:
                return None
            labels = first
    return labels


def _outer_equal(labels: Tensor, axes: int) -> bool:
    return all(first_along(labels, axis) is not None for axis in range(labels.dim() - axes))


def parameter_labels(value: Value, labels: Tensor) -> Tensor:
    """The labels of a parameter's entries, of those of a view of it.

    Args:
        value: the parameter or a view of it.
        labels: of the entries of ``value``.

    Returns:
        Of the parameter's shape.
    """
    parameter = value.parameter
    if parameter is None:
        raise CannotFollow("its weights are computed, not parameters of their own")
    tensor = parameter.tensor
    order = _order(value, tensor)
    if order is not None and value.shape.numel() == tensor.numel():
        kept = [axis for axis, size in enumerate(value.shape) if size != 1]
        small = labels.reshape([value.shape[axis] for axis in kept]) if len(kept) < labels.dim() else labels
        return small.permute(order).reshape(tensor.shape) if order else small.reshape(tensor.shape)
    flat = torch.zeros(tensor.numel(), dtype=torch.int32)
    places = torch.arange(tensor.numel()).as_strided(
        value.shape, value.stride, value.offset - tensor.storage_offset()
    )
    if not tensor.is_contiguous():
        raise CannotFollow(f"{parameter} is not contiguous")
    used = labels != 0
    flat[places[used]] = labels[used]
    if not bool((flat[places[used]] == labels[used]).all()):
        raise CannotFollow(f"{parameter} is used in more than one place")
    return flat.view(tensor.shape)


def _order(value: Value, tensor: Tensor) -> list[int] | None:
    """The order of the axes of ``value`` that makes it the parameter, but for axes of length 1; None if it is another view."""
    mine = [(size, step) for size, step in zip(value.shape, value.stride, strict=True) if size != 1]
    whole = [(size, step) for size, step in zip(tensor.shape, tensor.stride(), strict=True) if size != 1]
    return [mine.index(one) for one in whole] if sorted(mine) == sorted(whole) else None
