"""Brain floats (bfloat16) in compiled loops: NumPy has no such type, so they are int16 there, the upper half of a float32.

:func:`as_float` and :func:`as_kind_of` leave other numbers as they are, so that one loop serves all precisions.
"""

from typing import Any

import numpy as np
import torch
from numba import njit, types
from numba.extending import overload
from torch import Tensor

from dying_relu.stack.bits import bits_of_float, float_of_bits


def as_array(tensor: Tensor) -> np.ndarray:
    """View a tensor as an array that shares its memory; of int16 if it is of brain floats."""
    return (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


def as_float(number: Any) -> Any:
    """Read an element of an array from :func:`as_array`, in a compiled loop."""
    raise TypeError("for compiled loops only")


def as_kind_of(value: Any, element: Any) -> Any:
    """Round a number to what an array holds, in a compiled loop.

    Args:
        value: float32 or float64.
        element: of the array.
    """
    raise TypeError("for compiled loops only")


@njit(inline="always")
def _widened(number: np.int16) -> np.float32:
    return float_of_bits(np.int32(np.int32(number) << np.int32(16)))


@njit(inline="always")
def _rounded(value: np.float32) -> np.int16:
    """Round to nearest, ties to even; NaN stays NaN."""
    bits = bits_of_float(value)
    odd = (bits >> np.int32(16)) & np.int32(1)
    rounded = np.int32(bits + np.int32(0x7FFF) + odd) >> np.int32(16)
    return np.int16(0x7FC0) if value != value else np.int16(rounded)


@overload(as_float, inline="always")
def _as_float(number: Any) -> Any:
    def widened(number: Any) -> Any:
        return _widened(number)

    def same(number: Any) -> Any:
        return number

    return widened if number == types.int16 else same


@overload(as_kind_of, inline="always")
def _as_kind_of(value: Any, element: Any) -> Any:
    def rounded(value: Any, element: Any) -> Any:
        return _rounded(value)

    def same(value: Any, element: Any) -> Any:
        return value

    return rounded if element == types.int16 else same
