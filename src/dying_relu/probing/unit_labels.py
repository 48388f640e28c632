"""Labels that follow units through operations: each entry of a tensor says which unit it belongs to.

The label of an entry is the unit's number plus one, and 0 where it belongs to none. A rule for an operation makes the labels of its
result; whatever has none is not followed. To follow another operation, add it to :mod:`dying_relu.probing.followed_operations`.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from dying_relu.probing.followed_operations import (
    CHOICES,
    ELEMENTWISE,
    GATHERINGS,
    MASKS,
    MIXTURES,
    NORMALISATIONS,
    OF_SHAPES,
    ORDERS,
    POOLING,
    REDUCTIONS,
    RESHAPES,
    SCALINGS,
    SUMS,
    ZERO_TO_ZERO,
    argument_of,
)
from dying_relu.probing.graph import Operation, Value


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
    axes = argument_of(operation, 1, "dim", None)
    if isinstance(axes, Value) or axes is None or axes == []:
        return None
    keep = argument_of(operation, 2, "keepdim", False)
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
