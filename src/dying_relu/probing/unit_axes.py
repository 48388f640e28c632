"""Rules for the axes of units: where a function puts the units of what it returns.

To follow another function, add a rule to ``RULES``.
"""

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor

from dying_relu.probing.activations import Function, spellings
from dying_relu.probing.normalisations import batch_norm, norm_of_channels, norm_of_examples
from dying_relu.probing.plain_tensors import is_wrapped
from dying_relu.probing.products import (
    bilinear,
    convolution,
    linear,
    matrix_product,
    product,
    product_and_sum,
    sum_of_products,
    transposed_convolution,
    with_bias,
)
from dying_relu.probing.tensor_origins import Axes, Call, Origin, Rule

AVERAGED = "its units were averaged or added up before"
FLATTENED = "its units lie on one axis with examples or positions"
JOINED = "outputs of several layers lie behind one another on an axis that is not the units'"


def kept(call: Call) -> Origin | None:
    """Of a function that is not listed: the units stay on their axes, if these are as long; else where one has their number."""
    if not call.known:
        return None
    shape, sources, fallback = call.result.shape, call.sources, None
    for tensor, origin in call.known:
        placed = _kept_from(tensor, origin, shape)
        if placed is None or placed.axes is None:
            fallback = fallback or placed
            continue
        if placed.axes:
            return Origin(placed.axes, sources=sources, spread=placed.spread)
        fallback = placed
    return None if fallback is None else Origin(fallback.axes, sources=sources, reason=fallback.reason)


def _kept_from(tensor: Tensor, origin: Origin, shape: Sequence[int]) -> Origin | None:
    axes = len(shape)
    if origin.axes is None or not origin.axes:
        return origin
    if axes >= tensor.dim():
        # Broadcast along the units' axis, one unit is still one.
        placed = tuple(
            axis for axis in origin.axes if tensor.shape[axis] == shape[axis] or tensor.shape[axis] != 1
        )
        if axes == tensor.dim() or all(tensor.shape[axis] == shape[axis] for axis in placed):
            return origin.bare_on(placed)
    if len(origin.axes) > 1:
        return origin.lost(FLATTENED)
    (axis,) = origin.axes
    units, from_the_front = tensor.shape[axis], axis + tensor.dim()
    fitting = [place for place in range(axes) if shape[place] == units]
    if units == 1:
        return origin.bare_on(())
    if not fitting:
        return origin.lost(AVERAGED) if axes < tensor.dim() else None
    last = axes - 1
    likely = [last] if axis == -1 else [from_the_front]
    place = next((one for one in likely if one in fitting), fitting[0] if len(fitting) == 1 else None)
    return None if place is None else origin.bare_on((place - axes,))


def _unchanged(call: Call) -> Origin | None:
    return None if call.input is None else call.input[1]


def _moved(call: Call) -> Origin | None:
    """Of a function that changes the order of the axes: done to a small tensor whose axes of units alone are long."""
    if call.input is None:
        return None
    tensor, origin = call.input
    if not origin.axes:
        return origin
    lengths = [1] * tensor.dim()
    for length, axis in enumerate(origin.axes, start=2):
        lengths[axis] = length
    shape = list(
        call.function(torch.empty(lengths), *call.arguments[1:], **_without_input(call.options)).shape
    )
    return origin.moved(tuple(shape.index(length + 2) - len(shape) for length in range(len(origin.axes))))


def _without_input(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "input"}


def _reshaped(call: Call) -> Origin | None:
    """Units stay apart if as many numbers stand before their axes as before, and as many units on these."""
    if call.input is None:
        return None
    tensor, origin = call.input
    shape = call.result.shape
    if not origin.axes:
        return origin
    first, last = min(origin.axes), max(origin.axes)
    units = prod(tensor.shape[axis] for axis in origin.axes)
    if units == 1:
        return origin.moved(()) if first != -1 or shape[-1:] != (1,) else origin
    before = prod(tensor.shape[:first])
    together = units == prod(tensor.shape[first : last + 1 or None])
    for start in range(len(shape)) if together else ():
        if shape[start] == 1 or prod(shape[:start]) != before:
            continue
        for end in range(start + 1, len(shape) + 1):
            if prod(shape[start:end]) == units:
                return origin.reshaped(
                    tuple(axis - len(shape) for axis in range(start, end) if shape[axis] > 1)
                )
    if not together and (apart := _each_reshaped(tensor, origin.axes, shape)) is not None:
        return origin.moved(apart)
    # What follows the flattening of one example has no second axis left but the last, each of whose entries is a unit then.
    if (
        len(shape) == 2
        and len(shape) < tensor.dim()
        and shape[0] == tensor.shape[0]
        and first != -tensor.dim()
    ):
        return origin.moved((-1,))
    return origin.lost(FLATTENED)


