"""Memory layout of a stack's images: channels last, the networks of the stack side by side in the channels.

Logically images are (K, B, C, H, W); in memory they are (B, H, W, K, C). So a convolution of all networks is one operator: the first,
whose input they share, has K * C output channels, and the others are grouped, a group for each network.
"""

import numpy as np
from numba import njit
from torch import Tensor

from dying_relu.stack.execution import by_operators


def side_by_side(images: Tensor) -> Tensor:
    """Join the networks' channels: (K, B, C, H, W) -> (B, H, W, K * C); a view, if the images have the layout of this module."""
    return images.permute(1, 3, 4, 0, 2).flatten(3)


def by_network(rows: Tensor, networks: int) -> Tensor:
    """Undo :func:`side_by_side`.

    Args:
        rows: (B, H, W, K * C).
        networks: K.

    Returns:
        A view (K, B, C, H, W).
    """
    return rows.unflatten(3, (networks, -1)).permute(3, 0, 4, 1, 2)


def apart(images: Tensor) -> Tensor:
    """Copy (K, B, C, H, W) to the memory layout (K, B, H, W, C), if need be: for operators whose rounding depends on the layout."""
    return images.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)


def sum_by_channel(rows: Tensor) -> Tensor:
    """Sum (B, H, W, C) over all but the channels -> (C,): in the same order whatever C is, on which PyTorch's own sums depend."""
    if by_operators(rows.device):
        return rows.sum((0, 1, 2))
    total = rows.new_zeros(rows.shape[-1])
    _sum_by_channel(rows.flatten(1, 2).numpy(), total.numpy())
    return total


@njit(cache=True)
def _sum_by_channel(rows: np.ndarray, total: np.ndarray) -> None:
    """Add the sums of images (B, positions, C), which loses fewer digits than one long sum."""
    of_image = np.zeros_like(total)
    for n in range(rows.shape[0]):
        of_image[:] = 0
        for position in range(rows.shape[1]):
            for c in range(rows.shape[2]):
                of_image[c] += rows[n, position, c]
        for c in range(rows.shape[2]):
            total[c] += of_image[c]
