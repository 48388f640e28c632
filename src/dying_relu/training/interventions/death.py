"""Death forbidden, unit by unit, after every step; and dead units renewed, once. Each with its placebo."""

from collections.abc import Mapping
from typing import Generic, TypeVar

import torch
from torch import Tensor

from dying_relu.configuration.interventions import (
    Damage,
    Forbid,
    ForbidByBias,
    ForbidByRenewal,
    ForbidByUndoing,
    OfUnits,
    Renew,
)
from dying_relu.stack.network import Hidden, Network
from dying_relu.stack.optimisers import Parameter
from dying_relu.stack.selection import selected
from dying_relu.training.interventions.act import Act, acts
from dying_relu.training.interventions.choice import some
from dying_relu.training.interventions.counting import BATCH, Marked, inactive
from dying_relu.training.renewal import hidden_pairs, renew, silence, streams

ABOVE_ZERO = 1e-3
"""A raised bias makes the largest pre-activation so many times the mean absolute one: active, and no more."""

Settings = TypeVar("Settings", bound="OfUnits | Damage")
Forbidding = TypeVar("Forbidding", bound=Forbid)


class OnUnits(Act[Settings], Generic[Settings]):
    """An act on hidden units."""

    @property
    def places(self) -> list[int]:
        """Of the hidden layers that are meant, from 0."""
        depths = self.settings.layers or range(1, len(self.trainer.network.hidden) + 1)
        return sorted(depth - 1 for depth in depths)

    def inactive(self) -> Marked:
        """The units that are dead on all training examples."""
        self.trainer.settle_means()
        return inactive(self.trainer.network, self.trainer.examples, self.places)

    def at_random(self, candidates: Tensor, numbers: Tensor, place: int, step: int = 0) -> Tensor:
        """Choose units at random, in an order that depends on the seed, the kind of intervention, the layer and the step.

        Args:
            candidates: (K, U) bool.
            numbers: (K,) how many.
            place: of the layer.
            step: number of updates made, where the order shall be another at every step.
        """
        return some(candidates, numbers, self.trainer.seed, f"{self.settings.kind}/{step}/{place}")

    def renew(self, place: int, units: Tensor) -> None:
        """Draw new incoming weights.

        Args:
            place: of the layer.
            units: (K, U) bool.
        """
        trainer = self.trainer
        numbers = streams(trainer.runs, trainer.seed, f"{self.settings.kind}/{trainer.steps}/{place}/weights")
        renew(hidden_pairs(trainer.network)[place][0], units, trainer.runs, trainer.optimiser, numbers)


