"""Hidden units with new incoming weights, and outgoing weights set to 0; the optimiser forgets the weights that are new."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from dying_relu.plan.shard import Run
from dying_relu.stack.convolution import Convolution
from dying_relu.stack.initialisation import SCHEMES, random_stream
from dying_relu.stack.layers import Linear
from dying_relu.stack.network import Network
from dying_relu.stack.optimisers import Optimiser, Parameter


def streams(runs: Sequence[Run], seed: int, purpose: str) -> dict[str, torch.Generator]:
    """Make a stream of random numbers for each initialisation: what one run draws must not depend on those of others in its stack.

    Args:
        runs: (K,) settings of networks.
        seed: of the numbers; the same seed gives every network the same ones.
        purpose: of the numbers.
    """
    return {run.initialisation: random_stream(seed, purpose) for run in runs}


def renew(
    layer: Linear | Convolution,
    chosen: Tensor,
    runs: Sequence[Run],
    optimiser: Optimiser,
    numbers: Mapping[str, torch.Generator],
) -> None:
    """Draw new incoming weights for some units, in place.

    They come from each run's initialisation, biases are that scheme's without the initial bias.

    Args:
        layer: theirs.
        chosen: (K, U) bool.
        runs: (K,) settings of the networks.
        optimiser: theirs.
        numbers: initialisation -> random numbers, of which a whole layer's are used.
    """
    shape = tuple(layer.weight.value.shape[1:])
    drawn = {scheme: SCHEMES[scheme](shape, stream) for scheme, stream in numbers.items()}
    for place, parameter in enumerate((layer.weight, layer.bias)):
        new = torch.stack([drawn[run.initialisation][place] for run in runs]).to(chosen.device)
        fill(parameter, chosen, new, optimiser)


def silence(following: Linear | Convolution, chosen: Tensor, optimiser: Optimiser) -> None:
    """Set the weights to 0 with which the next layer reads some units, in place.

    Args:
        following: the next one.
        chosen: (K, U) bool.
        optimiser: of the networks.
    """
    # A unit of a convolution is read once for each position.
    inputs = following.weight.value.shape[2]
    read = chosen.repeat(1, inputs // chosen.shape[1])
    fill(following.weight, read[:, None].expand(following.weight.value.shape[:3]), 0.0, optimiser)


def fill(parameter: Parameter, chosen: Tensor, new: Tensor | float, optimiser: Optimiser) -> None:
    """Set the chosen places of a parameter to ``new``, in place, and let the optimiser forget them.

    Args:
        parameter: (K, ...).
        chosen: bool, over the first axes of the parameter.
        new: broadcasts against the parameter.
        optimiser: of the networks.
    """
    mask = chosen.view(*chosen.shape, *[1] * (parameter.value.dim() - chosen.dim())).expand_as(
        parameter.value
    )
    # In place: the optimiser may hold views of it.
    parameter.value.copy_(
        torch.where(mask, torch.as_tensor(new, dtype=parameter.value.dtype), parameter.value)
    )
    optimiser.forget(parameter, mask)


def affine_layers(network: Network) -> list[Linear | Convolution]:
    """The layers with weights, those of hidden layers first and the output layer last."""
    return [layer for layer in network.layers if isinstance(layer, Linear | Convolution)]


def hidden_pairs(network: Network) -> list[tuple[Linear | Convolution, Linear | Convolution]]:
    """For each hidden layer, its weights and those that read it."""
    return list(pairwise(affine_layers(network)))
