"""The functions that make masks, look at tensors, or let some entries of one pass and others not."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dying_relu.probing.activations import Function, argument, spellings
from dying_relu.probing.unit_axes import COPIES, SHAPES

if TYPE_CHECKING:
    from dying_relu.probing.gates import Gates


def _functions(*names: str) -> frozenset[Function]:
    return frozenset(spellings(names))


COMPARISONS = _functions(
    "gt", "ge", "lt", "le", "greater", "greater_equal", "less", "less_equal", "heaviside"
)
LOGIC = _functions("logical_and", "logical_or", "logical_not", "bitwise_and", "bitwise_or", "bitwise_not") | {
    Tensor.__and__,
    Tensor.__or__,
    Tensor.__invert__,
}
VIEWS = _functions(*COPIES, *SHAPES)
SPREADS = VIEWS | _functions("expand", "expand_as", "broadcast_to") | {Tensor.__getitem__}
PRODUCTS = _functions("mul", "multiply")
CHOICES = _functions("where")
FILLS = _functions("masked_fill")
MAXIMA = _functions("maximum", "max", "fmax")
TOP = _functions("topk")
SORTS = _functions("sort", "argsort")
SCATTERS = _functions("scatter", "scatter_add")
INSPECTIONS = (
    COMPARISONS
    | LOGIC
    | SORTS
    | _functions("kthvalue", "argmax", "argmin", "quantile", "nonzero", "any", "all", "isnan")
    | _functions(
        "count_nonzero", "zeros_like", "ones_like", "empty_like", "full_like", "size", "dim", "numel"
    )
    | _functions("new_zeros", "new_ones", "new_full", "new_empty", "isfinite", "allclose", "equal")
)
"""Functions that read a tensor to look at it, or to make a mask of it."""


def _product(gates: "Gates", arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    one, other = arguments[0], argument(arguments, options, 1, "other")
    for tensor, mask in ((one, other), (other, one)):
        if gates.is_mask_of(mask, tensor):
            return tensor
    return None


def _choice(gates: "Gates", arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    if len(arguments) + len(options) < 3:
        return None
    condition, one, other = (
        argument(arguments, options, n, name) for n, name in enumerate(("condition", "input", "other"))
    )
    # x.where(mask, other) has the tensor first.
    if isinstance(condition, Tensor) and condition.dtype != torch.bool and isinstance(one, Tensor):
        condition, one = one, condition
    for tensor, rest in ((one, other), (other, one)):
        if gates.is_mask_of(condition, tensor) and gates.is_zero(rest):
            return tensor
    return None


def _fill(gates: "Gates", arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    tensor, mask, value = (
        argument(arguments, options, n, name) for n, name in enumerate(("input", "mask", "value"))
    )
    return tensor if gates.is_zero(value) and gates.is_mask_of(mask, tensor) else None


def _assignment(gates: "Gates", arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    tensor, mask, value = arguments
    if isinstance(value, Tensor) and gates.selected(value) is not None:
        return value
    return tensor if gates.is_zero(value) and gates.is_mask_of(mask, tensor) else None


def _maximum(gates: "Gates", arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    if len(arguments) < 2 or not all(isinstance(one, Tensor) for one in arguments[:2]):
        return None
    for tensor, other in (arguments[:2], arguments[1::-1]):
        unread = gates.is_constant(other)
        if unread and tensor.is_floating_point() and gates.is_zero(other) and not gates.is_output(tensor):
            return tensor
    return None


def _scatter(gates: "Gates", arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    source = argument(arguments, options, 3, "src")
    return source if isinstance(source, Tensor) and gates.selected(source) is not None else None


GATES: dict[Function, Callable[["Gates", tuple[Any, ...], dict[str, Any]], Tensor | None]] = {
    **dict.fromkeys(PRODUCTS, _product),
    **dict.fromkeys(CHOICES, _choice),
    **dict.fromkeys(FILLS, _fill),
    **dict.fromkeys(MAXIMA, _maximum),
    **dict.fromkeys(SCATTERS, _scatter),
    Tensor.__setitem__: _assignment,
}
"""Function -> the tensor that a call of it gates."""

MARKS = SCATTERS | {Tensor.__setitem__}
