"""What becomes of the units of a layer from one measurement to the next."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu import units


@dataclass(frozen=True)
class Lives:
    """The units of a layer at a measurement; every tensor is (units,) bool.

    Attributes:
        dead: now.
        always_dead: at this and every measurement before.
        died, revived: since the measurement before.
    """

    dead: Tensor
    always_dead: Tensor
    died: Tensor
    revived: Tensor


def lives_after(before: Lives | None, dead: Tensor) -> Lives:
    """The units at the measurement after ``before``.

    Nothing has happened yet at a layer's first measurement, nor at the first after it has got another number of units.

    >>> first = lives_after(None, torch.tensor([True, False, True]))
    >>> second = lives_after(first, torch.tensor([True, True, False]))
    >>> second.died.tolist(), second.revived.tolist(), second.always_dead.tolist()
    ([False, True, False], [False, False, True], [True, False, False])
    """
    if before is None or len(before.dead) != len(dead):
        nothing = torch.zeros_like(dead)
        return Lives(dead, dead, nothing, nothing)
    return Lives(
        dead,
        before.always_dead & dead,
        units.died(before.dead, dead),
        units.revived(before.dead, dead),
    )
