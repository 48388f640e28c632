"""Max-pooling that remembers where each maximum stood in one byte.

PyTorch's own keeps an int64 for every output and, on a CPU, took a quarter of a small network's training time. The two
loops here are compiled by Numba for the CPU; on other devices PyTorch's operators do the same. Ties go to the first
position and NaN wins, as in ``torch.nn.MaxPool2d``.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from dying_relu.stack.optimisers import Optimiser, Parameter

aten = torch.ops.aten


class MaxPooling:
    """The largest of each 2 x 2 block of positions; a last odd row or column is dropped."""

    def forward(self, x: Tensor) -> Tensor:
        """(K, B, C, H, W) -> (K, B, C, H // 2, W // 2)."""
        self.shape = x.shape
        self.on_cpu = x.device.type == "cpu"
        images = x.flatten(0, 1)
        if not self.on_cpu:
            self.images = images
            pooled, self.places = aten.max_pool2d_with_indices(images, [2, 2])
            return pooled.unflatten(0, x.shape[:2])
        rows = images.permute(0, 2, 3, 1).contiguous()
        count, height, width, channels = rows.shape
        pooled = rows.new_empty(count, height // 2, width // 2, channels)
        self.places = torch.empty(pooled.shape, dtype=torch.uint8)
        _pool(rows.numpy(), pooled.numpy(), self.places.numpy())
        return pooled.permute(0, 3, 1, 2).unflatten(0, x.shape[:2])

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        delta = delta.flatten(0, 1)
        if not self.on_cpu:
            delta_x = aten.max_pool2d_with_indices_backward(
                delta, self.images, [2, 2], [2, 2], [0, 0], [1, 1], False, self.places
            )
            return delta_x.unflatten(0, self.shape[:2])
        _, _, channels, height, width = self.shape
        is_covered = height % 2 == width % 2 == 0
        new = delta.new_empty if is_covered else delta.new_zeros
        delta_x = new(len(delta), height, width, channels)
        _spread(delta.permute(0, 2, 3, 1).contiguous().numpy(), self.places.numpy(), delta_x.numpy())
        return delta_x.permute(0, 3, 1, 2).unflatten(0, self.shape[:2])

    def parameters(self) -> list[Parameter]:
        return []


@njit(cache=True)
def _pool(x: np.ndarray, pooled: np.ndarray, places: np.ndarray) -> None:
    """(N, H, W, C) -> the maximum of each block and which of its four positions it stood at, (N, H // 2, W // 2, C)."""
    count, height, width, channels = pooled.shape
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
                    pooled[n, i, j, c] = best
                    places[n, i, j, c] = place


@njit(cache=True)
def _spread(delta: np.ndarray, places: np.ndarray, delta_x: np.ndarray) -> None:
    """The gradient of each block's maximum to where it stood, zero to the other three."""
    count, height, width, channels = delta.shape
    for n in range(count):
        for i in range(height):
            for j in range(width):
                for other in range(4):
                    for c in range(channels):
                        value = delta[n, i, j, c]
                        row, column = 2 * i + other // 2, 2 * j + other % 2
                        delta_x[n, row, column, c] = value if places[n, i, j, c] == other else 0.0
