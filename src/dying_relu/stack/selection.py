"""Some of the networks of a stack, as a smaller stack, and those that are equal."""

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dying_relu.stack.network import Hidden, Network
from dying_relu.stack.optimisers import Parameter
from dying_relu.stack.precision import in_float64


def selected(network: Network, chosen: Tensor) -> Network:
    """Copy some of a stack's networks, as they are now.

    Args:
        network: K networks.
        chosen: (n,) their places.

    Returns:
        n networks, which can be shown examples and share no parameter with the others.
    """
    return _copied(network, lambda tensor: tensor[chosen])


def alone_in_float64(network: Network, k: int) -> Network:
    """Copy one of a stack's networks, as it is now, in float64; on the CPU if its device has no float64.

    Args:
        network: K networks.
        k: the place of the one.

    Returns:
        A stack of this network, which shares no parameter and no running statistic with the others.
    """
    return _copied(network, lambda tensor: in_float64(tensor[k : k + 1]).clone())


def _copied(network: Network, part_of: Callable[[Tensor], Tensor]) -> Network:
    """Copy a stack with a part of each tensor; parameters and running statistics have a leading axis for the network."""
    copies: dict[int, Any] = {}
    layers = [_copied_layer(layer, part_of, copies) for layer in network.layers]
    hidden = [
        Hidden(
            layer.name,
            layer.depth,
            _copied_layer(layer.affine, part_of, copies),
            _copied_layer(layer.activation, part_of, copies),
            layer.normalisation and _copied_layer(layer.normalisation, part_of, copies),
        )
        for layer in network.hidden
    ]
    return Network(layers, hidden)


def _copied_layer(layer: Any, part_of: Callable[[Tensor], Tensor], copies: dict[int, Any]) -> Any:
    """Copy a layer and the layers that it knows, each once."""
    if id(layer) in copies:
        return copies[id(layer)]
    part = copies[id(layer)] = copy.copy(layer)
    running = layer.running_statistics() if hasattr(layer, "running_statistics") else []
    for name, value in vars(layer).items():
        if isinstance(value, Parameter):
            setattr(part, name, Parameter(part_of(value.value)))
        elif any(value is statistic for statistic in running):
            setattr(part, name, part_of(value))
        elif hasattr(value, "forward") and hasattr(value, "parameters"):
            setattr(part, name, _copied_layer(value, part_of, copies))
    return part


def first_twins(network: Network) -> Tensor:
    """Find for each network the first of the stack that is equal to it, as those are before training that differ in their rates only.

    Args:
        network: K networks.

    Returns:
        (K,) int64, places in the stack.
    """
    slopes = [hidden.activation.slope.value for hidden in network.hidden]
    tensors = [
        tensor.cpu().flatten(1) if tensor.dim() > 1 else tensor.cpu()[:, None]
        for tensor in (*network.state(), *slopes)
    ]
    first: dict[bytes, int] = {}
    twins = []
    for place in range(len(slopes[0])):
        digest = hashlib.blake2b()
        for tensor in tensors:
            digest.update(tensor[place].contiguous().numpy().data)
        twins.append(first.setdefault(digest.digest(), place))
    return torch.tensor(twins, device=slopes[0].device)
