"""The measurement of a stack on a probe set: loss and accuracy, and every unit's statistics."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dying_relu.data import Dataset
from dying_relu.plan.shard import Shard
from dying_relu.stack.loss import accuracy, cross_entropy
from dying_relu.stack.network import Hidden, Network
from dying_relu.training.models import as_inputs
from dying_relu.units.definitions import UnitStatistics

BATCH = 200
"""Examples in a batch: enough to make Python's share small; the same for every stack."""

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
EXAMPLES_FOR_QUANTILES = 200
"""Examples that are sorted, which costs more than to show them to a network."""


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


@dataclass(frozen=True)
class Measurement:
    """A stack of K networks on a probe set.

    Attributes:
        loss: (K,) mean cross-entropy.
        accuracy: (K,) share of examples classified correctly.
        units: for each hidden layer by name, the statistics of its units, (K, U).
        features: (K, inputs, N) what the output layer gets.
    """

    loss: Tensor
    accuracy: Tensor
    units: dict[str, UnitStatistics]
    features: Tensor


def measure(network: Network, examples: Tensor, labels: Tensor) -> Measurement:
    """Show examples with their labels to every network of a stack, in batches.

    Args:
        network: K networks.
        examples: (N, ...).
        labels: (N,) int64.
    """
    units: dict[str, UnitStatistics] = {}
    features: list[Tensor] = []
    loss = correct = torch.zeros((), device=examples.device)
    for x, y in zip(examples.split(BATCH), labels.split(BATCH), strict=True):
        for hidden, z in network.trace(x):
            if hidden is None:
                loss = loss + cross_entropy(z, y).loss * len(y)
                correct = correct + accuracy(z, y) * len(y)
                features.append(network.output.x)
            else:
                batch = _statistics(hidden, z)
                seen = units.get(hidden.name)
                units[hidden.name] = batch if seen is None else seen.merge(batch)
    return Measurement(loss / len(labels), correct / len(labels), units, torch.cat(features, -1))


def _statistics(hidden: Hidden, pre_activations: Tensor) -> UnitStatistics:
    z, axis = hidden.by_unit(pre_activations)
    activation, derivative = (
        hidden.by_unit(operation(pre_activations))[0]
        for operation in (hidden.activation.function, hidden.activation.derivative)
    )
    return UnitStatistics.of(z, activation, derivative, axis)


def pre_activation_quantiles(network: Network, examples: Tensor) -> dict[str, dict[str, Tensor]]:
    """Quantiles of each unit's pre-activation over the first ``EXAMPLES_FOR_QUANTILES`` examples (and positions).

    Args:
        network: K networks.
        examples: (N, ...).

    Returns:
        layer name -> name in ``QUANTILES`` -> (K, U).
    """
    return {
        hidden.name: _quantiles(*hidden.by_unit(z))
        for hidden, z in network.trace(examples[:EXAMPLES_FOR_QUANTILES])
        if hidden is not None
    }


def _quantiles(z: Tensor, axis: int) -> dict[str, Tensor]:
    by_unit = z.movedim(axis, -1).contiguous()
    # On a CPU NumPy sorts many times faster than PyTorch.
    ordered = torch.from_numpy(np.sort(by_unit.numpy())) if z.device.type == "cpu" else by_unit.sort().values
    # Nearest-rank quantiles; torch.quantile refuses more than 16 million values.
    ranks = {name: round(level * (ordered.shape[-1] - 1)) for name, level in QUANTILES.items()}
    return {name: ordered[..., rank] for name, rank in ranks.items()}
