"""The compiled loops over activations other than ReLU, in one pass over memory; importing this module imports numba.

Derivatives are not read. They rise up to a peak and fall behind it, so that the largest one is at one of the two pre-activations next to
the peak, which the loops keep.
"""

from typing import Any

import numpy as np
from numba import njit

from dying_relu.units.block_sizes import POSITIONS_SIDE_BY_SIDE, SUMMED_NARROW
from dying_relu.units.compiled_marks import any_positive, mark_row

FIELDS = 8
"""Smallest and largest pre-activation, largest below the peak and smallest above it, largest absolute activation, sum of these, count of
positive pre-activations, sum of pre-activations."""


def _row_loop(hinged: bool) -> Any:
    """Compile the loop that adds a row of numbers to running fields, each as long as the row; NaN is kept by the sums alone.

    Args:
        hinged: the activation is made of straight lines and computed from its pre-activations, else it is read.
    """

    @njit(inline="always")
    def add_row(z: np.ndarray, activation: np.ndarray, curve: np.ndarray, fields: np.ndarray) -> None:
        floor, ceiling, slope, peak = curve
        lowest, highest = np.float32(-np.inf), np.float32(np.inf)
        low, high, below, above = fields[0], fields[1], fields[2], fields[3]
        largest, total, active, level = fields[4], fields[5], fields[6], fields[7]
        # min() and max() keep NaN, and are not vectorised.
        for n in range(len(z)):
            value = z[n]
            if hinged:
                inner = ceiling if value > ceiling else value  # noqa: FURB136
                magnitude = abs(floor + slope * (inner - floor) if inner < floor else inner)
            else:
                magnitude = abs(activation[n])
            left = value if value < peak else lowest
            right = highest if value < peak else value
            low[n] = value if value < low[n] else low[n]  # noqa: FURB136
            high[n] = value if value > high[n] else high[n]  # noqa: FURB136
            below[n] = left if left > below[n] else below[n]  # noqa: FURB136
            above[n] = right if right < above[n] else above[n]  # noqa: FURB136
            largest[n] = magnitude if magnitude > largest[n] else largest[n]  # noqa: FURB136
            total[n] += magnitude
            active[n] += np.float32(value > 0)
            level[n] += value

    return add_row


_add_hinged_row = _row_loop(hinged=True)
_add_read_row = _row_loop(hinged=False)


@njit(cache=True, nogil=True)
def scan_columns(
    z: np.ndarray,
    activation: np.ndarray,
    curve: np.ndarray,
    hinged: bool,
    first: int,
    last: int,
    fields: Any,
    hit: np.ndarray,
    inner: int,
) -> None:
    """Add a batch to the running fields of units side by side, as after a linear layer.

    Args:
        z: (rows, units) pre-activations, a row an example and position.
        activation: f(z), same shape; not read if ``hinged``.
        curve: lower bound, upper bound, slope below the lower and peak of the derivative, in the precision of ``z``.
        hinged: whether the bounds and the slope are the whole activation.
        first: the first unit to reduce; other threads reduce others.
        last: the unit behind the last one to reduce.
        fields: ``FIELDS`` arrays of (units,), changed in place; sums and counts are float64.
        hit: (examples, units) uint8, set to 1 where a pre-activation of the example is positive.
        inner: so many rows after one another are of one example; then comes the next, and after the last the first again.
    """
    batch, reduced = np.empty((FIELDS, last - first), z.dtype), np.empty(FIELDS)
    for start in range(0, len(z), SUMMED_NARROW):
        _begin(batch)
        for row in range(start, min(start + SUMMED_NARROW, len(z))):
            if hinged:
                _add_hinged_row(z[row, first:last], z[row, first:last], curve, batch)
            else:
                _add_read_row(z[row, first:last], activation[row, first:last], curve, batch)
            mark_row(z[row, first:last], hit[(row // inner) % len(hit), first:last])
        for unit in range(last - first):
            for field in range(FIELDS):
                reduced[field] = batch[field, unit]
            _add(first + unit, reduced, fields)


@njit(cache=True, nogil=True)
def scan_blocks(
    z: np.ndarray,
    activation: np.ndarray,
    curve: np.ndarray,
    hinged: bool,
    first: int,
    last: int,
    fields: Any,
    hit: np.ndarray,
    inner: int,
) -> None:
    """Add a batch to the running fields of units whose positions lie side by side, as after a convolution.

    Args:
        z: (examples, units, positions) pre-activations.
        activation: f(z), same shape; not read if ``hinged``.
        curve: lower bound, upper bound, slope below the lower and peak of the derivative, in the precision of ``z``.
        hinged: whether the bounds and the slope are the whole activation.
        first: the first unit to reduce; other threads reduce others.
        last: the unit behind the last one to reduce.
        fields: ``FIELDS`` arrays of (units,), changed in place; sums and counts are float64.
        hit: (examples, units) uint8, set to 1 where a pre-activation of the example is positive.
        inner: so many blocks after one another are of one example; then comes the next, and after the last the first again.
    """
    examples, _, positions = z.shape
    width = min(positions, POSITIONS_SIDE_BY_SIDE)
    together = max(1, SUMMED_NARROW * width // max(1, positions))
    batch, reduced = np.empty((FIELDS, width), z.dtype), np.empty(FIELDS)
    for unit in range(first, last):
        for begin in range(0, examples, together):
            _begin(batch)
            for example in range(begin, min(begin + together, examples)):
                for start in range(0, positions, width):
                    row = z[example, unit, start : start + width]
                    if hinged:
                        _add_hinged_row(row, row, curve, batch)
                    else:
                        _add_read_row(row, activation[example, unit, start : start + width], curve, batch)
                if any_positive(z[example, unit]):
                    hit[(example // inner) % len(hit), unit] = 1
            reduced[0], reduced[1] = batch[0].min(), batch[1].max()
            reduced[2], reduced[3], reduced[4] = batch[2].max(), batch[3].min(), batch[4].max()
            for field in range(5, FIELDS):
                reduced[field] = batch[field].astype(np.float64).sum()
            _add(unit, reduced, fields)


@njit(inline="always")
def _begin(batch: np.ndarray) -> None:
    batch[0], batch[1], batch[2], batch[3], batch[4:] = np.inf, -np.inf, -np.inf, np.inf, 0


@njit(inline="always")
def _add(unit: int, batch: np.ndarray, fields: Any) -> None:
    """Add a batch to a unit; one NaN makes all but the count NaN for good."""
    low, high, below, above, largest, total, active, level = fields
    total[unit] += batch[5]
    active[unit] += batch[6]
    level[unit] += batch[7]
    if np.isnan(total[unit]):
        low[unit] = high[unit] = largest[unit] = np.nan
        return
    low[unit] = min(low[unit], batch[0])
    high[unit] = max(high[unit], batch[1])
    below[unit] = max(below[unit], batch[2])
    above[unit] = min(above[unit], batch[3])
    largest[unit] = max(largest[unit], batch[4])