def _each_reshaped(tensor: Tensor, axes: Axes, shape: Sequence[int]) -> Axes | None:
    """The axes of units that do not lie side by side; None if one of them is no more."""
    places = []
    for axis in axes:
        before, length = prod(tensor.shape[:axis]), tensor.shape[axis]
        fitting = [n for n, size in enumerate(shape) if size == length and prod(shape[:n]) == before]
        if not fitting:
            return None
        places.append(fitting[0] - len(shape))
    return tuple(places)


def _reduced(call: Call) -> Origin | None:
    """Of a sum or a mean: the units stay if it is not over them."""
    if call.input is None:
        return kept(call)
    tensor, origin = call.input
    dims = call.argument(1, "dim")
    if dims is None or isinstance(dims, Tensor) or not origin.axes:
        return kept(call)
    gone = {dim % tensor.dim() for dim in ([dims] if isinstance(dims, int) else dims)}
    units = {axis % tensor.dim() for axis in origin.axes}
    if any(tensor.shape[axis] > 1 for axis in gone & units):
        return Origin(None, sources=call.sources, reason=AVERAGED)
    left = sorted(units - gone)
    if call.result.dim() == tensor.dim():
        return Origin(tuple(axis - tensor.dim() for axis in left), sources=call.sources)
    order = [axis for axis in range(tensor.dim()) if axis not in gone]
    return Origin(tuple(order.index(axis) - len(order) for axis in left), sources=call.sources)


def _taken(call: Call) -> Origin | None:
    """Of ``x[index]``: where an axis of units is given one index, its other units are gone."""
    if call.input is None:
        return None
    tensor, origin = call.input
    if not origin.axes:
        return origin.bare
    index = call.arguments[1]
    index = index if isinstance(index, tuple) else (index,)
    if any(isinstance(one, Tensor | list) for one in index):
        return _taken_by_tensor(call, tensor, origin, index)
    consumed = sum(one is not None and one is not Ellipsis for one in index)
    places: list[int | None] = []
    rest = tensor.dim() - consumed
    axis = 0
    for one in (*index, *(() if Ellipsis in index else (Ellipsis,))):
        if one is None:
            places.append(None)
        elif one is Ellipsis:
            places += range(axis, axis + rest)
            axis += rest
        else:
            if isinstance(one, slice):
                places.append(axis)
            axis += 1
    units = {axis % tensor.dim() for axis in origin.axes}
    return origin.bare_on(tuple(n - len(places) for n, place in enumerate(places) if place in units))


def _taken_by_tensor(call: Call, tensor: Tensor, origin: Origin, index: tuple[Any, ...]) -> Origin | None:
    """Of ``x[mask]`` and ``x[rows]``, where examples and positions are chosen before the units' axes."""
    if len(index) == 1 and isinstance(index[0], Tensor):
        used = index[0].dim() if index[0].dtype in (torch.bool, torch.uint8) else 1
        if all(axis + tensor.dim() >= used for axis in origin.axes or ()):
            return origin.bare_on(origin.axes or ())
        return origin.lost(FLATTENED)
    return kept(call)


def _selected(call: Call) -> Origin | None:
    """Of ``select`` and ``unbind``, by which an axis goes."""
    if call.input is None:
        return kept(call)
    tensor, origin = call.input
    if not origin.axes:
        return origin.bare
    dim = (call.argument(1, "dim") or 0) % tensor.dim()
    places = [axis for axis in range(tensor.dim()) if axis != dim]
    units = [axis % tensor.dim() for axis in origin.axes]
    return origin.bare_on(tuple(places.index(axis) - len(places) for axis in units if axis != dim))


def _stacked(call: Call) -> Origin | None:
    """Of ``stack``: the new axis is one of units if its entries come from different weights, such as members of an ensemble."""
    if call.source is None or not call.source[1].axes:
        return kept(call)
    tensor, origin = call.source
    axes = tensor.dim() + 1
    dim = (call.argument(1, "dim") or 0) % axes
    places = {(axis % tensor.dim()) + ((axis % tensor.dim()) >= dim) for axis in origin.axes or ()}
    if len({_weights(one) for _, one in call.known}) > 1:
        places.add(dim)
    return Origin(tuple(sorted(place - axes for place in places)), sources=call.sources)


