"""The fate of the units of a layer from one measurement to the next."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.units import definitions


@dataclass(frozen=True)
class Lives:
    """The units of a layer at a measurement; every tensor has an entry for each unit.

    Attributes:
        dead: now (bool).
        always_dead: at this and every measurement before (bool).
        died, revived: since the measurement before (bool).
        last_alive: the step of the last measurement at which it was alive; -1 if it never was.
        dead_since: the step of the first measurement of its present death; -1 if it is alive.
    """

    dead: Tensor
    always_dead: Tensor
    died: Tensor
    revived: Tensor
    last_alive: Tensor
    dead_since: Tensor


def lives_after(before: Lives | None, dead: Tensor, step: int) -> Lives:
    """Follow the units of a layer to the next measurement.

    Args:
        before: the units at the measurement before; None at the first.
        dead: (units,) bool, now.
        step: at which it is measured.

    Nothing has happened yet at a layer's first measurement, nor at the first after it has got another number of units.

    >>> first = lives_after(None, torch.tensor([True, False, True]), 0)
    >>> second = lives_after(first, torch.tensor([True, True, False]), 10)
    >>> second.died.tolist(), second.revived.tolist(), second.always_dead.tolist()
    ([False, True, False], [False, False, True], [True, False, False])
    >>> second.last_alive.tolist(), second.dead_since.tolist()
    ([-1, 0, 10], [0, 10, -1])
    """
    never, now = (
        torch.full(dead.shape, -1, device=dead.device),
        torch.full(dead.shape, step, device=dead.device),
    )
    if before is None or len(before.dead) != len(dead):
        nothing = torch.zeros_like(dead)
        return Lives(
            dead, dead, nothing, nothing, torch.where(dead, never, now), torch.where(dead, now, never)
        )
    since = torch.where(before.dead, before.dead_since, now)
    return Lives(
        dead,
        before.always_dead & dead,
        definitions.died(before.dead, dead),
        definitions.revived(before.dead, dead),
        torch.where(dead, before.last_alive, now),
        torch.where(dead, since, never),
    )
