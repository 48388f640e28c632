"""Products of unfolded images are the convolutions of plain PyTorch, forward and backward."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from dying_relu.stack import unfolding

NETWORKS, BATCH, INPUTS, OUTPUTS = 3, 5, 2, 7


def draw(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("side", [1, 3, 5])
@pytest.mark.parametrize("is_shared", [False, True])
def test_equals_plain_convolutions(side: int, is_shared: bool) -> None:
    images = draw(1 if is_shared else NETWORKS, BATCH, 6, 4, INPUTS)
    weight, bias = draw(NETWORKS, OUTPUTS, INPUTS, side, side), draw(NETWORKS, OUTPUTS)
    delta = draw(NETWORKS, BATCH, 6, 4, OUTPUTS)
    columns = unfolding.unfold(images, side)
    z = unfolding.convolve(columns, weight, bias)
    to_weight = unfolding.gradient_of_weight(columns, delta.flatten(1, 3), weight)
    to_input = unfolding.gradient_of_input(delta, weight)
    for k in range(NETWORKS):
        x = images[0 if is_shared else k].permute(0, 3, 1, 2).contiguous().requires_grad_()
        kernel = weight[k].clone().requires_grad_()
        expected = functional.conv2d(x, kernel, bias[k], padding=side // 2)
        expected.backward(delta[k].permute(0, 3, 1, 2))
        torch.testing.assert_close(z[k].view(BATCH, 6, 4, OUTPUTS).permute(0, 3, 1, 2), expected)
        torch.testing.assert_close(to_weight[k], kernel.grad)
        torch.testing.assert_close(to_input[k].permute(0, 3, 1, 2), x.grad)