def _joined(call: Call) -> Origin | None:
    """Of ``cat``: outputs of several layers must lie behind one another on the units' axis."""
    placed = kept(call)
    if placed is None or not placed.axes:
        return placed
    dim = (call.argument(1, "dim") or 0) % call.result.dim()
    on_units = any(axis % call.result.dim() == dim for axis in placed.axes)
    if not on_units and len({_weights(one) for _, one in call.known if one.sources}) > 1:
        return placed.lost(JOINED)
    return placed


def _weights(origin: Origin) -> frozenset[int | str]:
    return frozenset(key for key, _ in origin.sources)


def _added(call: Call) -> Origin | None:
    return _shifted(call, 1)


def _subtracted(call: Call) -> Origin | None:
    return _shifted(call, -1)


def _shifted(call: Call, sign: int) -> Origin | None:
    """What a layer without a bias has computed, with a parameter added to it or subtracted: its bias."""
    placed = kept(call)
    if placed is None or len(call.known) != 1 or len(call.arguments) != 2 or call.options:
        return placed
    first, second = call.arguments
    ((tensor, origin),) = call.known
    bias = second if tensor is first else first
    if origin.weight is None or origin.bias is not None or (sign < 0 and bias is first):
        return placed
    if tensor.shape != call.result.shape or is_wrapped(bias):
        return placed
    layer = Origin(origin.axes, origin.weight, sources=placed.sources, spread=origin.spread)
    return with_bias(call, layer, bias, sign) or placed


def _ruled(rule: Rule, *names: str) -> dict[Function, Rule]:
    return dict.fromkeys(spellings(names), rule)


POOLS = [
    f"{pool}_pool{axes}d"
    for pool in ("max", "avg", "adaptive_max", "adaptive_avg", "lp")
    for axes in (1, 2, 3)
]
DROPOUTS = ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"]
COPIES = ["contiguous", "clone", "detach", "to", "type", "type_as", "float", "double", "half", "bfloat16"]
ORDERS = ["transpose", "permute", "movedim", "moveaxis", "swapaxes", "swapdims", "t", "adjoint"]
SHAPES = ["view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as", "ravel"]
REDUCTIONS = ["sum", "mean", "amax", "amin", "logsumexp", "prod", "std", "var", "nansum", "nanmean"]

LAYERS: dict[Function, Rule] = {
    **_ruled(linear, "linear"),
    **_ruled(bilinear, "bilinear", "embedding", "multi_head_attention_forward"),
    **_ruled(product_and_sum, "addmm", "baddbmm", "addbmm"),
    **_ruled(product, "matmul", "mm", "bmm"),
    Tensor.__matmul__: product,
    Tensor.__rmatmul__: lambda call: matrix_product(call, call.arguments[1], call.arguments[0]),
    **_ruled(sum_of_products, "einsum"),
    **_ruled(batch_norm, "batch_norm"),
    **_ruled(partial(norm_of_channels, 2), "group_norm"),
    **_ruled(partial(norm_of_channels, 3), "instance_norm"),
    **_ruled(norm_of_examples, "layer_norm", "rms_norm"),
}
"""Function -> the origin of what it computes, which decides where units are."""
for _axes in (1, 2, 3):
    LAYERS |= _ruled(partial(convolution, _axes), f"conv{_axes}d")
    LAYERS |= _ruled(partial(transposed_convolution, _axes), f"conv_transpose{_axes}d")

RULES: dict[Function, Rule] = {
    **LAYERS,
    # The largest or the mean of what a unit computes has its bias too.
    **_ruled(_unchanged, *DROPOUTS, *COPIES, *POOLS),
    **_ruled(_moved, *ORDERS),
    **{getattr(Tensor, name).__get__: _moved for name in ("T", "mT", "H", "mH")},
    **_ruled(_reshaped, *SHAPES),
    **_ruled(_reduced, *REDUCTIONS),
    **_ruled(_selected, "select", "unbind"),
    **_ruled(_stacked, "stack"),
    **_ruled(_joined, "cat", "concat", "concatenate"),
    **_ruled(_added, "add"),
    **_ruled(_subtracted, "sub", "subtract"),
    **dict.fromkeys((Tensor.__add__, Tensor.__radd__, Tensor.__iadd__), _added),
    **dict.fromkeys((Tensor.__sub__, Tensor.__isub__), _subtracted),
    Tensor.__getitem__: _taken,
}
"""The same for all functions that are followed."""
