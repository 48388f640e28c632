"""Max-pooling that remembers where each maximum stood in one byte, with a (leaky) ReLU in the same pass.

PyTorch's own keeps an int64 for every output and, on a CPU, took a quarter of a small network's training time. The loops here are
compiled by Numba for the CPU; on other devices PyTorch's operators do the same. Ties go to the first position and NaN wins, as in
``torch.nn.MaxPool2d``.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from dying_relu.stack.brain_floats import as_array, as_float, as_kind_of
from dying_relu.stack.execution import by_operators
from dying_relu.stack.images import by_network, side_by_side, sum_by_channel
from dying_relu.stack.layers import ElementWise
from dying_relu.stack.optimisers import Optimiser, Parameter

aten = torch.ops.aten


class MaxPooling:
    """The largest of each 2 x 2 block of positions; a last odd row or column is dropped.

    It takes images in bfloat16, too, from a convolution that it follows directly, and sends their gradient back in bfloat16.

    Args:
        rectifier: a ReLU or leaky ReLU to apply to the maxima; None: they stay as they are.

    Attributes:
        is_last: whether no convolution follows; then the maxima of each network lie together in memory, (K, B, H, W, C), as dense
            layers want them.
        total: (K * C,) after ``backward``: for each channel, the sum of the gradient that was sent back.
    """

    def __init__(self, rectifier: ElementWise | None = None) -> None:
        self.rectifier = rectifier
        self.is_last = False

    def forward(self, x: Tensor) -> Tensor:
        """Pool (K, B, C, H, W) -> (K, B, C, H // 2, W // 2)."""
        self.shape, self.kind = x.shape, x.dtype
        self.wide = torch.float32 if x.dtype == torch.bfloat16 else x.dtype
        rows = side_by_side(x).contiguous()
        if by_operators(x.device):
            return self._forward_elsewhere(rows)
        batch, height, width, channels = rows.shape
        self.places = torch.empty((batch, height // 2, width // 2, channels), dtype=torch.uint8)
        self.slopes = self._slopes(rows)
        pooled = self._empty(rows)
        _pool(
            as_array(rows), self.slopes.numpy(), _flat(pooled), self.places.numpy(), len(x), _steps(pooled)
        )  # fmt: skip
        return pooled

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        if by_operators(delta.device):
            return self._backward_elsewhere(side_by_side(delta).contiguous())
        networks, batch, channels, height, width = self.shape
        if not _is_together(delta):
            delta = by_network(side_by_side(delta).contiguous(), networks)
        is_covered = height % 2 == width % 2 == 0
        new = delta.new_empty if is_covered else delta.new_zeros
        delta_x = new((batch, height, width, networks * channels), dtype=self.kind)
        self.total = delta.new_zeros(networks * channels, dtype=self.wide)
        _spread(
            _flat(delta), self.places.numpy(), self.slopes.numpy(),
            as_array(delta_x), self.total.numpy(), networks, _steps(delta),
        )  # fmt: skip
        return by_network(delta_x, networks)

    def parameters(self) -> list[Parameter]:
        return []

    def _empty(self, rows: Tensor) -> Tensor:
        """Memory for the maxima, (K, B, C, H // 2, W // 2)."""
        networks, batch, channels, height, width = self.shape
        if self.is_last:
            together = (networks, batch, height // 2, width // 2, channels)
            return rows.new_empty(together, dtype=self.wide).permute(0, 1, 4, 2, 3)
        # Without a rectifier an activation follows, which takes no brain floats; else a convolution.
        kind = self.wide if self.rectifier is None else self.kind
        return by_network(rows.new_empty(self.places.shape, dtype=kind), networks)

    def _slopes(self, rows: Tensor) -> Tensor:
        """(K * C,) the slope left of zero of each channel; 1 without a rectifier, which leaves everything as it is."""
        if self.rectifier is None:
            return rows.new_ones(rows.shape[-1], dtype=self.wide)
        return self.rectifier.slope.value.to(self.wide).repeat_interleave(self.shape[2])

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


def _is_together(images: Tensor) -> bool:
    """Tell if the images of each network lie together in memory, (K, B, H, W, C)."""
    return images.permute(0, 1, 3, 4, 2).is_contiguous()


def _flat(images: Tensor) -> np.ndarray:
    """All numbers of dense images, in the order of their memory."""
    return as_array(images.as_strided((images.numel(),), (1,)))


def _steps(images: Tensor) -> tuple[int, int, int]:
    """From a network, an example, a position to the next, in numbers.

    Of (K, B, C, H, W) that lie in memory as (B, H, W, K, C) or as (K, B, H, W, C): strides say nothing where a size is 1.
    """
    networks, batch, channels, height, width = images.shape
    if not _is_together(images):
        return channels, height * width * networks * channels, networks * channels
    return batch * height * width * channels, height * width * channels, channels


@njit(cache=True)
def _pool(
    x: np.ndarray,
    slopes: np.ndarray,
    pooled: np.ndarray,
    places: np.ndarray,
    networks: int,
    steps: tuple[int, int, int],
) -> None:
    """Pool (N, H, W, K * C) and multiply maxima that are not positive by their channel's slope.

    Args:
        x: images.
        slopes: (K * C,).
        pooled: (N * (H // 2) * (W // 2) * K * C,), overwritten with the maxima.
        places: (N, H // 2, W // 2, K * C), overwritten: at which of the four positions each maximum stood, and 4 more where it is
            not positive.
        networks: K.
        steps: from a network, an image, a position to the next in ``pooled``.
    """
    count, height, width, channels = places.shape
    size = channels // networks
    zero = slopes.dtype.type(0)
    maxima = np.empty_like(slopes)
    for n in range(count):
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    best, place = as_float(x[n, 2 * i, 2 * j, c]), 0
                    for other in range(1, 4):
                        value = as_float(x[n, 2 * i + other // 2, 2 * j + other % 2, c])
                        # NaN is the largest, and differs from itself.
                        if value > best or value != value:
                            best, place = value, other
                    if best <= 0:
                        place += 4
                        # 0 times minus infinity is not a number.
                        best = slopes[c] * best if slopes[c] != 0 else zero
                    maxima[c] = best
                    places[n, i, j, c] = place
                start = n * steps[1] + (i * width + j) * steps[2]
                for k in range(networks):
                    begin = start + k * steps[0]
                    row = pooled[begin : begin + size]
                    for c in range(size):
                        row[c] = as_kind_of(maxima[k * size + c], row[c])


@njit(cache=True)
def _spread(
    delta: np.ndarray,
    places: np.ndarray,
    slopes: np.ndarray,
    delta_x: np.ndarray,
    total: np.ndarray,
    networks: int,
    steps: tuple[int, int, int],
) -> None:
    """Send the gradient of each block's maximum to where it stood, times its slope, and zero to the other three.

    Args:
        delta: (N * (H // 2) * (W // 2) * K * C,).
        places: from :func:`_pool`.
        slopes: (K * C,), for maxima that are not positive.
        delta_x: (N, H, W, K * C), overwritten; an odd last row or column is left as it is.
        total: (K * C,), to which the sums over images and positions are added: image by image, which loses fewer digits.
        networks: K.
        steps: from a network, an image, a position to the next in ``delta``.
    """
    count, height, width, channels = places.shape
    size = channels // networks
    zero = slopes.dtype.type(0)
    of_image, values = np.empty_like(total), np.empty_like(total)
    rounded, nothing = np.empty(channels, delta_x.dtype), delta_x.dtype.type(0)
    for n in range(count):
        of_image[:] = 0
        for i in range(height):
            for j in range(width):
                start = n * steps[1] + (i * width + j) * steps[2]
                for k in range(networks):
                    begin = start + k * steps[0]
                    for c in range(size):
                        values[k * size + c] = as_float(delta[begin + c])
                place = places[n, i, j]
                for c in range(channels):
                    value = values[c]
                    left = slopes[c] * value if slopes[c] != 0 else zero
                    values[c] = left if place[c] >= 4 else value
                for c in range(channels):
                    of_image[c] += values[c]
                    rounded[c] = as_kind_of(values[c], rounded[c])
                for other in range(4):
                    row = delta_x[n, 2 * i + other // 2, 2 * j + other % 2]
                    for c in range(channels):
                        row[c] = rounded[c] if place[c] & 3 == other else nothing
        for c in range(channels):
            total[c] += of_image[c]
