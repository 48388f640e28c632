"""The history of a layer's units from measurement to measurement."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.units import definitions


@dataclass(frozen=True)
class UnitHistory:
    """The history of a layer's units up to a measurement; every tensor is (units,).

    Attributes:
        dead: now (bool).
        always_dead: at this and every measurement before (bool).
        died: since the measurement before (bool).
        revived: since the measurement before (bool).
        last_alive: the step of the last measurement at which it was alive; -1 if it never was.
        dead_since: the step of the first measurement of its present death; -1 if it is alive.
    """

    dead: Tensor
    always_dead: Tensor
    died: Tensor
    revived: Tensor
    last_alive: Tensor
    dead_since: Tensor


def extended(before: UnitHistory | None, dead: Tensor, step: int) -> UnitHistory:
    """Extend a history by a measurement.

    Nothing has happened yet at a layer's first measurement, nor at the first after it has got another number of units.

    Args:
        before: the history up to the measurement before; None at the first.
        dead: (units,) bool, at this measurement.
        step: of the training, at which it was made.

    >>> first = extended(None, torch.tensor([True, False, True]), 0)
    >>> second = extended(first, torch.tensor([True, True, False]), 10)
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
        return UnitHistory(
            dead, dead, nothing, nothing, torch.where(dead, never, now), torch.where(dead, now, never)
        )
    since = torch.where(before.dead, before.dead_since, now)
    return UnitHistory(
        dead,
        before.always_dead & dead,
        definitions.died(before.dead, dead),
        definitions.revived(before.dead, dead),
        torch.where(dead, before.last_alive, now),
        torch.where(dead, since, never),
    )
