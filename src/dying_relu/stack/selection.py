"""Some of the networks of a stack, as a smaller stack."""

import copy
from typing import Any

from torch import Tensor

from dying_relu.stack.network import Hidden, Network
from dying_relu.stack.optimisers import Parameter


def selected(network: Network, chosen: Tensor) -> Network:
    """Copy some of a stack's networks, as they are now.

    Args:
        network: K networks.
        chosen: (n,) their places.

    Returns:
        n networks, which can be shown examples and share no parameter with the others.
    """
    copies: dict[int, Any] = {}
    layers = [_selected(layer, chosen, copies) for layer in network.layers]
    hidden = [
        Hidden(
            layer.name,
            layer.depth,
            *(
                part and _selected(part, chosen, copies)
                for part in (layer.affine, layer.activation, layer.normalisation)
            ),
        )
        for layer in network.hidden
    ]
    return Network(layers, hidden)


def _selected(layer: Any, chosen: Tensor, copies: dict[int, Any]) -> Any:
    """Copy a layer and the layers that it knows, each once; parameters and running statistics have a leading axis for the network."""
    if id(layer) in copies:
        return copies[id(layer)]
    part = copies[id(layer)] = copy.copy(layer)
    running = layer.running_statistics() if hasattr(layer, "running_statistics") else []
    for name, value in vars(layer).items():
        if isinstance(value, Parameter):
            setattr(part, name, Parameter(value.value[chosen]))
        elif any(value is statistic for statistic in running):
            setattr(part, name, value[chosen])
        elif hasattr(value, "forward") and hasattr(value, "parameters"):
            setattr(part, name, _selected(value, chosen, copies))
    return part
