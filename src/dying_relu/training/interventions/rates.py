"""Learning rates that change in training."""

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from dying_relu.configuration.interventions import Burst, Cosine, OtherRate, Ramp, Switch
from dying_relu.training.interventions.act import Act, acts


def other(settings: OtherRate, rates: Tensor) -> Tensor:
    """The other learning rate of an intervention.

    Args:
        settings: with a rate, or a multiple of the network's own.
        rates: (K,) the networks' own.

    Returns:
        (K,).
    """
    if settings.rate is not None:
        return torch.full_like(rates, settings.rate)
    assert settings.factor is not None, "one of both is given"
    return rates * settings.factor


class _Rates(Act[Any]):
    changes_rates: ClassVar[bool] = True


@acts(Switch)
class Switching(_Rates):
    """Gives networks another rate on one side of a step."""

    settings: Switch

    def rates(self, step: int, rates: Tensor) -> Tensor:
        after = step >= self.settings.step
        return other(self.settings, rates) if after == (self.settings.side == "after") else rates


@acts(Burst)
class Bursting(_Rates):
    """Gives networks another rate outside of some steps, or in them."""

    settings: Burst

    def rates(self, step: int, rates: Tensor) -> Tensor:
        inside = self.settings.start <= step < self.settings.start + self.settings.steps
        return other(self.settings, rates) if inside == (self.settings.side == "inside") else rates


@acts(Ramp)
class Rising(_Rates):
    """Raises the rates in a straight line to the networks' own."""

    settings: Ramp

    def rates(self, step: int, rates: Tensor) -> Tensor:
        part = min(max((step + 1 - self.settings.start) / self.settings.steps, 0.0), 1.0)
        return rates * (self.settings.factor + (1 - self.settings.factor) * part)


@acts(Cosine)
class Falling(_Rates):
    """Lowers the rates along half a cosine; the last update has the last but one of its points, which is not zero."""

    settings: Cosine

    def rates(self, step: int, rates: Tensor) -> Tensor:
        part = (1 + math.cos(math.pi * step / self.trainer.total_steps)) / 2
        return rates * (self.settings.factor + (1 - self.settings.factor) * part)
