"""The compiled loops of :mod:`dying_relu.units.reductions`; importing this module imports numba.

Every number is read by one loop, over a row: :func:`_row_loop`. It is compiled twice, since ReLU's activation and derivative follow
from its pre-activations and need not be read.
"""

from typing import Any

import numpy as np
from numba import njit

SUMMED_NARROW = 256
"""So many numbers are summed in the precision of the pre-activations before the sum goes into one in float64."""

POSITIONS_SIDE_BY_SIDE = 512
"""So many positions of a channel are reduced next to each other."""


def _row_loop(relu: bool) -> Any:
    """Compile the loop that adds a row of numbers to running fields, each as long as the row.

    Args:
        relu: the activation is ReLU: then ``activation``, ``derivative``, ``largest`` and ``steepest`` are not read and may be anything,
            and NaN is kept by the sums alone, for which a comparison less is needed. For any other activation ``level`` is not read.
    """

    @njit(inline="always")
    def add_row(
        z: np.ndarray,
        activation: Any,
        derivative: Any,
        low: np.ndarray,
        high: np.ndarray,
        largest: Any,
        steepest: Any,
        total: np.ndarray,
        active: np.ndarray,
        level: Any,
    ) -> None:
        for n in range(len(z)):
            value = z[n]
            if relu:
                # min() and max() keep NaN, and are not vectorised.
                low[n] = value if value < low[n] else low[n]  # noqa: FURB136
                high[n] = value if value > high[n] else high[n]  # noqa: FURB136
                total[n] += np.float32(0) if value <= 0 else value
                active[n] += np.float32(value > 0)
                level[n] += value
            else:
                # A NaN differs from itself.
                magnitude, slope = abs(activation[n]), abs(derivative[n])
                low[n] = value if value < low[n] or value != value else low[n]
                high[n] = value if value > high[n] or value != value else high[n]
                largest[n] = magnitude if magnitude > largest[n] or magnitude != magnitude else largest[n]
                steepest[n] = slope if slope > steepest[n] or slope != slope else steepest[n]
                total[n] += magnitude
                active[n] += np.float32(value > 0)

    return add_row


_add_row = _row_loop(relu=False)
_add_relu_row = _row_loop(relu=True)


@njit(cache=True)
def scan_stack(z: np.ndarray, activation: np.ndarray, derivative: np.ndarray, fields: np.ndarray) -> None:
    """Reduce every matrix of a stack over its rows.

    Args:
        z: (stack, rows, columns) pre-activations.
        activation: f(z), same shape.
        derivative: f'(z), same shape.
        fields: (6, stack, columns), overwritten: in the order of :class:`~dying_relu.units.reductions.Reduced`.
    """
    fields[0], fields[1], fields[2:] = np.inf, -np.inf, 0
    for n in range(len(z)):
        low, high, largest = fields[0, n], fields[1, n], fields[2, n]
        steepest, total, active = fields[3, n], fields[4, n], fields[5, n]
        for row in range(z.shape[1]):
            _add_row(
                z[n, row], activation[n, row], derivative[n, row],
                low, high, largest, steepest, total, active, None,
            )  # fmt: skip


@njit(cache=True, nogil=True)
def scan_columns(
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
    hit: np.ndarray,
    inner: int,
) -> None:
    """Add a batch to the running fields of ReLU units side by side, as after a linear layer.

    Args:
        z: (rows, units) pre-activations, a row an example and position.
        at_zero: the derivative at exactly 0.
        first: the first unit to reduce; other threads reduce others.
        last: the unit behind the last one to reduce.
        low: (units,) smallest pre-activation; this field and the following ones are changed in place.
        high: (units,) largest pre-activation.
        largest: (units,) largest activation.
        steepest: (units,) largest derivative.
        total: (units,) float64, sum of activations.
        active: (units,) float64, count of positive pre-activations.
        level: (units,) float64, sum of pre-activations.
        hit: (examples, units) bool as uint8, set to 1 where a pre-activation of the example is positive.
        inner: so many rows after one another are of one example; then comes the next, and after the last the first again.
    """
    for start in range(0, len(z), SUMMED_NARROW):
        batch = _start(last - first, z.dtype)
        for row in range(start, min(start + SUMMED_NARROW, len(z))):
            _add_relu_row(
                z[row, first:last], None, None,
                batch[0], batch[1], None, None, batch[2], batch[3], batch[4],
            )  # fmt: skip
            example = (row // inner) % len(hit)
            for unit in range(first, last):
                hit[example, unit] |= np.uint8(z[row, unit] > 0)
        for unit in range(first, last):
            of = unit - first
            _add(
                unit, batch[0, of], batch[1, of], batch[2, of], batch[3, of], batch[4, of], at_zero,
                low, high, largest, steepest, total, active, level,
            )  # fmt: skip


@njit(cache=True, nogil=True)
def scan_blocks(
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
    hit: np.ndarray,
    inner: int,
) -> None:
    """Add a batch to the running fields of ReLU units whose positions lie side by side, as after a convolution.

    Some positions next to each other fill the processor's vectors, and no more than its cache.

    Args:
        z: (examples, units, positions) pre-activations.
        at_zero: the derivative at exactly 0.
        first: the first unit to reduce; other threads reduce others.
        last: the unit behind the last one to reduce.
        low: (units,) smallest pre-activation; this field and the following ones are changed in place.
        high: (units,) largest pre-activation.
        largest: (units,) largest activation.
        steepest: (units,) largest derivative.
        total: (units,) float64, sum of activations.
        active: (units,) float64, count of positive pre-activations.
        level: (units,) float64, sum of pre-activations.
        hit: (examples, units) bool as uint8, set to 1 where a pre-activation of the example is positive.
        inner: so many rows after one another are of one example; then comes the next, and after the last the first again.
    """
    examples, _, positions = z.shape
    width = min(positions, POSITIONS_SIDE_BY_SIDE)
    together = max(1, SUMMED_NARROW * width // max(1, positions))
    for unit in range(first, last):
        for begin in range(0, examples, together):
            batch = _start(width, z.dtype)
            for example in range(begin, min(begin + together, examples)):
                for start in range(0, positions, width):
                    _add_relu_row(
                        z[example, unit, start : start + width], None, None,
                        batch[0], batch[1], None, None, batch[2], batch[3], batch[4],
                    )  # fmt: skip
                positive = np.int32(0)
                for position in range(positions):
                    positive += np.int32(z[example, unit, position] > 0)
                hit[(example // inner) % len(hit), unit] |= np.uint8(positive > 0)
            _add(
                unit, batch[0].min(), batch[1].max(), batch[2].astype(np.float64).sum(),
                batch[3].astype(np.float64).sum(), batch[4].astype(np.float64).sum(), at_zero,
                low, high, largest, steepest, total, active, level,
            )  # fmt: skip


@njit(inline="always")
def _start(width: int, dtype: Any) -> np.ndarray:
    """Minimum, maximum, sum of what is positive, its number, and the sum of all: of nothing."""
    fields: np.ndarray = np.zeros((5, width), dtype)
    fields[0], fields[1] = np.inf, -np.inf
    return fields


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
