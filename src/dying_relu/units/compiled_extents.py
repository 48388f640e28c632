"""The compiled scan of numbers that belong to no unit, such as inputs; importing this module imports numba."""

import numpy as np
from numba import njit

from dying_relu.units.block_sizes import NUMBERS_SIDE_BY_SIDE, SUMMED_NARROW


@njit(cache=True, nogil=True)
def scan_numbers(x: np.ndarray) -> tuple[float, float, float, float]:
    """Reduce numbers in one pass over memory.

    Args:
        x: (numbers,) float32 or float64, contiguous.

    Returns:
        Their sum, the sum of their squares, the smallest and the largest. One that is not finite is kept by the sums alone.
    """
    width = NUMBERS_SIDE_BY_SIDE
    fields = np.empty((4, width), x.dtype)
    low, high, total, squares = fields[0], fields[1], fields[2], fields[3]
    low[:], high[:] = np.inf, -np.inf
    rows = len(x) // width
    sum_of_all, sum_of_squares = 0.0, 0.0
    for begin in range(0, rows, SUMMED_NARROW):
        total[:], squares[:] = 0, 0
        row, end = begin, min(begin + SUMMED_NARROW, rows)
        while row + 4 <= end:
            _add_four_rows(x[row * width : (row + 4) * width], low, high, total, squares)
            row += 4
        while row < end:
            _add_row(x[row * width : (row + 1) * width], low, high, total, squares)
            row += 1
        for n in range(width):
            sum_of_all += total[n]
            sum_of_squares += squares[n]
    smallest, largest = low.min(), high.max()
    for n in range(rows * width, len(x)):
        smallest, largest = min(smallest, x[n]), max(largest, x[n])
        sum_of_all += x[n]
        sum_of_squares += np.float64(x[n]) * x[n]
    return sum_of_all, sum_of_squares, smallest, largest


@njit(inline="always")
def _add_row(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, total: np.ndarray, squares: np.ndarray
) -> None:
    for n in range(len(x)):
        value = x[n]
        # min() and max() keep NaN, and are not vectorised.
        low[n] = value if value < low[n] else low[n]  # noqa: FURB136
        high[n] = value if value > high[n] else high[n]  # noqa: FURB136
        total[n] += value
        squares[n] += value * value


@njit(inline="always")
def _add_four_rows(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, total: np.ndarray, squares: np.ndarray
) -> None:
    """Add four rows that lie behind one another: reading and writing the fields takes most of the time."""
    width = len(low)
    first, second, third, fourth = x[:width], x[width : 2 * width], x[2 * width : 3 * width], x[3 * width :]
    for n in range(width):
        a, b, c, d = first[n], second[n], third[n], fourth[n]
        below, above = (a, b) if a < b else (b, a)
        under, over = (c, d) if c < d else (d, c)
        below, above = below if below < under else under, above if above > over else over  # noqa: FURB136
        low[n] = below if below < low[n] else low[n]  # noqa: FURB136
        high[n] = above if above > high[n] else high[n]  # noqa: FURB136
        total[n] += (a + b) + (c + d)
        squares[n] += (a * a + b * b) + (c * c + d * d)
