"""The compiled loops that add numbers to running moments, and sum them; importing this module imports numba."""

from typing import Any

import numpy as np
from numba import njit

from dying_relu.units.block_sizes import SUMMED_NARROW

LANES = 64
"""So many numbers of a row are compared side by side, which fills the processor's vectors."""


@njit(inline="always")
def _lower(one: float, other: float) -> float:
    # min() and max() keep NaN, and are not vectorised.
    return one if one < other else other  # noqa: FURB136


@njit(inline="always")
def _higher(one: float, other: float) -> float:
    return one if one > other else other  # noqa: FURB136


@njit(inline="always")
def _above(value: Any) -> Any:
    return np.float32(0) if value <= 0 else value


@njit(inline="always")
def _add_moments(z: np.ndarray, moments: np.ndarray) -> None:
    """Add a row of numbers to six running moments, each as long as the row; NaN is kept by the sums alone."""
    low, high, positive, total, square, active = moments
    for n in range(len(z)):
        value = z[n]
        low[n], high[n] = _lower(value, low[n]), _higher(value, high[n])
        positive[n] += _above(value)
        total[n] += value
        square[n] += value * value
        active[n] += np.float32(value > 0)


@njit(inline="always")
def _add_moments_of_four(
    z0: np.ndarray, z1: np.ndarray, z2: np.ndarray, z3: np.ndarray, moments: np.ndarray
) -> None:
    """Add four rows at once, since to read and write the moments takes longer than to compute them."""
    low, high, positive, total, square, active = moments
    for n in range(len(z0)):
        a, b, c, d = z0[n], z1[n], z2[n], z3[n]
        low[n] = _lower(_lower(_lower(a, b), _lower(c, d)), low[n])
        high[n] = _higher(_higher(_higher(a, b), _higher(c, d)), high[n])
        positive[n] += (_above(a) + _above(b)) + (_above(c) + _above(d))
        total[n] += (a + b) + (c + d)
        square[n] += (a * a + b * b) + (c * c + d * d)
        active[n] += (np.float32(a > 0) + np.float32(b > 0)) + (np.float32(c > 0) + np.float32(d > 0))


@njit(inline="always")
def _begin(lanes: np.ndarray) -> None:
    lanes[0], lanes[1], lanes[2:] = np.inf, -np.inf, 0


@njit(cache=True)
def moments_of_columns(z: np.ndarray, fields: np.ndarray) -> None:
    """Add every matrix of a stack, reduced over its rows, to running moments.

    Args:
        z: (stack, rows, columns) pre-activations.
        fields: (6, stack, columns) float64, changed in place: in the order of :class:`~dying_relu.units.reductions.Moments`.
    """
    lanes = np.empty((6, z.shape[2]), z.dtype)
    for n in range(len(z)):
        for start in range(0, z.shape[1], SUMMED_NARROW):
            _begin(lanes)
            end = min(start + SUMMED_NARROW, z.shape[1])
            for row in range(start, end - 3, 4):
                _add_moments_of_four(z[n, row], z[n, row + 1], z[n, row + 2], z[n, row + 3], lanes)
            for row in range(end - (end - start) % 4, end):
                _add_moments(z[n, row], lanes)
            for column in range(z.shape[2]):
                fields[0, n, column] = min(fields[0, n, column], lanes[0, column])
                fields[1, n, column] = max(fields[1, n, column], lanes[1, column])
                for field in range(2, 6):
                    fields[field, n, column] += lanes[field, column]


@njit(cache=True)
def moments_of_rows(z: np.ndarray, fields: np.ndarray) -> None:
    """Add every row of a matrix, reduced, to running moments.

    Args:
        z: (rows, columns) pre-activations.
        fields: (6, rows) float64, changed in place: in the order of :class:`~dying_relu.units.reductions.Moments`.
    """
    lanes = np.empty((4, LANES), z.dtype)
    for row in range(len(z)):
        low, high = _extremes_of_row(z[row], lanes)
        fields[0, row] = min(fields[0, row], low)
        fields[1, row] = max(fields[1, row], high)
        for start in range(0, z.shape[1], SUMMED_NARROW):
            positive, total, square, active = _sums_of_row(z[row, start : start + SUMMED_NARROW], lanes)
            fields[2, row] += positive
            fields[3, row] += total
            fields[4, row] += square
            fields[5, row] += active


@njit(cache=True)
def _extremes_of_row(z: np.ndarray, lanes: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest number; NaN, which the sums keep, is passed over.

    Args:
        z: the row.
        lanes: (4, LANES) scratch memory, of which two rows are used.
    """
    low, high = lanes[0], lanes[1]
    for lane in range(LANES):
        low[lane] = np.inf
        high[lane] = -np.inf
    whole = len(z) - len(z) % LANES
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            value = z[start + lane]
            low[lane] = value if value < low[lane] else low[lane]  # noqa: FURB136
            high[lane] = value if value > high[lane] else high[lane]  # noqa: FURB136
    lowest, highest = low[0], high[0]
    for lane in range(LANES):
        lowest, highest = _lower(low[lane], lowest), _higher(high[lane], highest)
    for n in range(whole, len(z)):
        lowest, highest = _lower(z[n], lowest), _higher(z[n], highest)
    return lowest, highest


# The order of the sums is written here, not left to the compiler: a process that loads this from numba's cache must get the bits of the one
# that compiled it.
@njit(cache=True)
def _sums_of_row(z: np.ndarray, lanes: np.ndarray) -> tuple[float, float, float, float]:
    """The sum of positive numbers, of all and of their squares, and how many are positive.

    Args:
        z: the row.
        lanes: (4, LANES) scratch memory.
    """
    zero = z.dtype.type(0)
    positive, total, square, active = lanes[0], lanes[1], lanes[2], lanes[3]
    for lane in range(LANES):
        positive[lane] = total[lane] = square[lane] = active[lane] = zero
    whole = len(z) - len(z) % LANES
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            value = z[start + lane]
            positive[lane] += _above(value)
            total[lane] += value
            square[lane] += value * value
            active[lane] += np.float32(value > 0)
    for n in range(whole, len(z)):
        value = z[n]
        positive[n - whole] += _above(value)
        total[n - whole] += value
        square[n - whole] += value * value
        active[n - whole] += np.float32(value > 0)
    sums = zero, zero, zero, zero
    for lane in range(LANES):
        sums = (
            sums[0] + positive[lane],
            sums[1] + total[lane],
            sums[2] + square[lane],
            sums[3] + active[lane],
        )
    return sums


@njit(cache=True)
def sums_of_columns(x: np.ndarray, total: np.ndarray, square: np.ndarray) -> None:
    """Sum every matrix of a stack over its rows.

    Args:
        x: (stack, rows, columns).
        total: (stack, columns) float64, overwritten by the sums.
        square: (stack, columns) float64, overwritten by the sums of squares.
    """
    total[:], square[:] = 0, 0
    for n in range(len(x)):
        for row in range(x.shape[1]):
            for column in range(x.shape[2]):
                value = np.float64(x[n, row, column])
                total[n, column] += value
                square[n, column] += value * value
