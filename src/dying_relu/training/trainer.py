"""A stack of networks in training: the optimiser that its settings describe, the minibatches in their order, and interventions."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from dying_relu.configuration import Architecture, Intervention
from dying_relu.configuration import Optimiser as OptimiserSettings
from dying_relu.data import Dataset
from dying_relu.plan.shard import Run
from dying_relu.stack.clipping import Clipped
from dying_relu.stack.initialisation import random_stream
from dying_relu.stack.loss import LOSSES
from dying_relu.stack.optimisers import Optimiser
from dying_relu.training.captured_step import fastest
from dying_relu.training.interventions import ACTS
from dying_relu.training.learning_rate import learning_rates, warmed_up
from dying_relu.training.models import as_inputs, build, prepare
from dying_relu.training.redo import recycle


class Trainer:
    """A stack of networks, its optimiser and the minibatches that all its networks share.

    Args:
        architecture, optimiser: settings.
        runs: a network each; they share the activation and the seed.
        data: the training examples, on the device where the networks shall live.
        batch_size: examples in a minibatch.
        loss: its name in the configuration.
        interventions: settings, in the order of acting.
        total_steps: number of updates in all, for schedules that depend on it.
    """

    def __init__(
        self,
        architecture: Architecture,
        optimiser: OptimiserSettings,
        runs: Sequence[Run],
        data: Dataset,
        batch_size: int,
        loss: str = "cross_entropy",
        interventions: Sequence[Intervention] = (),
        total_steps: int = 0,
    ) -> None:
        self.device = data.train_images.device
        image = data.train_images.shape[1:]
        self.runs, self.settings, self.seed, self.steps = runs, optimiser, runs[0].seed, 0
        self.batch_size, self.loss, self.total_steps = batch_size, LOSSES[loss], total_steps
        self.network = build(architecture, runs, image, data.classes, self.seed, self.device)
        self.examples = as_inputs(architecture, data.train_images)
        self.labels = data.train_labels
        prepare(self.network, runs, self.examples)
        self.optimiser = optimiser_of(optimiser, runs, self.device)
        self.minibatches = self.new_minibatches()
        self.train_on = fastest(self._train_on, batch_size, self.device)
        self.acts = [ACTS[settings.kind](settings, self) for settings in interventions]
        self.begun = False

    def new_optimiser(self, rates: Tensor) -> Optimiser:
        """Make an optimiser of the same settings with other learning rates.

        Args:
            rates: (K,).
        """
        return with_rates(self.settings, rates)

    def new_minibatches(self) -> Iterator[Tensor]:
        """Draw the minibatches from the first one on, always in the same order."""
        return minibatch_order(len(self.labels), self.batch_size, self.seed, self.device)

    def begin(self) -> None:
        """Let interventions act before the first measurement, once."""
        if not self.begun:
            for act in self.acts:
                act.begin()
        self.begun = True

    def step(self) -> Tensor:
        """Train every network on the next minibatch.

        Returns:
            (K,) losses on the minibatch, before the update.
        """
        self.begin()
        self._recycle()
        for act in self.acts:
            act.before_step()
        if self._rates_change():
            self.optimiser.set_rates(self._rates(self.steps))
        losses = self.train_on(next(self.minibatches))
        self.steps += 1
        for act in self.acts:
            act.after_step(losses)
        return losses

    def update(self, places: Tensor, optimiser: Optimiser) -> Tensor:
        """Update every network once.

        Args:
            places: (B,) of the examples, on the device of the networks.
            optimiser: takes the gradients.

        Returns:
            (K,) losses on these examples, before the update.
        """
        logits = self.network.forward(self.examples.index_select(0, places))
        loss = self.loss(logits, self.labels.index_select(0, places))
        self.network.backward(loss.gradient, optimiser)
        return loss.loss

    def settle_means(self) -> None:
        """Give layers that subtract a minibatch's mean the mean over all training examples, for evaluation."""
        self.network.settle_means(self.examples)

    def state(self) -> dict[str, Tensor]:
        """The tensors that training changes, by name.

        The order of the examples is not among them: it follows from the seed and the number of steps.
        """
        of_acts = {
            f"act{place}/{name}": tensor
            for place, act in enumerate(self.acts if self.begun else ())
            for name, tensor in act.state().items()
        }
        return {
            "steps": torch.tensor(self.steps),
            "begun": torch.tensor(self.begun),
            **{str(place): tensor for place, tensor in enumerate(self._changed_in_place())},
            **of_acts,
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a saved state; for a trainer that has made no step yet.

        Args:
            state: from :meth:`state` of a trainer of the same runs; tensors of the same shapes.
        """
        self.steps, self.begun = int(state["steps"]), bool(state["begun"])
        if self.steps and self._rates_change():
            # Velocities are kept in units of the last rate.
            self.optimiser.set_rates(self._rates(self.steps - 1))
        for place, tensor in enumerate(self._changed_in_place()):
            tensor.copy_(state[str(place)])
        for _ in range(self.steps):
            next(self.minibatches)
        for place, act in enumerate(self.acts if self.begun else ()):
            prefix = f"act{place}/"
            own = {
                name.removeprefix(prefix): values for name, values in state.items() if name.startswith(prefix)
            }
            act.restore(own)

    def _changed_in_place(self) -> list[Tensor]:
        return [*self.network.state(), *self.optimiser.state(self.network.parameters())]

    def _train_on(self, minibatch: Tensor) -> Tensor:
        return self.update(minibatch, self.optimiser)

    def _recycle(self) -> None:
        """Every so many steps, before an update: a checkpoint counts the units that training left, not the ones just renewed."""
        every = self.settings.recycle_every
        if every and self.steps and self.steps % every == 0:
            seed = self.seed + self.steps
            recycle(self.network, self.runs, self.optimiser, self.examples, self.labels, seed)

    def _rates_change(self) -> bool:
        return bool(self.settings.warm_up_steps) or any(act.changes_rates for act in self.acts)

    def _rates(self, step: int) -> Tensor:
        """(K,) the learning rates of the update after ``step`` others."""
        rates = learning_rates(self.runs, self.device)
        if step < self.settings.warm_up_steps:
            rates = warmed_up(rates, step, self.settings.warm_up_steps)
        for act in self.acts:
            rates = act.rates(step, rates)
        return rates


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
    return with_rates(settings, learning_rates(runs, device))


def with_rates(settings: OptimiserSettings, rates: Tensor) -> Optimiser:
    """Make the optimiser of a stack whose networks have certain learning rates.

    Args:
        settings: kind, clipping, ...
        rates: (K,).
    """
    optimiser = settings.stacked(rates)
    return Clipped(optimiser, settings.clip_norm) if settings.clip_norm else optimiser
