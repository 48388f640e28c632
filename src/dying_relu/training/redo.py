"""ReDo: dormant units get new incoming weights, and outgoing weights of 0, every so many steps.

Source: Sokar, Agarwal, Castro and Evci (2023), algorithm 1.
"""

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
from dying_relu.training.measurement import measure
from dying_relu.units import definitions

EXAMPLES = 200
"""So many training examples tell which units are dormant."""


def recycle(
    network: Network, runs: Sequence[Run], optimiser: Optimiser, examples: Tensor, labels: Tensor, seed: int
) -> Tensor:
    """Recycle the units of every network of a stack that are dormant at ``DORMANT_TAU``, in place.

    New weights come from each run's initialisation, biases are that scheme's without the initial bias: it may be what made the
    unit dormant. The optimiser forgets what it knew about the weights that are new.

    Args:
        network: K networks.
        runs: (K,) their settings.
        optimiser: theirs.
        examples: (N, ...) on which dormancy is measured; the first ``EXAMPLES`` are used.
        labels: (N,).
        seed: of the new weights; the same seed gives every network the same ones.

    Returns:
        (K,) number of recycled units.
    """
    with network.evaluation():
        statistics = measure(network, examples[:EXAMPLES], labels[:EXAMPLES]).units
    # A stream for each scheme: what one run draws must not depend on the schemes of others in its stack.
    streams = {run.initialisation: random_stream(seed, "recycling") for run in runs}
    affine = [layer for layer in network.layers if isinstance(layer, Linear | Convolution)]
    count = torch.zeros(len(runs), dtype=torch.int64, device=examples.device)
    for (layer, following), hidden in zip(pairwise(affine), network.hidden, strict=True):
        dormant = definitions.dormant(statistics[hidden.name], definitions.DORMANT_TAU)
        count += dormant.sum(1)
        _renew(layer, dormant, runs, optimiser, streams)
        # A unit of a convolution is read once for each position.
        inputs = following.weight.value.shape[2]
        read = dormant.repeat(1, inputs // dormant.shape[1])
        _fill(following.weight, read[:, None].expand(following.weight.value.shape[:3]), 0.0, optimiser)
    return count


def _renew(
    layer: Linear | Convolution,
    dormant: Tensor,
    runs: Sequence[Run],
    optimiser: Optimiser,
    streams: Mapping[str, torch.Generator],
) -> None:
    shape = tuple(layer.weight.value.shape[1:])
    drawn = {scheme: SCHEMES[scheme](shape, stream) for scheme, stream in streams.items()}
    for place, parameter in enumerate((layer.weight, layer.bias)):
        new = torch.stack([drawn[run.initialisation][place] for run in runs]).to(dormant.device)
        _fill(parameter, dormant, new, optimiser)


def _fill(parameter: Parameter, chosen: Tensor, new: Tensor | float, optimiser: Optimiser) -> None:
    """Set the chosen places of a parameter, by its first axes, to ``new``, and let the optimiser forget them."""
    mask = chosen.view(*chosen.shape, *[1] * (parameter.value.dim() - chosen.dim())).expand_as(
        parameter.value
    )
    # In place: the optimiser may hold views of it.
    parameter.value.copy_(
        torch.where(mask, torch.as_tensor(new, dtype=parameter.value.dtype), parameter.value)
    )
    optimiser.forget(parameter, mask)
