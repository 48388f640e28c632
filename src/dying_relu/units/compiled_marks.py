"""The compiled marks of the examples that wake a unit; importing this module imports numba."""

import numpy as np
from numba import njit

from dying_relu.units.block_sizes import POSITIONS_LOOKED_AT


@njit(inline="always")
def mark_row(z: np.ndarray, hit: np.ndarray) -> None:
    """Mark the units of which an example has a positive pre-activation.

    Args:
        z: (units,) pre-activations of the example, or of one of its positions.
        hit: (units,) uint8, changed in place. Both are slices: indices into whole arrays are not vectorised.
    """
    for unit in range(len(z)):
        hit[unit] |= np.uint8(z[unit] > 0)


@njit(inline="always")
def any_positive(z: np.ndarray) -> bool:
    """Tell whether one of some pre-activations is positive; most often one of the first is, and the others are not read.

    Args:
        z: (positions,) pre-activations.
    """
    for start in range(0, len(z), POSITIONS_LOOKED_AT):
        some = z[start : start + POSITIONS_LOOKED_AT]
        positive = np.int32(0)
        for n in range(len(some)):
            positive += np.int32(some[n] > 0)
        if positive:
            return True
    return False
