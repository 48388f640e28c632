"""A stack of networks in training: the optimiser that its settings describe, and the minibatches in their order."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from dying_relu.configuration import Architecture
from dying_relu.configuration import Optimiser as OptimiserSettings
from dying_relu.data import Dataset
from dying_relu.plan.shard import Run
from dying_relu.stack.clipping import Clipped
from dying_relu.stack.initialisation import random_stream
from dying_relu.stack.loss import cross_entropy
from dying_relu.stack.optimisers import Optimiser
from dying_relu.training.captured_step import fastest
from dying_relu.training.learning_rate import learning_rates, warmed_up
from dying_relu.training.models import as_inputs, build
from dying_relu.training.redo import recycle


class Trainer:
    """A stack of networks, its optimiser and the minibatches that all its networks share.

    Args:
        architecture, optimiser: settings.
        runs: a network each; they share the activation and the seed.
        data: the training examples, on the device where the networks shall live.
        batch_size: examples in a minibatch.
    """

    def __init__(
        self,
        architecture: Architecture,
        optimiser: OptimiserSettings,
        runs: Sequence[Run],
        data: Dataset,
        batch_size: int,
    ) -> None:
        self.device = data.train_images.device
        image = data.train_images.shape[1:]
        self.runs, self.settings, self.seed, self.steps = runs, optimiser, runs[0].seed, 0
        self.network = build(architecture, runs, image, data.classes, self.seed, self.device)
        self.optimiser = optimiser_of(optimiser, runs, self.device)
        self.examples = as_inputs(architecture, data.train_images)
        self.labels = data.train_labels
        self.minibatches = minibatch_order(len(self.labels), batch_size, self.seed, self.device)
        self.train_on = fastest(self._train_on, batch_size, self.device)

    def step(self) -> Tensor:
        """Train every network on the next minibatch.

        Returns:
            (K,) losses on the minibatch, before the update.
        """
        self._recycle()
        self._warm_up()
        losses = self.train_on(next(self.minibatches))
        self.steps += 1
        return losses

    def state(self) -> dict[str, Tensor]:
        """The tensors that training changes, by name.

        The order of the examples is not among them: it follows from the seed and the number of steps.
        """
        tensors = [*self.network.state(), *self.optimiser.state(self.network.parameters())]
        return {
            "steps": torch.tensor(self.steps),
            **{str(place): tensor for place, tensor in enumerate(tensors)},
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a saved state; for a trainer that has made no step yet.

        Args:
            state: from :meth:`state` of a trainer of the same runs; tensors of the same shapes.
        """
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
        self.steps = int(state["steps"])
        for _ in range(self.steps):
            next(self.minibatches)

    def _train_on(self, minibatch: Tensor) -> Tensor:
        """Train on the examples at the places (B,); returns the losses (K,)."""
        logits = self.network.forward(self.examples.index_select(0, minibatch))
        loss = cross_entropy(logits, self.labels.index_select(0, minibatch))
        self.network.backward(loss.gradient, self.optimiser)
        return loss.loss

    def _recycle(self) -> None:
        """Every so many steps, before an update: a checkpoint counts the units that training left, not the ones just renewed."""
        every = self.settings.recycle_every
        if every and self.steps and self.steps % every == 0:
            seed = self.seed + self.steps
            recycle(self.network, self.runs, self.optimiser, self.examples, self.labels, seed)

    def _warm_up(self) -> None:
        if self.steps < self.settings.warm_up_steps:
            rates = learning_rates(self.runs, self.device)
            self.optimiser.set_rates(warmed_up(rates, self.steps, self.settings.warm_up_steps))


def minibatch_order(
    examples: int, batch_size: int, seed: int, device: torch.device | None = None
) -> Iterator[Tensor]:
    """Draw minibatch after minibatch, for ever: each epoch in a new random order, its incomplete rest dropped.

    Args:
        examples: number of examples.
        batch_size: examples of a minibatch.
        seed: the replicate's.
        device: where the places go, an epoch's at once; by default the CPU.

    Yields:
        (batch_size,) int64 places of examples.
    """
    stream = random_stream(seed, "minibatches")
    while True:
        order = torch.randperm(examples, generator=stream).to(device or "cpu")
        yield from order[: examples // batch_size * batch_size].split(batch_size)


def optimiser_of(settings: OptimiserSettings, runs: Sequence[Run], device: torch.device) -> Optimiser:
    """Make the optimiser of a stack.

    Args:
        settings: kind, clipping, ...
        runs: a network each, with its own learning rate.
        device: where the networks live.
    """
    optimiser = settings.stacked(learning_rates(runs, device))
    return Clipped(optimiser, settings.clip_norm) if settings.clip_norm else optimiser
