"""Units removed for good: no weight comes in, there is no bias, no weight reads them; so they output 0 and no gradient reaches them."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor

from dying_relu.configuration.interventions import Damage, Kill
from dying_relu.training.interventions.act import acts
from dying_relu.training.interventions.counting import Marked, active_shares, inactive
from dying_relu.training.interventions.death import OnUnits
from dying_relu.training.interventions.rates import other
from dying_relu.training.learning_rate import learning_rates
from dying_relu.training.renewal import fill, hidden_pairs, silence

Settings = TypeVar("Settings", Kill, Damage)


class Removal(OnUnits[Settings]):
    """Removes units, and keeps them removed."""

    removed: dict[int, Tensor]

    def remove(self, place: int, units: Tensor) -> None:
        """Remove units of a hidden layer.

        Args:
            place: of the layer.
            units: (K, U) bool.
        """
        trainer = self.trainer
        hidden, (layer, following) = trainer.network.hidden[place], hidden_pairs(trainer.network)[place]
        parameters = [layer.weight, layer.bias]
        parameters += hidden.normalisation.parameters() if hidden.normalisation else []
        for parameter in parameters:
            fill(parameter, units, 0.0, trainer.optimiser)
        silence(following, units, trainer.optimiser)
        self.removed[place] = self.removed[place] | units if place in self.removed else units

    def after_step(self, losses: Tensor) -> None:
        # Where a shift follows the activation, the next layer gets a number from a unit that is silent, and learns to read it.
        if self.trainer.network.centrings:
            for place, units in self.removed.items():
                silence(hidden_pairs(self.trainer.network)[place][1], units, self.trainer.optimiser)

    def state(self) -> dict[str, Tensor]:
        return {f"removed{place}": units for place, units in self.removed.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        flags = {
            name: units.to(self.trainer.device) for name, units in state.items() if name.startswith("removed")
        }
        self.removed = {int(name.removeprefix("removed")): units for name, units in flags.items()}


@acts(Kill)
class Killing(Removal[Kill]):
    """Removes units at random, at a step or at the first spike of the loss."""

    def begin(self) -> None:
        networks = len(self.trainer.runs)
        self.removed = {}
        self.first_loss = torch.full((networks,), torch.nan, device=self.trainer.device)
        self.spiked = torch.zeros(networks, dtype=torch.bool, device=self.trainer.device)
        if self.settings.step == 0:
            self._kill(~self.spiked)

    def before_step(self) -> None:
        if self.settings.step and self.trainer.steps == self.settings.step:
            self._kill(~self.spiked)

    def after_step(self, losses: Tensor) -> None:
        super().after_step(losses)
        if self.settings.spike is not None:
            if self.trainer.steps == 1:
                self.first_loss = losses.clone()
            spikes = (losses > self.settings.spike * self.first_loss) & ~self.spiked
            if spikes.any():
                self.spiked |= spikes
                self._kill(spikes)

    def _kill(self, networks: Tensor) -> None:
        """Remove units of some networks, (K,) bool."""
        for place in self.places:
            units = self.trainer.network.hidden[place].affine.bias.value.shape[1]
            number = self.settings.number or round((self.settings.share or 0.0) * units)
            everyone = torch.ones(len(networks), units, dtype=torch.bool, device=self.trainer.device)
            # The same units at whatever step.
            chosen = self.at_random(everyone, networks * number, place)
            self.remove(place, chosen)

    def state(self) -> dict[str, Tensor]:
        return super().state() | {"first_loss": self.first_loss, "spiked": self.spiked}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        super().restore(state)
        self.first_loss, self.spiked = (
            state[name].to(self.trainer.device) for name in ("first_loss", "spiked")
        )


@acts(Damage)
class Damaging(Removal[Damage]):
    """Trains the networks at another rate, rewinds them to their initial weights, and removes what died.

    A network that overflows on the way loses nothing.
    """

    def begin(self) -> None:
        trainer, settings = self.trainer, self.settings
        self.removed = {}
        if settings.remove == "none":
            return
        born_dead = self.inactive()
        first = active_shares(trainer.network, trainer.examples)
        saved = [tensor.clone() for tensor in trainer.network.state()]
        rates = other(settings, learning_rates(trainer.runs, trainer.device))
        optimiser, minibatches = trainer.new_optimiser(rates), trainer.new_minibatches()
        for _ in range(settings.steps):
            trainer.update(next(minibatches), optimiser)
        marked = self._marked(born_dead, first)
        for tensor, before in zip(trainer.network.state(), saved, strict=True):
            tensor.copy_(before)
        for place in self.places:
            units = marked[place]
            if settings.placebo:
                units = self.at_random(torch.ones_like(units), units.sum(1), place)
            self.remove(place, units)

    def _marked(self, born_dead: Marked, first: list[Tensor]) -> Marked:
        """The units that the damaged networks have lost; ``first`` are the shares on which each was active at the start."""
        trainer = self.trainer
        trainer.settle_means()
        dead = inactive(trainer.network, trainer.examples, self.places)
        marked = [flags & ~born for flags, born in zip(dead, born_dead, strict=True)]
        if self.settings.remove == "nearly_dead":
            shares = active_shares(trainer.network, trainer.examples)
            below = self.settings.below
            marked = [
                flags | ((share > 0) & (share < below) & (before >= below))
                for flags, share, before in zip(marked, shares, first, strict=True)
            ]
        return marked
