"""Reductions of activations whose derivatives rise up to a peak and fall behind it, in one pass over memory and without derivatives."""

from functools import partial
from importlib import import_module
from typing import NamedTuple

import numpy as np
from torch import Tensor

from dying_relu.units.reductions import _in_threads

FEW_POSITIONS = 100
"""So few positions of a channel do not fill the processor's vectors; to move the channels side by side costs less."""


class Curve(NamedTuple):
    """The shape of an activation.

    Attributes:
        peak: its derivative rises below and falls from there on.
        hump: no derivative in the tail on the left, where it may fall again, has a larger absolute value.
        bounds: of one made of straight lines, the lower and the upper bound, between which the slope is 1, and the slope below the lower;
            None for any other.
    """

    peak: float
    hump: float = 0.0
    bounds: tuple[float, float, float] | None = None


def add_curve(
    fields: tuple[np.ndarray, ...],
    z: Tensor,
    activation: Tensor,
    curve: Curve,
    axis: int,
    hit: np.ndarray,
    inner: int,
) -> None:
    """Add a batch of an activation's pre-activations to running fields, in place; needs :func:`dying_relu.units.reductions.compiled`.

    A NaN makes the extremes of its unit and its sums NaN for good.

    Args:
        fields: (units,) each: smallest and largest pre-activation, largest below the peak and smallest from it on, largest absolute
            activation, sum of these, count of positive pre-activations, sum of pre-activations. The sums and the count are float64.
        z: pre-activations on a CPU, the units on ``axis``, examples and positions on all others; float32 or float64.
        activation: f(z), same shape and precision; not read for one of straight lines.
        curve: the activation.
        axis: axis of the units.
        hit: (examples, units) uint8, set to 1 where an example has a positive pre-activation.
        inner: how many positions after one another are of one example, with the units' axis left out.
    """
    loops = import_module("dying_relu.units.compiled_curves")
    axis %= z.dim()
    units, behind = z.shape[axis], z.shape[axis + 1 :].numel()
    hinged = curve.bounds is not None
    shape = np.array([*(curve.bounds or (0.0, 0.0, 0.0)), curve.peak], z.numpy().dtype)
    rows = z.movedim(axis, -1)
    # Units side by side, as after a linear layer or in "channels last", are reduced row by row; so are examples behind the units.
    if rows.is_contiguous() or inner % behind or behind < FEW_POSITIONS:
        values = rows if hinged else activation.movedim(axis, -1)
        arrays = [one.reshape(-1, units).numpy() for one in (rows, values)]
        scan = partial(loops.scan_columns, *arrays, shape, hinged)
    else:
        blocks = (z.shape[:axis].numel(), units, behind)
        values = z if hinged else activation
        arrays = [one.reshape(blocks).contiguous().numpy() for one in (z, values)]
        scan = partial(loops.scan_blocks, *arrays, shape, hinged)
        inner //= behind
    _in_threads(scan, units, z.numel(), (fields, hit, inner))
