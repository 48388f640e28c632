"""ReLU's pre-activations on a CPU, in one pass over memory.

Compiled, since a pass over memory for each of minimum, maximum and sums costs as much as a convolution.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from dying_relu.units.definitions import UnitStatistics

SIDE_BY_SIDE = 512
"""So many positions of a channel are reduced next to each other."""

SUMMED_NARROW = 256
"""So many numbers are summed in the precision of the pre-activations before the sum goes into one in float64."""

WORTH_A_THREAD = 1 << 20
"""Fewer numbers are scanned before another thread has started."""


def none_seen(units: int, dtype: torch.dtype) -> UnitStatistics:
    """Of no example, ready for :func:`scan_on_cpu`."""
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


def scan_on_cpu(seen: UnitStatistics, z: Tensor, axis: int, at_zero: float) -> None:
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
        scan = partial(_scan_rows, rows.reshape(-1, units).numpy(), at_zero)
    else:
        blocks = z.reshape(z.shape[:axis].numel(), units, z.shape[axis + 1 :].numel())
        scan = partial(_scan_blocks, blocks.contiguous().numpy(), at_zero)
    _in_threads(scan, units, z.numel(), running)
    seen.count += z.numel() // units


def _in_threads(scan: Callable[..., None], units: int, numbers: int, running: tuple[np.ndarray, ...]) -> None:
    """Each thread has units of its own, so that none waits for another and sums do not depend on their number."""
    threads = max(1, min(torch.get_num_threads(), units, numbers // WORTH_A_THREAD))
    if threads == 1:
        scan(0, units, *running)
        return
    bounds = pairwise(units * thread // threads for thread in range(threads + 1))
    with ThreadPoolExecutor(threads) as pool:
        for share in [pool.submit(scan, *bound, *running) for bound in bounds]:
            share.result()


@njit(cache=True, nogil=True)
def _scan_rows(
    z: np.ndarray,
    at_zero: float,
    first: int,
    last: int,
    low: np.ndarray,
    high: np.ndarray,
    largest: np.ndarray,
    steepest: np.ndarray,
    total: np.ndarray,
    active: np.ndarray,
    level: np.ndarray,
) -> None:
    """Add the columns from ``first`` to before ``last`` of a matrix, a unit a column, to the running statistics."""
    for start in range(0, len(z), SUMMED_NARROW):
        found = _start(last - first, z.dtype)
        for row in range(start, min(start + SUMMED_NARROW, len(z))):
            _reduce(z[row, first:last], found)
        for unit in range(first, last):
            of = unit - first
            _add(
                unit, found[0, of], found[1, of], found[2, of], found[3, of], found[4, of], at_zero,
                low, high, largest, steepest, total, active, level,
            )  # fmt: skip


@njit(cache=True, nogil=True)
def _scan_blocks(
    z: np.ndarray,
    at_zero: float,
    first: int,
    last: int,
    low: np.ndarray,
    high: np.ndarray,
    largest: np.ndarray,
    steepest: np.ndarray,
    total: np.ndarray,
    active: np.ndarray,
    level: np.ndarray,
) -> None:
    """Add those units of (examples, units, positions).

    Some positions side by side fill the processor's vectors, and no more than its cache.
    """
    examples, _, positions = z.shape
    width = min(positions, SIDE_BY_SIDE)
    together = max(1, SUMMED_NARROW * width // max(1, positions))
    for unit in range(first, last):
        for begin in range(0, examples, together):
            found = _start(width, z.dtype)
            for example in range(begin, min(begin + together, examples)):
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
