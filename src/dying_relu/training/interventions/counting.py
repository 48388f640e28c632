"""Units that are dead, or nearly so, on all training examples: counted after every step where an intervention asks for it.

Examples are shown in batches, and only to networks in which some unit has not been active yet; no layer is computed above the last with
such a unit.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dying_relu.stack.network import Hidden, Network
from dying_relu.stack.selection import selected

BATCH = 100
"""Examples shown at once: most units are active on one of the first few."""

Marked = list[Tensor]
"""For each hidden layer, first to last, (K, U) bool."""


def inactive(network: Network, examples: Tensor, layers: Sequence[int]) -> Marked:
    """Mark the units whose pre-activation is not positive on any example (at any position).

    That is what dead means for ReLU; for a leaky ReLU it is the same count, of units that are silent.

    Args:
        network: K networks.
        examples: (N, ...) at least one.
        layers: places of the hidden layers that are looked at; no unit of the others is marked.

    Returns:
        For each hidden layer, (K, U) bool. A unit that is NaN somewhere counts as active there.
    """
    marked = [
        torch.full_like(hidden.affine.bias.value, place in layers, dtype=torch.bool)
        for place, hidden in enumerate(network.hidden)
    ]
    everyone = torch.arange(len(marked[0]), device=marked[0].device)
    places, part = everyone, network
    with network.evaluation():
        for x in examples.split(BATCH):
            left = torch.stack([flags[places].any(1) for flags in marked]).any(0)
            if not left.any():
                break
            if not left.all():
                places = places[left]
                part = selected(network, places)
            deepest = max(place for place, flags in enumerate(marked) if flags[places].any())
            for place, (hidden, z) in enumerate(part.trace(x)):
                assert hidden is not None, "a hidden layer comes before the output"
                if marked[place].any():
                    marked[place][places] &= ~_active(hidden, z).any(-1)
                if place == deepest:
                    break
    return marked


def active_shares(network: Network, examples: Tensor) -> list[Tensor]:
    """Measure the share of examples (and positions) on which each unit is active.

    Args:
        network: K networks.
        examples: (N, ...).

    Returns:
        For each hidden layer, (K, U) float64.
    """
    counts = [torch.zeros_like(hidden.affine.bias.value, dtype=torch.float64) for hidden in network.hidden]
    seen = [0] * len(counts)
    with network.evaluation():
        for x in examples.split(BATCH):
            for place, (hidden, z) in enumerate(network.trace(x)):
                if hidden is not None:
                    active = _active(hidden, z)
                    counts[place] += active.sum(-1)
                    seen[place] += active.shape[-1]
    return [count / number for count, number in zip(counts, seen, strict=True)]


def _active(hidden: Hidden, z: Tensor) -> Tensor:
    """(K, U, examples and positions) bool."""
    by_unit, axis = hidden.by_unit(z)
    return ~(by_unit.movedim(axis, -1) <= 0)
