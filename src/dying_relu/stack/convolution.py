"""Convolutions of a stack, one operator for all its networks."""

import torch
from torch import Tensor
from torch.nn import functional

from dying_relu.stack import precision
from dying_relu.stack.images import by_network, side_by_side, sum_by_channel
from dying_relu.stack.optimisers import Optimiser, Parameter
from dying_relu.stack.pooling import MaxPooling

aten = torch.ops.aten

BLOCK = 16
"""Channels that oneDNN multiplies together."""


class Convolution:
    """K convolutions with stride 1 that keep the image's size: weight (K, C, inputs, 3, 3), bias (K, C).

    Args:
        weight: initial weights.
        bias: initial biases.
        pooling: the layer that follows directly, if it is one that pools. It knows the sum of what it sends back for each channel,
            which is the gradient of the bias.
    """

    def __init__(self, weight: Tensor, bias: Tensor, pooling: MaxPooling | None = None) -> None:
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
        self.pooling = pooling
        self.padding = [weight.shape[-1] // 2] * 2

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (K, B, inputs, H, W), or (B, H, W, inputs) shared by all networks -> (K, B, C, H, W)."""
        self.x = x
        networks = len(self.weight.value)
        kind = self._kind()
        self.images = (side_by_side(x) if x.dim() == 5 else x).to(kind).permute(0, 3, 1, 2)
        weight, bias = self.weight.value.flatten(0, 1).to(kind), self.bias.value.flatten().to(kind)
        z = functional.conv2d(self.images, weight, bias, padding=self.padding, groups=self._groups())
        if self.pooling is None:
            z = z.to(self.weight.value.dtype)
        return by_network(z.permute(0, 2, 3, 1), networks)

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor | None:
        rows = side_by_side(delta).contiguous()
        images = rows.to(self.images.dtype).permute(0, 3, 1, 2)
        delta_x = self._gradient_of_input(images) if self.x.dim() == 5 else None
        optimiser.add(self.weight, self._gradient_of_weight(images))
        optimiser.add(self.bias, self._gradient_of_bias(rows))
        return delta_x

    def parameters(self) -> list[Parameter]:
        return [self.weight, self.bias]

    def _kind(self) -> torch.dtype:
        """The type of numbers that are convolved: bfloat16 where it is asked for, so that nothing is converted twice."""
        kind = self.weight.value.dtype
        return torch.bfloat16 if kind == torch.float32 and precision.convolves_brain_floats() else kind

    def _groups(self) -> int:
        return len(self.weight.value) if self.x.dim() == 5 else 1

    def _fills_blocks(self) -> bool:
        """Tell if inputs and outputs fill oneDNN's blocks of channels: then it sums one group as it sums each of several."""
        outputs, inputs = self.weight.value.shape[1:3]
        return outputs % BLOCK == inputs % BLOCK == 0

    def _gradient_of_input(self, delta: Tensor) -> Tensor:
        """(B, K * C, H, W) -> (K, B, inputs, H, W): a convolution with the kernels turned round, faster than the operator's own."""
        turned = self.weight.value.transpose(1, 2).flip(3, 4).flatten(0, 1).to(delta.dtype)
        delta_x = functional.conv2d(delta, turned, padding=self.padding, groups=self._groups())
        return by_network(delta_x.to(self.x.dtype).permute(0, 2, 3, 1), len(self.weight.value))

    def _gradient_of_weight(self, delta: Tensor) -> Tensor:
        """(B, K * C, H, W) -> (K, C, inputs, 3, 3)."""
        weight, images, groups = self.weight.value.flatten(0, 1).to(delta.dtype), self.images, self._groups()
        if groups == 1 and self.x.dim() == 5 and not self._fills_blocks():
            # Summed in another order than several groups, and what a network computes must not depend on its stack.
            weight, images, delta = (
                torch.cat([one, one], axis) for one, axis in ((weight, 0), (images, 1), (delta, 1))
            )
            groups = 2
        one, none = [1, 1], [0, 0]
        wanted = [False, True, False]
        gradient = aten.convolution_backward(
            delta, images, weight, None, one, self.padding, one, False, none, groups, wanted
        )[1]
        return gradient[: self.bias.value.numel()].to(self.weight.value.dtype).view_as(self.weight.value)

    def _gradient_of_bias(self, rows: Tensor) -> Tensor:
        """(B, H, W, K * C) -> (K, C)."""
        if self.pooling is not None:
            return self.pooling.total.view_as(self.bias.value)
        return sum_by_channel(rows).view_as(self.bias.value)
