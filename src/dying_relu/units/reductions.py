"""What the definitions need of a batch of activations, unit by unit, in one pass over memory.

In tensor operations it takes a pass for each maximum and each sum, and long columns of few units are slow to reduce: measuring
cost half as much as training. On a CPU a compiled loop does it; elsewhere, tensor operations.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from torch import Tensor

SIDE_BY_SIDE = 16
"""So many rows of units are reduced next to each other, which fills the processor's vectors."""


class Reduced(NamedTuple):
    """Over the examples of a batch, for each unit; each (..., units)."""

    pre_activation_min: Tensor
    pre_activation_max: Tensor
    activation_max: Tensor
    """Of absolute values, like all of ``activation`` and ``derivative``."""
    derivative_max: Tensor
    activation_sum: Tensor
    active_count: Tensor
    """How many pre-activations are positive."""


def reduce(z: Tensor, activation: Tensor, derivative: Tensor, axis: int) -> Reduced:
    """Reduce pre-activations ``z``, f(z) and f'(z), all of one shape, over ``axis``, -1 or -2; NaN stays NaN."""
    if axis == -2 and z.device.type == "cpu" and z.dtype in (torch.float32, torch.float64):
        return _reduce_rows(z, activation, derivative)
    magnitude = activation.abs()
    return Reduced(
        z.amin(axis),
        z.amax(axis),
        magnitude.amax(axis),
        derivative.abs().amax(axis),
        magnitude.sum(axis),
        # Not (z > 0).sum(): ones and zeros of the same type are counted ten times faster.
        z.sign().clamp_(min=0).sum(axis),
    )


def _reduce_rows(*tensors: Tensor) -> Reduced:
    """(..., examples, units), examples and units side by side as far as they can be."""
    if tensors[0].dim() == 3:
        # Networks side by side in memory are units side by side: nothing is copied.
        networks, _, units = tensors[0].shape
        joined = _reduce_rows(*(tensor.movedim(0, 1).flatten(1) for tensor in tensors))
        return Reduced(*(values.view(networks, units) for values in joined))
    *outer, examples, units = tensors[0].shape
    fold = math.gcd(examples, SIDE_BY_SIDE)
    folded = [tensor.reshape(-1, examples // fold, fold * units).numpy() for tensor in tensors]
    found = np.zeros((len(Reduced._fields), folded[0].shape[0], fold * units), folded[0].dtype)
    found[0], found[1] = np.inf, -np.inf
    for n in range(found.shape[1]):
        _scan(*(tensor[n] for tensor in folded), *found[:, n])
    each = torch.from_numpy(found).view(-1, *outer, fold, units).unbind()
    smallest, *largest = each[0].amin(-2), *(maximum.amax(-2) for maximum in each[1:4])
    return Reduced(smallest, *largest, *(total.sum(-2) for total in each[4:]))


@njit(cache=True)
def _scan(
    z: np.ndarray,
    activation: np.ndarray,
    derivative: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    largest: np.ndarray,
    steepest: np.ndarray,
    total: np.ndarray,
    active: np.ndarray,
) -> None:
    """Reduce the rows of three matrices into the fields of Reduced, a number a column; NaN differs from itself."""
    rows, columns = z.shape
    for row in range(rows):
        for column in range(columns):
            value = z[row, column]
            magnitude = abs(activation[row, column])
            slope = abs(derivative[row, column])
            low[column] = value if value < low[column] or value != value else low[column]
            high[column] = value if value > high[column] or value != value else high[column]
            largest[column] = (
                magnitude if magnitude > largest[column] or magnitude != magnitude else largest[column]
            )
            steepest[column] = slope if slope > steepest[column] or slope != slope else steepest[column]
            total[column] += magnitude
            active[column] += np.float32(value > 0)
