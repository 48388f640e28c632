"""Rules for normalisations: where they put the units, and their weights and biases."""

from typing import Any

from torch import Tensor

from dying_relu.probing.tensor_origins import Axes, Call, Origin


def _behind(call: Call, scale: Any) -> frozenset[tuple[int | str, int]]:
    """The weights behind a normalisation; its own where none are."""
    sources = call.sources
    return sources if any(isinstance(key, int) for key, _ in sources) else call.calls(scale) or sources


def batch_norm(call: Call) -> Origin:
    """Scales and shifts what a layer has computed: the weights are the layer's, the bias its own.

    Its channels are the units, unless these lie on several axes along which weights differ, as members of an ensemble do.
    """
    origin = None if call.input is None else call.input[1]
    place = 1 - call.result.dim()
    axes: Axes = (place,)
    if origin is not None and origin.axes and len(origin.axes) > 1 and place in origin.axes:
        axes = axes if origin.spread else origin.axes
    weight, scale = None if origin is None else origin.weight, call.argument(3, "weight")
    return Origin(axes, weight, call.argument(4, "bias"), _behind(call, scale))


def norm_of_channels(weight: int, call: Call) -> Origin:
    """Of a group or an instance norm, whose channels are the units.

    Args:
        weight: place of the weight among the arguments; the bias is behind it.
        call: of the function.
    """
    scale = call.argument(weight, "weight")
    return Origin((1 - call.result.dim(),), scale, call.argument(weight + 1, "bias"), _behind(call, scale))


def norm_of_examples(call: Call) -> Origin:
    """Layer and RMS norm have units on any axis; their weights have them on the same, counted from the end."""
    axes = (call.source[1].axes if call.source is not None else None) or (-1,)
    weight, bias = call.argument(2, "weight"), call.argument(3, "bias")
    sources = _behind(call, weight)
    if len(axes) > 1 or not isinstance(weight, Tensor) or weight.dim() < -axes[0]:
        return Origin(axes, sources=sources)
    plain = weight.dim() == 1
    return Origin(axes, weight if plain else weight.movedim(axes[0], 0), bias if plain else None, sources)
