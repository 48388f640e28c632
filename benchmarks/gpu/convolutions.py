"""Two ways to compute the convolutions of a stack, as bare operators: grouped convolutions, and products of unfolded images.

The engine has the first. Which is faster on a GPU is not known; a table of both says whether the second is worth a branch.
"""

import statistics
import time
from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

aten = torch.ops.aten
REPEATS = 5


def compare(device: torch.device, short: bool) -> pd.DataFrame:
    """Time forward and backward of a layer both ways.

    Args:
        device: of the tensors.
        short: one small layer only.

    Returns:
        A row a layer: networks, inputs, outputs, side, and milliseconds of each way.
    """
    layers = (
        [(2, 8, 16, 4)] if short else [(64, 16, 32, 16), (64, 8, 16, 14), (64, 8, 16, 16), (256, 16, 32, 16)]
    )
    rows = []
    for networks, inputs, outputs, side in layers:
        images = torch.randn(64, networks * inputs, side, side, device=device)
        images = images.contiguous(memory_format=torch.channels_last)
        weight = torch.randn(networks, outputs, inputs, 3, 3, device=device)
        delta = torch.randn(64, networks * outputs, side, side, device=device)
        delta = delta.contiguous(memory_format=torch.channels_last)
        rows.append(
            {
                "networks": networks,
                "inputs": inputs,
                "outputs": outputs,
                "side": side,
                "grouped_ms": _milliseconds(grouped, images, weight, delta),
                "unfolded_ms": _milliseconds(unfolded, images, weight, delta),
            }
        )
    return pd.DataFrame(rows)


def grouped(images: Tensor, weight: Tensor, delta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Convolve with a group for each network.

    Args:
        images: (B, K * inputs, H, W).
        weight: (K, outputs, inputs, 3, 3).
        delta: (B, K * outputs, H, W), gradient with respect to the result.

    Returns:
        The result (B, K * outputs, H, W), and the gradients with respect to images and weight.
    """
    networks, flat, one = len(weight), weight.flatten(0, 1), [1, 1]
    result = functional.conv2d(images, flat, padding=1, groups=networks)
    to_images, to_weight, _ = aten.convolution_backward(
        delta, images, flat, None, one, one, one, False, [0, 0], networks, [True, True, False]
    )
    return result, to_images, to_weight.view_as(weight)


def unfolded(images: Tensor, weight: Tensor, delta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Compute what :func:`grouped` does by batched products of unfolded images; arguments and result as there."""
    batch, _, height, width = images.shape
    networks, outputs, inputs = weight.shape[:3]
    columns = _columns(images, networks)
    matrix = weight.flatten(2)
    rows = _by_network(delta, networks)
    result = torch.bmm(matrix, columns)
    to_weight = torch.bmm(rows, columns.mT).view_as(weight)
    turned = weight.transpose(1, 2).flip(3, 4).flatten(2)
    to_images = torch.bmm(turned, _columns(delta, networks))
    return (
        result.view(networks, outputs, batch, height, width).permute(2, 0, 1, 3, 4).flatten(1, 2),
        to_images.view(networks, inputs, batch, height, width).permute(2, 0, 1, 3, 4).flatten(1, 2),
        to_weight,
    )


def _columns(images: Tensor, networks: int) -> Tensor:
    """(B, K * C, H, W) -> (K, C * 9, B * H * W): the neighbourhood of each position."""
    neighbourhoods = functional.pad(images, [1, 1, 1, 1]).unfold(2, 3, 1).unfold(3, 3, 1)
    by_network = neighbourhoods.unflatten(1, (networks, -1))
    return by_network.permute(1, 2, 5, 6, 0, 3, 4).flatten(4).flatten(1, 3)


def _by_network(delta: Tensor, networks: int) -> Tensor:
    """(B, K * C, H, W) -> (K, C, B * H * W)."""
    return delta.unflatten(1, (networks, -1)).permute(1, 2, 0, 3, 4).flatten(2)


def _milliseconds(
    compute: Callable[[Tensor, Tensor, Tensor], object], images: Tensor, weight: Tensor, delta: Tensor
) -> float:
    wait = torch.cuda.synchronize if images.is_cuda else lambda: None
    seconds = []
    for _ in range(REPEATS + 1):
        wait()
        started = time.perf_counter()
        compute(images, weight, delta)
        wait()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds[1:])
