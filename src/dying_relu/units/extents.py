"""The extent of numbers that belong to no unit, such as a model's inputs: their sums, the smallest and the largest."""

from importlib import import_module
from typing import NamedTuple

import torch
from torch import Tensor

from dying_relu.units.reductions import compiled


class Extent(NamedTuple):
    """Of some numbers."""

    total: float
    square_sum: float
    low: float
    high: float


def extent(x: Tensor) -> Extent:
    """The extent of a tensor, in one pass over memory on a CPU with numba; if a number is not finite, neither is the sum.

    Args:
        x: at least one number, of any shape and floating-point type.

    >>> extent(torch.tensor([[3.0, -4.0]]))
    Extent(total=-1.0, square_sum=25.0, low=-4.0, high=3.0)
    """
    # Sums of many half-precision numbers would overflow.
    wide = x.detach() if x.dtype in (torch.float32, torch.float64) else x.detach().float()
    if wide.device.type == "cpu" and wide.is_contiguous() and compiled():
        loops = import_module("dying_relu.units.compiled_extents")
        return Extent(*loops.scan_numbers(wide.view(-1).numpy()))
    low, high = wide.aminmax()
    square_sum = float(torch.linalg.vector_norm(wide)) ** 2
    return Extent(float(wide.sum()), square_sum, float(low), float(high))
