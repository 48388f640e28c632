"""A model with three dead units that can be followed: its type, and how the units are killed."""

from typing import Any

import torch
from torch import Tensor, nn

NEVER = -1e4


def kill(bias: Tensor, units: list[int]) -> None:
    """Make some units dead, and all others of the layer alive."""
    with torch.no_grad():
        bias.fill_(9.0)
        bias[units] = NEVER


def parameters(*shapes: tuple[int, ...]) -> list[nn.Parameter]:
    return [nn.Parameter(torch.randn(shape) / 3) for shape in shapes]


Case = tuple[nn.Module, Any, str]
"""A model with three dead units, a batch, and the name of the layer with them."""
DEAD = [1, 3, 4]
DEAD_MEMBERS = [0, 13, 26]
"""Of an ensemble whose members have 12 units each."""
