"""Counts on all examples: units that no training example wakes, and answers to all training and test examples.

Units that are alive on the probe set are alive on all examples, of which it is a part, so only those that are dead on it are looked at;
a network is done when none of them is left, and no layer is computed above the last with one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.data import Dataset
from dying_relu.plan.shard import Shard
from dying_relu.stack.network import Network
from dying_relu.stack.selection import first_twins, selected
from dying_relu.training.answers import Answers
from dying_relu.training.checkpoint import Checkpoint
from dying_relu.training.measurement import batch_size
from dying_relu.training.models import as_inputs
from dying_relu.training.unit_sums import LayerSums

BATCHES_AT_ONCE = 4
"""Shown together where few networks are left, after a first one that wakes most units."""

Dead = dict[str, Tensor]
"""Hidden layer's name -> (K, U) bool, the units of K networks that are dead."""


@dataclass(frozen=True)
class FullCount:
    """A stack of K networks on all examples.

    Attributes:
        dead: hidden layer's name -> (K, U) bool: the units that are dead on all training examples; none of networks that overflowed.
        answers: ``train`` and ``test`` -> to all of them, at the end of training; none before. Of networks that overflowed, NaN.
    """

    dead: Mapping[str, Tensor]
    answers: Mapping[str, Answers]


class FullCounter:
    """Shows all examples to stacks of networks.

    Args:
        shard: says how many examples the probe sets are, and which architecture takes them.
        data: the examples.
    """

    def __init__(self, shard: Shard, data: Dataset) -> None:
        self.architecture, self.loss = shard.architecture, shard.loss_function
        self.batch = batch_size(shard.architecture, shard.batch_size)
        self.splits = {
            "train": (data.train_images, data.train_labels, shard.probe_train),
            "test": (data.test_images, data.test_labels, shard.probe_test),
        }
        counts = torch.bincount(data.test_labels)
        self.chance = float(counts.max() / counts.sum())
        """Share of the largest class in the test set."""

    def count(self, network: Network, measured: Checkpoint, finite: Tensor, *, last: bool) -> FullCount:
        """Count units, and at the end of training answers, too.

        Args:
            network: K networks.
            measured: their measurements on the probe sets.
            finite: (K,) bool, those that have not overflowed.
            last: whether training is over.
        """
        chosen = finite.nonzero()[:, 0]
        dead = {name: flags[chosen] for name, flags in measured.dead("train").items()}
        with network.evaluation():
            part = network if len(chosen) == len(finite) else selected(network, chosen)
            answers = {
                name: measurement.answers.of_networks(chosen) for name, measurement in measured.probes.items()
            }
            if not len(chosen):
                pass
            elif last:
                answers = {name: self._answers(name, part, answers[name], dead) for name in answers}
            else:
                self._wake(part, dead)
        return FullCount(
            {name: _among_all(flags, chosen, finite) for name, flags in dead.items()},
            {name: found.among_all(chosen, len(finite)) for name, found in answers.items()} if last else {},
        )

    def _answers(self, split: str, network: Network, answers: Answers, dead: Dead) -> Answers:
        """Show the examples beyond the probe set to all networks; training examples wake units, in place."""
        watched = {
            hidden.name: LayerSums(hidden)
            for hidden in network.hidden
            if split == "train" and dead[hidden.name].any()
        }
        number = 0
        for number, (x, y) in enumerate(self._beyond_probe_set(split), start=1):
            for hidden, z in network.trace(x):
                if hidden is None:
                    answers = answers.merge(Answers.of(z, y, self.loss))
                elif hidden.name in watched:
                    watched[hidden.name].add(z)
            # After 1, 2, 4, 8, ... batches: to look costs as much as to add, and most units that wake do so soon.
            if number & (number - 1) == 0:
                watched = {
                    name: layer for name, layer in watched.items() if (dead[name] & layer.dead()).any()
                }
        if split == "train" and number:
            for name, flags in dead.items():
                flags.logical_and_(watched[name].dead() if name in watched else torch.zeros_like(flags))
        return answers

    def _wake(self, network: Network, dead: Dead) -> None:
        """Show the training examples beyond the probe set to networks with dead units until none is left; ``dead`` changes in place."""
        twin = first_twins(network)
        place = (_any_dead(dead) & (twin == torch.arange(len(twin), device=twin.device))).nonzero()[:, 0]
        part = selected(network, place)
        left = {name: flags[place] for name, flags in dead.items()}
        for x, _ in self._beyond_probe_set("train", BATCHES_AT_ONCE):
            undone = _any_dead(left)
            if not undone.any():
                break
            if undone.sum() <= len(undone) / 2:
                part = selected(part, undone.nonzero()[:, 0])
                for name, flags in left.items():
                    dead[name][place] = flags
                place = place[undone]
                left = {name: flags[undone] for name, flags in left.items()}
            deepest = max(hidden.depth for hidden in part.hidden if left[hidden.name].any())
            for hidden, z in part.trace(x):
                assert hidden is not None, "a hidden layer comes before the output"
                if left[hidden.name].any():
                    sums = LayerSums(hidden)
                    sums.add(z)
                    left[hidden.name] &= sums.dead()
                if hidden.depth == deepest:
                    break
        for name, flags in left.items():
            dead[name][place] = flags
            dead[name].copy_(dead[name][twin])

    def _beyond_probe_set(self, split: str, batches: int = 1) -> Iterator[tuple[Tensor, Tensor]]:
        """The examples that are not in the probe set, after the first batch so many ``batches`` at once."""
        images, labels, end = self.splits[split]
        size = self.batch
        while end < len(labels):
            start, end = end, end + size
            yield as_inputs(self.architecture, images[start:end]), labels[start:end]
            size = batches * self.batch


def _any_dead(dead: Mapping[str, Tensor]) -> Tensor:
    """(K,) bool: networks with a dead unit."""
    return torch.stack([flags.any(1) for flags in dead.values()]).any(0)


def _among_all(flags: Tensor, chosen: Tensor, finite: Tensor) -> Tensor:
    """(n, U) bool of some networks -> (K, U), False for the others."""
    whole = flags.new_zeros(len(finite), flags.shape[1])
    whole[chosen] = flags
    return whole
