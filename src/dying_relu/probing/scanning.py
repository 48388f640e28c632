"""The statistics of one call of an activation, unit by unit.

ReLU's follow from its pre-activations alone, in one pass over memory and without a copy; any other activation's derivative comes
from autograd, so that it is the one that training sees.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from dying_relu.units import UnitStatistics

SIDE_BY_SIDE = 512
"""So many positions of a channel are reduced next to each other."""


def of_relu(
    z: Tensor, axis: int, at_zero: float = 0.0, before: UnitStatistics | None = None
) -> UnitStatistics:
    """Statistics of ReLU units.

    Args:
        z: pre-activations, the units on ``axis``, examples and positions on all others.
        axis: axis of the units.
        at_zero: the derivative at exactly 0: PyTorch's ReLU has 0 there, its ``clamp(min=0)`` 1.
        before: of earlier batches, to be added; on a CPU it is changed. One compiled call in place of many operations on small
            tensors, which cost more than the scan of a small layer.
    """
    z = _accurate(z)
    if z.device.type == "cpu":
        # A model whose precision changes from batch to batch is counted anew and merged.
        fits = before is not None and before.pre_activation_min.dtype == z.dtype
        found = before if before is not None and fits else _none_seen(z.shape[axis], z.dtype)
        _scan_on_cpu(found, z, axis, at_zero)
        return found if fits else _merged(before, found)
    low, high, total, active, level = _scan(z, axis)
    slope = torch.where(high == 0, at_zero, high.sign().clamp(min=0))
    found = UnitStatistics(
        pre_activation_min=low,
        pre_activation_max=high,
        activation_max=high.relu(),
        # NaN stays NaN, of which sign() would make 0.
        derivative_max=torch.where(high.isnan(), high, slope),
        activation_sum=_summed(total),
        active_count=_summed(active),
        count=z.numel() // z.shape[axis],
        pre_activation_sum=_summed(level),
    )
    return _merged(before, found)


def of_any(
    z: Tensor, axis: int, function: Callable[[Tensor], Tensor], before: UnitStatistics | None = None
) -> UnitStatistics:
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
    return _merged(before, found)


def _merged(before: UnitStatistics | None, found: UnitStatistics) -> UnitStatistics:
    return found if before is None else before.merge(found)


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


def _none_seen(units: int, dtype: torch.dtype) -> UnitStatistics:
    """Of no example, ready for :func:`_scan_on_cpu`."""
    return UnitStatistics(
        pre_activation_min=torch.full((units,), torch.inf, dtype=dtype),
        pre_activation_max=torch.full((units,), -torch.inf, dtype=dtype),
        activation_max=torch.zeros(units, dtype=dtype),
        derivative_max=torch.zeros(units, dtype=dtype),
        activation_sum=torch.zeros(units, dtype=torch.float64),
        active_count=torch.zeros(units, dtype=torch.float64),
        count=0,
        pre_activation_sum=torch.zeros(units, dtype=torch.float64),
    )


def _scan_on_cpu(seen: UnitStatistics, z: Tensor, axis: int, at_zero: float) -> None:
    """Add ``z`` to ``seen``, whose sum of pre-activations is known."""
    level = seen.pre_activation_sum
    assert level is not None
    axis %= z.dim()
    units = z.shape[axis]
    # Units side by side, as after a linear layer or in "channels last", are reduced row by row.
    rows = z if axis == z.dim() - 1 else z.movedim(axis, -1)
    running = (
        seen.pre_activation_min.numpy(),
        seen.pre_activation_max.numpy(),
        seen.activation_max.numpy(),
        seen.derivative_max.numpy(),
        seen.activation_sum.numpy(),
        seen.active_count.numpy(),
        level.numpy(),
    )
    if rows.is_contiguous():
        _scan_rows(rows.reshape(-1, units).numpy(), at_zero, *running)
    else:
        blocks = z.reshape(z.shape[:axis].numel(), units, z.shape[axis + 1 :].numel())
        _scan_blocks(blocks.contiguous().numpy(), at_zero, *running)
    seen.count += z.numel() // units


@njit(cache=True, nogil=True)
def _scan_rows(
    z: np.ndarray,
    at_zero: float,
    low: np.ndarray,
    high: np.ndarray,
    largest: np.ndarray,
    steepest: np.ndarray,
    total: np.ndarray,
    active: np.ndarray,
    level: np.ndarray,
) -> None:
    """Add a matrix, a unit a column, to the running statistics."""
    rows, units = z.shape
    found = _start(units, z.dtype)
    for row in range(rows):
        _reduce(z[row], found)
    for unit in range(units):
        _add(
            unit, found[0, unit], found[1, unit], found[2, unit], found[3, unit], found[4, unit], at_zero,
            low, high, largest, steepest, total, active, level,
        )  # fmt: skip


@njit(cache=True, nogil=True)
def _scan_blocks(
    z: np.ndarray,
    at_zero: float,
    low: np.ndarray,
    high: np.ndarray,
    largest: np.ndarray,
    steepest: np.ndarray,
    total: np.ndarray,
    active: np.ndarray,
    level: np.ndarray,
) -> None:
    """Add (examples, units, positions): some positions side by side fill the processor's vectors, and no more than its cache."""
    examples, units, positions = z.shape
    width = min(positions, SIDE_BY_SIDE)
    for unit in range(units):
        found = _start(width, z.dtype)
        for example in range(examples):
            for start in range(0, positions, width):
                _reduce(z[example, unit, start : start + width], found)
        _add(
            unit, found[0].min(), found[1].max(), found[2].astype(np.float64).sum(),
            found[3].astype(np.float64).sum(), found[4].astype(np.float64).sum(), at_zero,
            low, high, largest, steepest, total, active, level,
        )  # fmt: skip


@njit(inline="always")
def _start(width: int, dtype: Any) -> np.ndarray:
    """Minimum, maximum, sum of what is positive, its number, and the sum of all: of nothing."""
    found: np.ndarray = np.zeros((5, width), dtype)
    found[0], found[1] = np.inf, -np.inf
    return found


@njit(inline="always")
def _reduce(values: np.ndarray, found: np.ndarray) -> None:
    """Number by number; a NaN is kept by the sum alone, for which a comparison less is needed."""
    low, high, total, active, level = found[0], found[1], found[2], found[3], found[4]
    for n in range(len(values)):
        value = values[n]
        low[n] = value if value < low[n] else low[n]  # noqa: FURB136 (min() keeps NaN, and is not vectorised)
        high[n] = value if value > high[n] else high[n]  # noqa: FURB136
        total[n] += np.float32(0) if value <= 0 else value
        active[n] += np.float32(value > 0)
        level[n] += value


@njit(inline="always")
def _add(
    unit: int,
    smallest: float,
    greatest: float,
    positive: float,
    number: float,
    sum_of_all: float,
    at_zero: float,
    low: np.ndarray,
    high: np.ndarray,
    largest: np.ndarray,
    steepest: np.ndarray,
    total: np.ndarray,
    active: np.ndarray,
    level: np.ndarray,
) -> None:
    """Add a batch's minimum, maximum, sum and number to a unit's; one NaN makes all but the number NaN for good."""
    total[unit] += positive
    active[unit] += number
    level[unit] += sum_of_all
    if np.isnan(total[unit]):
        low[unit] = high[unit] = largest[unit] = steepest[unit] = np.nan
        return
    low[unit] = min(low[unit], smallest)
    high[unit] = max(high[unit], greatest)
    largest[unit] = max(high[unit], 0)
    steepest[unit] = 1 if high[unit] > 0 else at_zero if high[unit] == 0 else 0
