"""The statistics of one call of an activation, unit by unit.

ReLU's follow from its pre-activations alone, in one pass over memory and without a copy; any other activation's derivative comes
from autograd, so that it is the one that training sees.
"""

from collections.abc import Callable

import numpy as np
import torch
from numba import njit
from torch import Tensor

from dying_relu.units import UnitStatistics

TILE = 2048
"""So many positions are reduced side by side: their five results stay in the processor's first cache."""


def of_relu(z: Tensor, axis: int) -> UnitStatistics:
    """Statistics of ReLU units.

    Args:
        z: pre-activations, the units on ``axis``, examples and positions on all others.
        axis: axis of the units.
    """
    z = _accurate(z)
    on_cpu = z.device.type == "cpu"
    low, high, total, active, level = _scan_on_cpu(z, axis) if on_cpu else _scan(z, axis)
    return UnitStatistics(
        pre_activation_min=low,
        pre_activation_max=high,
        activation_max=high.relu(),
        # NaN stays NaN, of which sign() would make 0.
        derivative_max=torch.where(high.isnan(), high, high.sign().clamp(min=0)),
        activation_sum=_summed(total),
        active_count=_summed(active),
        count=z.numel() // z.shape[axis],
        pre_activation_sum=_summed(level),
    )


def of_any(z: Tensor, axis: int, function: Callable[[Tensor], Tensor]) -> UnitStatistics:
    """Statistics of the units of an element-wise ``function``; other arguments as for :func:`of_relu`."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = _accurate(z.detach()).clone().requires_grad_()
        # A clone, since the function may work in place.
        activation = function(leaf.clone())
        (derivative,) = torch.autograd.grad(activation, leaf, torch.ones_like(activation))
    z, values, slopes = (by_unit(tensor.detach(), axis) for tensor in (leaf, activation, derivative))
    found = UnitStatistics.of(z, values, slopes, axis=-2)
    found.activation_sum = _summed(found.activation_sum)
    found.active_count = _summed(found.active_count)
    found.pre_activation_sum = _summed(z.sum(0))
    return found


def by_unit(z: Tensor, axis: int) -> Tensor:
    """(examples and positions, units)."""
    return z.movedim(axis, -1).flatten(0, -2) if z.dim() > 1 else z[None]


def _accurate(z: Tensor) -> Tensor:
    """Float32 for what is narrower."""
    z = z.detach()
    return z if z.dtype in (torch.float32, torch.float64) else z.float()


def _summed(total: Tensor) -> Tensor:
    """A batch's sum, ready to be added to those of many: counts above 2^24 are not exact in float32."""
    return total if total.device.type == "mps" else total.double()


def _scan(z: Tensor, axis: int) -> tuple[Tensor, ...]:
    others = tuple(other for other in range(z.dim()) if other != axis % z.dim())
    return z.amin(others), z.amax(others), z.relu().sum(others), (z > 0).sum(others), z.sum(others)


def _scan_on_cpu(z: Tensor, axis: int) -> tuple[Tensor, ...]:
    axis %= z.dim()
    # (examples, units, positions), a view where memory allows.
    blocks = z.reshape(z.shape[:axis].numel(), z.shape[axis], z.shape[axis + 1 :].numel())
    scan = _scan_rows if blocks.shape[2] == 1 else _scan_blocks
    shown = blocks[:, :, 0] if blocks.shape[2] == 1 else blocks
    found = np.zeros((5, blocks.shape[1]), np.float64 if blocks.dtype == torch.float64 else np.float32)
    found[0], found[1] = np.inf, -np.inf
    scan(shown.numpy(), *found)
    return torch.from_numpy(found).unbind()


@njit(cache=True)
def _scan_rows(
    z: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    total: np.ndarray,
    active: np.ndarray,
    level: np.ndarray,
) -> None:
    """Reduce the rows of a matrix, a unit a column; a NaN is kept, and differs from itself."""
    rows, columns = z.shape
    for row in range(rows):
        for column in range(columns):
            value = z[row, column]
            low[column] = value if value < low[column] or value != value else low[column]
            high[column] = value if value > high[column] or value != value else high[column]
            total[column] += value if value > 0 or value != value else np.float32(0)
            active[column] += np.float32(value > 0)
            level[column] += value


@njit(cache=True)
def _scan_blocks(
    z: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    total: np.ndarray,
    active: np.ndarray,
    level: np.ndarray,
) -> None:
    """Reduce (examples, units, positions), unit by unit: the positions side by side fill the processor's vectors."""
    positions = z.shape[2]
    for unit in range(z.shape[1]):
        found = np.zeros((5, min(TILE, positions)), z.dtype)
        found[0], found[1] = np.inf, -np.inf
        for start in range(0, positions, TILE):
            tile = z[:, unit, start : start + TILE]
            here = found[:, : tile.shape[1]]
            _scan_rows(tile, here[0], here[1], here[2], here[3], here[4])
        low[unit] = found[0].min()
        high[unit] = found[1].max()
        total[unit] = found[2].sum()
        active[unit] = found[3].sum()
        level[unit] = found[4].sum()
        # A sum keeps a NaN, which a minimum need not.
        if total[unit] != total[unit]:
            low[unit], high[unit] = np.nan, np.nan
