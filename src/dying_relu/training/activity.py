"""On how many training examples each unit is active: counted up to several numbers of examples, at the end of training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.configuration import Architecture
from dying_relu.stack.network import Network
from dying_relu.training.models import as_inputs

EXAMPLES = (500, 1000, 5500)
"""Numbers of examples up to which is counted, if training used more; besides, all of them."""


@dataclass(frozen=True)
class ActivityCounts:
    """The units of K networks.

    Attributes:
        examples: numbers of examples, the first ones of the training set.
        active: hidden layer's name -> (len(examples), K, U) int64: on how many of them each unit was active.
    """

    examples: Sequence[int]
    active: Mapping[str, Tensor]


def activity_counts(
    network: Network, architecture: Architecture, images: Tensor, batch: int
) -> ActivityCounts:
    """Count on how many examples each unit is active, at one position at least.

    Args:
        network: K networks.
        architecture: theirs.
        images: (N, C, H, W) all training examples.
        batch: examples that are shown at once.
    """
    marks = [*(number for number in EXAMPLES if number < len(images)), len(images)]
    active: dict[str, list[Tensor]] = {hidden.name: [] for hidden in network.hidden}
    with network.evaluation():
        for start, end in zip([0, *marks], marks, strict=False):
            total: dict[str, Tensor] = {}
            for x in images[start:end].split(batch):
                for hidden, z in network.trace(as_inputs(architecture, x)):
                    if hidden is not None:
                        total[hidden.name] = total.get(hidden.name, 0) + _active_examples(z)
            for name, counted in total.items():
                active[name].append(counted)
    return ActivityCounts(marks, {name: torch.stack(counted).cumsum(0) for name, counted in active.items()})


def _active_examples(pre_activations: Tensor) -> Tensor:
    """(K, U) int64: on how many examples of a batch the pre-activation is positive, at one position at least."""
    if pre_activations.dim() == 3:
        return (pre_activations > 0).sum(2)
    return (pre_activations > 0).any(4).any(3).sum(1)
