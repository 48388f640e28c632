"""Max-pooling that remembers where each maximum stood in one byte, with a (leaky) ReLU in the same pass.

PyTorch's own keeps an int64 for every output and, on a CPU, took a quarter of a small network's training time. The loops here are
compiled by Numba for the CPU; on other devices PyTorch's operators do the same. Ties go to the first position and NaN wins, as in
``torch.nn.MaxPool2d``.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from dying_relu.stack.execution import by_operators
from dying_relu.stack.images import by_network, side_by_side, sum_by_channel
from dying_relu.stack.layers import ElementWise
from dying_relu.stack.optimisers import Optimiser, Parameter

aten = torch.ops.aten


class MaxPooling:
    """The largest of each 2 x 2 block of positions; a last odd row or column is dropped.

    Args:
        rectifier: a ReLU or leaky ReLU to apply to the maxima; None: they stay as they are.

    Attributes:
        total: (K * C,) after ``backward``: for each channel, the sum of the gradient that was sent back.
    """

    def __init__(self, rectifier: ElementWise | None = None) -> None:
        self.rectifier = rectifier

    def forward(self, x: Tensor) -> Tensor:
        """Pool (K, B, C, H, W) -> (K, B, C, H // 2, W // 2)."""
        self.shape = x.shape
        rows = side_by_side(x).contiguous()
        if by_operators(x.device):
            return self._forward_elsewhere(rows)
        count, height, width, channels = rows.shape
        pooled = rows.new_empty(count, height // 2, width // 2, channels)
        self.places = torch.empty(pooled.shape, dtype=torch.uint8)
        self.slopes = self._slopes(rows)
        _pool(rows.numpy(), self.slopes.numpy(), pooled.numpy(), self.places.numpy())
        return by_network(pooled, len(x))

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        rows = side_by_side(delta).contiguous()
        if by_operators(delta.device):
            return self._backward_elsewhere(rows)
        networks, batch, channels, height, width = self.shape
        is_covered = height % 2 == width % 2 == 0
        new = rows.new_empty if is_covered else rows.new_zeros
        delta_x = new(batch, height, width, networks * channels)
        if self.rectifier is not None:
            rows = _gated(rows, self.places, self.slopes)
        self.total = sum_by_channel(rows)
        _spread(rows.numpy(), self.places.numpy(), delta_x.numpy())
        return by_network(delta_x, networks)

    def parameters(self) -> list[Parameter]:
        return []

    def _slopes(self, rows: Tensor) -> Tensor:
        """(K * C,) the slope left of zero of each channel; 1 without a rectifier, which leaves everything as it is."""
        if self.rectifier is None:
            return rows.new_ones(rows.shape[-1])
        return self.rectifier.slope.value.to(rows.dtype).repeat_interleave(self.shape[2])

    def _forward_elsewhere(self, rows: Tensor) -> Tensor:
        self.images = rows.permute(0, 3, 1, 2)
        pooled, self.places = aten.max_pool2d_with_indices(self.images, [2, 2])
        self.pooled = by_network(pooled.permute(0, 2, 3, 1), self.shape[0])
        return self.pooled if self.rectifier is None else self.rectifier.function(self.pooled)

    def _backward_elsewhere(self, rows: Tensor) -> Tensor:
        if self.rectifier is not None:
            delta = by_network(rows, self.shape[0])
            rows = side_by_side(self.rectifier.gradient(delta, self.pooled)).contiguous()
        self.total = sum_by_channel(rows)
        delta_x = aten.max_pool2d_with_indices_backward(
            rows.permute(0, 3, 1, 2), self.images, [2, 2], [2, 2], [0, 0], [1, 1], False, self.places
        )
        return by_network(delta_x.permute(0, 2, 3, 1), self.shape[0])


@njit(cache=True)
def _pool(x: np.ndarray, slopes: np.ndarray, pooled: np.ndarray, places: np.ndarray) -> None:
    """Pool (N, H, W, C) to (N, H // 2, W // 2, C) and multiply maxima that are not positive by their channel's slope.

    ``places``: at which of the four positions each maximum stood, and 4 more where it is not positive.
    """
    count, height, width, channels = pooled.shape
    zero = x.dtype.type(0)
    for n in range(count):
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    best, place = x[n, 2 * i, 2 * j, c], 0
                    for other in range(1, 4):
                        value = x[n, 2 * i + other // 2, 2 * j + other % 2, c]
                        # NaN is the largest, and differs from itself.
                        if value > best or value != value:
                            best, place = value, other
                    if best <= 0:
                        place += 4
                        # 0 times minus infinity is not a number.
                        best = slopes[c] * best if slopes[c] != 0 else zero
                    pooled[n, i, j, c] = best
                    places[n, i, j, c] = place


def _gated(delta: Tensor, places: Tensor, slopes: Tensor) -> Tensor:
    """The gradient (B, H, W, C) before the rectifier: times the channel's slope where the maximum was not positive."""
    return torch.where(places >= 4, delta * slopes, delta)


@njit(cache=True)
def _spread(delta: np.ndarray, places: np.ndarray, delta_x: np.ndarray) -> None:
    """Send the gradient of each block's maximum to where it stood, and zero to the other three."""
    count, height, width, channels = delta.shape
    zero = delta.dtype.type(0)
    for n in range(count):
        for i in range(height):
            for j in range(width):
                for other in range(4):
                    row, column = 2 * i + other // 2, 2 * j + other % 2
                    for c in range(channels):
                        is_here = places[n, i, j, c] & 3 == other
                        delta_x[n, row, column, c] = delta[n, i, j, c] if is_here else zero
