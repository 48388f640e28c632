"""ReLU made leaky and leaky ReLU made ReLU, in training."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor

from dying_relu.configuration.interventions import OfSlopes, SlopeAtSpike, SlopeAtStep
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.training.interventions.act import acts
from dying_relu.training.interventions.death import OnUnits

Settings = TypeVar("Settings", bound=OfSlopes)


class OnSlopes(OnUnits[Settings]):
    """Sets slopes, and takes them back."""

    def set_slopes(self, networks: Tensor) -> None:
        """Give some networks the other slope, and the rest their own.

        Args:
            networks: (K,) bool.
        """
        own = torch.tensor([run.slope or 0.0 for run in self.trainer.runs], device=self.trainer.device)
        for place in self.places:
            layer = self.trainer.network.hidden[place].activation
            slope = torch.where(networks, self.settings.slope, own)
            layer.slope.value.copy_(slope)
            # ReLU ignores the slope; where all are 0 it is faster, and the same.
            layer.activation = ACTIVATIONS["leaky_relu" if slope.any() else self.trainer.runs[0].activation]


@acts(SlopeAtStep)
class Bending(OnSlopes[SlopeAtStep]):
    """Gives all networks the other slope during some steps."""

    def begin(self) -> None:
        self._set(-1)

    def before_step(self) -> None:
        self._set(self.trainer.steps)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self._set(self.trainer.steps - 1)

    def _set(self, step: int) -> None:
        until = self.settings.until
        inside = step >= self.settings.step and (until is None or step < until)
        self.set_slopes(torch.full((len(self.trainer.runs),), inside, device=self.trainer.device))


@acts(SlopeAtSpike)
class BendingAtSpike(OnSlopes[SlopeAtSpike]):
    """Gives a network the other slope from its first spike on."""

    def begin(self) -> None:
        networks = len(self.trainer.runs)
        self.first_loss = torch.full((networks,), torch.nan, device=self.trainer.device)
        self.spiked = torch.zeros(networks, dtype=torch.bool, device=self.trainer.device)

    def after_step(self, losses: Tensor) -> None:
        if self.trainer.steps == 1:
            self.first_loss = losses.clone()
        spikes = losses > self.settings.spike * self.first_loss
        if (spikes & ~self.spiked).any():
            self.spiked = self.spiked | spikes
            self.set_slopes(self.spiked)

    def state(self) -> dict[str, Tensor]:
        return {"first_loss": self.first_loss, "spiked": self.spiked}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.first_loss, self.spiked = (
            state[name].to(self.trainer.device) for name in ("first_loss", "spiked")
        )
        self.set_slopes(self.spiked)