class Forbidden(OnUnits[Forbidding]):
    """Treats the units that are dead after a step, or as many living ones."""

    dead: Marked

    def begin(self) -> None:
        self.born_dead = self.dead = self.inactive()

    def after_step(self, losses: Tensor) -> None:
        before, self.dead = self.dead, self.inactive()
        for place in self.places:
            units = self.dead[place]
            if self.settings.placebo:
                numbers = self.would_treat(place, before[place]).sum(1)
                units = self.at_random(~units, numbers, place, self.trainer.steps)
            if units.any():
                self.treat(place, units)

    def would_treat(self, place: int, dead_before: Tensor) -> Tensor:
        """Mark the units that would be treated were this no placebo: those that have just died.

        Args:
            place: of the layer.
            dead_before: (K, U) bool, after the step before.
        """
        return self.dead[place] & ~dead_before

    def treat(self, place: int, units: Tensor) -> None:
        """Treat units of a hidden layer so that their death is forbidden.

        Args:
            place: of the layer.
            units: (K, U) bool.
        """
        raise AssertionError("a subclass says what is done")

    def state(self) -> dict[str, Tensor]:
        marks = {"dead": self.dead, "born_dead": self.born_dead}
        return {f"{name}{place}": flags for name, each in marks.items() for place, flags in enumerate(each)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        hidden, device = self.trainer.network.hidden, self.trainer.device
        self.dead, self.born_dead = (
            [state[f"{name}{place}"].to(device) for place in range(len(hidden))]
            for name in ("dead", "born_dead")
        )


@acts(ForbidByRenewal)
class Renewing(Forbidden[ForbidByRenewal]):
    """Gives a unit new incoming weights as soon as it is dead; those that read it stay."""

    def would_treat(self, place: int, dead_before: Tensor) -> Tensor:
        return self.dead[place] if self.settings.again else super().would_treat(place, dead_before)

    def treat(self, place: int, units: Tensor) -> None:
        self.renew(place, units)


@acts(ForbidByUndoing)
class Undoing(Forbidden[ForbidByUndoing]):
    """Takes back the step of the incoming weights and the bias of a unit that is dead after it; the optimiser's moments stay."""

    def before_step(self) -> None:
        self.before = [[p.value.clone() for p in _incoming(hidden)] for hidden in self.trainer.network.hidden]

    def would_treat(self, place: int, dead_before: Tensor) -> Tensor:
        # A unit whose death is undone would die again at the next step, and that would be undone, too.
        return self.dead[place] & ~self.born_dead[place]

    def treat(self, place: int, units: Tensor) -> None:
        hidden = self.trainer.network.hidden[place]
        for parameter, old in zip(_incoming(hidden), self.before[place], strict=True):
            mask = units.view(*units.shape, *[1] * (old.dim() - 2))
            parameter.value.copy_(torch.where(mask, old, parameter.value))


@acts(ForbidByBias)
class Raising(Forbidden[ForbidByBias]):
    """Raises the bias of a dead unit until one example makes it active, layer after layer."""

    def after_step(self, losses: Tensor) -> None:
        before, self.dead = self.dead, self.inactive()
        if self.settings.placebo:
            for place in self.places:
                would = self.would_treat(place, before[place])
                living = self.at_random(~self.dead[place], would.sum(1), place, self.trainer.steps)
                self._raise(place, living, would)
        elif any(flags.any() for flags in self.dead):
            for place in self.places:
                # Anew: units of this layer may have been woken, or put to sleep, by those below.
                dead = inactive(self.trainer.network, self.trainer.examples, [place])[place]
                self._raise(place, dead, dead)

    def _raise(self, place: int, units: Tensor, dead: Tensor) -> None:
        """Raise the biases of ``units`` (K, U) by what the units ``dead`` (K, U) need, the first by what the first needs, and so on."""
        hidden = self.trainer.network.hidden[place]
        bias = (hidden.normalisation.shift if hidden.normalisation else hidden.affine.bias).value
        networks = dead.any(1).nonzero()[:, 0]
        if not len(networks):
            return
        needed = _needed(selected(self.trainer.network, networks), place, self.trainer.examples)
        for k, amounts in zip(networks.tolist(), needed, strict=True):
            raised = units[k].nonzero()[:, 0]
            bias[k, raised] += amounts[dead[k]][: len(raised)]


@acts(Renew)
class RenewingOnce(OnUnits[Renew]):
    """Gives units new incoming weights, and outgoing weights of 0."""

    def before_step(self) -> None:
        if self.trainer.steps != self.settings.step:
            return
        pairs = hidden_pairs(self.trainer.network)
        dead = self.inactive()
        for place in self.places:
            count = dead[place].sum(1)
            numbers = (count * self.settings.share).long().clamp(min=1).minimum(count)
            candidates = ~dead[place] if self.settings.placebo else dead[place]
            units = self.at_random(candidates, numbers, place, self.trainer.steps)
            self.renew(place, units)
            silence(pairs[place][1], units, self.trainer.optimiser)


def _incoming(hidden: Hidden) -> list[Parameter]:
    """The parameters of a hidden layer that have its units as their second axis."""
    normalisation = hidden.normalisation.parameters() if hidden.normalisation else []
    return [hidden.affine.weight, hidden.affine.bias, *normalisation]


def _needed(network: Network, place: int, examples: Tensor) -> Tensor:
    """By how much biases have to rise until one example (and position) makes a unit active: (K, U), of units that are dead."""
    bias = network.hidden[place].affine.bias.value
    highest, total, seen = torch.full_like(bias, -torch.inf), torch.zeros_like(bias), 0
    with network.evaluation():
        for x in examples.split(BATCH):
            for at, (hidden, z) in enumerate(network.trace(x)):
                if at == place:
                    assert hidden is not None, "it is a hidden layer"
                    by_unit, axis = hidden.by_unit(z)
                    highest, total = highest.maximum(by_unit.amax(axis)), total + by_unit.abs().sum(axis)
                    seen += by_unit.shape[axis]
                    break
    needed = ABOVE_ZERO * (total / seen).clamp(min=1e-6) - highest
    return needed.where(needed.isfinite(), 0.0)
