"""Convolutions as products of unfolded images, which GPUs multiply faster than groups of few channels.

Images of a stack lie here as (K, B, H, W, C), each network's together; those that all networks share as (1, B, H, W, C).
"""

import torch
from torch import Tensor
from torch.nn import functional


def unfold(images: Tensor, side: int) -> Tensor:
    """Copy the neighbourhood of each position.

    Args:
        images: (K, B, H, W, C).
        side: of a neighbourhood, odd; beyond the edge there is 0.

    Returns:
        (K, B * H * W, side * side * C).
    """
    margin = side // 2
    padded = functional.pad(images, [0, 0, margin, margin, margin, margin])
    neighbourhoods = padded.unfold(2, side, 1).unfold(3, side, 1)
    return neighbourhoods.permute(0, 1, 2, 3, 5, 6, 4).reshape(len(images), -1, side * side * images.shape[-1])


def convolve(columns: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply unfolded images with each network's weights.

    Args:
        columns: (K or 1, N, side * side * inputs), from :func:`unfold`.
        weight: (K, C, inputs, side, side).
        bias: (K, C).

    Returns:
        (K, N, C).
    """
    matrix = weight.permute(0, 3, 4, 2, 1).flatten(1, 3)
    columns = columns.expand(len(weight), -1, -1)
    return torch.bmm(columns, matrix) if bias is None else torch.baddbmm(bias[:, None], columns, matrix)


def gradient_of_input(delta: Tensor, weight: Tensor) -> Tensor:
    """Send the gradient back through :func:`convolve` and :func:`unfold`: a convolution with the kernels turned round.

    Args:
        delta: (K, B, H, W, C).
        weight: (K, C, inputs, side, side).

    Returns:
        (K, B, H, W, inputs).
    """
    turned = weight.transpose(1, 2).flip(3, 4)
    return convolve(unfold(delta, weight.shape[-1]), turned).view(*delta.shape[:4], -1)


def gradient_of_weight(columns: Tensor, delta: Tensor, weight: Tensor) -> Tensor:
    """Sum over examples and positions.

    Args:
        columns: (K or 1, N, side * side * inputs), what was multiplied.
        delta: (K, N, C).
        weight: (K, C, inputs, side, side).

    Returns:
        Of the shape of ``weight``.
    """
    _, _, inputs, side, _ = weight.shape
    matrix = torch.bmm(columns.expand(len(weight), -1, -1).mT, delta)
    return matrix.unflatten(1, (side, side, inputs)).permute(0, 4, 3, 1, 2).contiguous()
