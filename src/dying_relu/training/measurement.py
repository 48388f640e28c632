"""The measurement of a stack on a probe set: answers, and the statistics of every unit and of every layer's inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from dying_relu.configuration import Architecture
from dying_relu.data import Dataset
from dying_relu.plan.shard import Shard
from dying_relu.stack.network import Network
from dying_relu.training.answers import Answers
from dying_relu.training.models import as_inputs
from dying_relu.training.offset import InputMoments
from dying_relu.training.transitions import Traced
from dying_relu.training.unit_sums import LayerSums
from dying_relu.units.statistics import UnitStatistics

VECTORS_AT_ONCE, IMAGES_AT_ONCE = 300, 50
"""Examples in a batch, the same for every stack: of vectors enough to make Python's share small, of images what a cache holds."""

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
EXAMPLES_FOR_QUANTILES = 200
"""Examples that are sorted, which costs more than to show them to a network."""


Sums = TypeVar("Sums", Answers, InputMoments)


class ProbeSet(NamedTuple):
    """The examples on which units are counted.

    Attributes:
        examples: (N, ...) as the networks take them.
        labels: (N,) int64.
    """

    examples: Tensor
    labels: Tensor


def probe_sets(shard: Shard, data: Dataset) -> dict[str, ProbeSet]:
    """Take the first examples of either split of a data set.

    Args:
        shard: says how many, and which architecture takes them.
        data: the data set.

    Returns:
        ``train`` and ``test`` -> the probe set.
    """
    splits = {
        "train": (data.train_images, data.train_labels, shard.probe_train),
        "test": (data.test_images, data.test_labels, shard.probe_test),
    }
    return {
        name: ProbeSet(as_inputs(shard.architecture, images[:size]), labels[:size])
        for name, (images, labels, size) in splits.items()
    }


def batch_size(architecture: Architecture, minibatch: int) -> int:
    """Count the examples that are shown at once: whole minibatches, so that what is recorded of them can be told apart.

    Args:
        architecture: of the networks.
        minibatch: examples in a minibatch of training.
    """
    wanted = IMAGES_AT_ONCE if architecture.is_convolutional else VECTORS_AT_ONCE
    return max(1, wanted // minibatch) * minibatch


@dataclass(frozen=True)
class Measurement:
    """A stack of K networks on a probe set.

    Attributes:
        answers: to all examples.
        units: for each hidden layer by name, the statistics of its units, (K, U).
        inputs: for each hidden layer by name, the moments of its inputs.
        features: (K, inputs, N) what the output layer gets.
        traced: batch by batch, the input and the pre-activations of each hidden layer; empty where they are not kept.
    """

    answers: Answers
    units: dict[str, UnitStatistics]
    inputs: dict[str, InputMoments]
    features: Tensor
    traced: Sequence[Traced] = ()

    def of_networks(self, chosen: Tensor) -> "Measurement":
        """The measurements of some of the networks, without a trace.

        Args:
            chosen: (n,) their places.
        """
        return Measurement(
            self.answers.of_networks(chosen),
            {name: statistics.of_networks(chosen) for name, statistics in self.units.items()},
            {name: moments.of_networks(chosen) for name, moments in self.inputs.items()},
            self.features[chosen],
        )


def measure(
    network: Network,
    examples: Tensor,
    labels: Tensor,
    batch: int = VECTORS_AT_ONCE,
    known_inputs: Mapping[str, InputMoments] | None = None,
    *,
    loss: str = "cross_entropy",
    keep: bool = False,
) -> Measurement:
    """Show examples with their labels to every network of a stack, in batches.

    Args:
        network: K networks.
        examples: (N, ...).
        labels: (N,) int64.
        batch: examples that are shown at once.
        known_inputs: moments of the inputs of layers where they are known, as of the first layer, which gets the same at every checkpoint.
        loss: its name in the configuration.
        keep: whether inputs and pre-activations are kept.
    """
    known = dict(known_inputs or {})
    units = {hidden.name: LayerSums(hidden) for hidden in network.hidden}
    inputs: dict[str, InputMoments] = {}
    features: list[Tensor] = []
    traced: list[Traced] = []
    answers: Answers | None = None
    for x, y in zip(examples.split(batch), labels.split(batch), strict=True):
        trace: Traced = {}
        for hidden, z in network.trace(x):
            if hidden is None:
                answers = _merged(answers, Answers.of(z, y, loss))
                features.append(network.output.x)
                continue
            units[hidden.name].add(z)
            if hidden.name not in known:
                moments = InputMoments.of(hidden.affine)
                inputs[hidden.name] = _merged(inputs.get(hidden.name), moments)
            if keep:
                trace[hidden.name] = (hidden.affine.x, z)
        traced.append(trace)
    assert answers is not None, "a probe set has examples"
    counted = {name: layer.statistics() for name, layer in units.items()}
    return Measurement(answers, counted, known | inputs, torch.cat(features, -1), traced if keep else ())


def _merged(before: Sums | None, batch: Sums) -> Sums:
    return batch if before is None else before.merge(batch)


def pre_activation_quantiles(network: Network, traced: Sequence[Traced]) -> dict[str, dict[str, Tensor]]:
    """Quantiles of each unit's pre-activation over the first ``EXAMPLES_FOR_QUANTILES`` examples (and positions).

    Args:
        network: K networks.
        traced: what they were shown, batch by batch.

    Returns:
        layer name -> name in ``QUANTILES`` -> (K, U).
    """
    quantiles = {}
    for hidden in network.hidden:
        batches = [trace[hidden.name][1] for trace in traced]
        examples_on = 2 if batches[0].dim() == 3 else 1
        sizes = np.cumsum([0, *(z.shape[examples_on] for z in batches)])
        needed = [z for z, seen in zip(batches, sizes[:-1], strict=True) if seen < EXAMPLES_FOR_QUANTILES]
        first = torch.cat(needed, examples_on).narrow(
            examples_on, 0, min(EXAMPLES_FOR_QUANTILES, int(sizes[len(needed)]))
        )
        quantiles[hidden.name] = _quantiles(*hidden.by_unit(first))
    return quantiles


def _quantiles(z: Tensor, axis: int) -> dict[str, Tensor]:
    by_unit = z.movedim(axis, -1).contiguous()
    # On a CPU NumPy sorts many times faster than PyTorch.
    ordered = torch.from_numpy(np.sort(by_unit.numpy())) if z.device.type == "cpu" else by_unit.sort().values
    # Nearest-rank quantiles; torch.quantile refuses more than 16 million values.
    ranks = {name: round(level * (ordered.shape[-1] - 1)) for name, level in QUANTILES.items()}
    return {name: ordered[..., rank] for name, rank in ranks.items()}
