"""The compiled loops that reduce the units of an activation; importing this module imports numba.

Every number is read by one loop, over a row: :func:`_row_loop`. It is compiled twice, since ReLU's activation and derivative follow
from its pre-activations and need not be read.
"""

from typing import Any

import numpy as np
from numba import njit

from dying_relu.units.block_sizes import POSITIONS_SIDE_BY_SIDE, SUMMED_NARROW
from dying_relu.units.compiled_marks import any_positive, mark_row


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


@njit(inline="always")
def _add_two_relu_rows(one: np.ndarray, other: np.ndarray, fields: np.ndarray) -> None:
    """Add two rows as one after the other, to the bit: reading and writing the fields takes most of the time."""
    low, high, total, active, level = fields[0], fields[1], fields[2], fields[3], fields[4]
    nothing = np.float32(0)
    for n in range(len(one)):
        first, second = one[n], other[n]
        smaller, larger = (first, second) if first < second else (second, first)
        low[n] = smaller if smaller < low[n] else low[n]  # noqa: FURB136
        high[n] = larger if larger > high[n] else high[n]  # noqa: FURB136
        total[n] = total[n] + (nothing if first <= 0 else first) + (nothing if second <= 0 else second)
        active[n] += np.float32(first > 0) + np.float32(second > 0)
        level[n] = level[n] + first + second


@njit(inline="always")
def _add_one_relu_row(row: np.ndarray, fields: np.ndarray) -> None:
    """Add a row to fields of at least its length."""
    _add_relu_row(row, None, None, fields[0], fields[1], None, None, fields[2], fields[3], fields[4])


@njit(inline="always")
def _add_long_relu_row(row: np.ndarray, fields: np.ndarray) -> None:
    """Add a row part by part, each as long as the fields but for the last."""
    width, start = fields.shape[1], 0
    while start + 2 * width <= len(row):
        _add_two_relu_rows(row[start : start + width], row[start + width : start + 2 * width], fields)
        start += 2 * width
    while start < len(row):
        _add_one_relu_row(row[start : start + width], fields)
        start += width


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
            values = z[row, first:last]
            _add_one_relu_row(values, batch)
            mark_row(values, hit[(row // inner) % len(hit), first:last])
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
            batch, end = _start(width, z.dtype), min(begin + together, examples)
            if width == positions:
                for example in range(begin, end - 1, 2):
                    _add_two_relu_rows(z[example, unit], z[example + 1, unit], batch)
                if (end - begin) % 2:
                    _add_one_relu_row(z[end - 1, unit], batch)
            for example in range(begin, end):
                if width < positions:
                    _add_long_relu_row(z[example, unit], batch)
                if any_positive(z[example, unit]):
                    hit[(example // inner) % len(hit), unit] = 1
            positive, number, sum_of_all = 0.0, 0.0, 0.0
            # Side by side: each sum waits for its last number.
            for n in range(width):
                positive += batch[2, n]
                number += batch[3, n]
                sum_of_all += batch[4, n]
            _add(
                unit, batch[0].min(), batch[1].max(), positive, number, sum_of_all, at_zero,
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
