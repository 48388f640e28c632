"""The layers of a stack: each has ``forward`` and ``backward``, written by hand.

Shapes: K networks, B examples of a minibatch, U units, C channels, H x W positions. Vectors are (K, U, B), so that all
operands of the matrix products are contiguous; images are (K, B, C, H, W) in memory as (K, B, H, W, C), the layout in which
convolution and pooling are fast. The first layer gets the minibatch without a model axis, (B, inputs) or (B, H, W, C), because
all networks share it, and for that reason sends no gradient back.

``backward`` takes the scaled gradient of the loss with respect to the layer's output, gives each of its parameters' gradients
to the optimiser, and returns the gradient with respect to its input (computed before its parameters change).
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from dying_relu.activations import Activation
from dying_relu.stack.optimisers import Optimiser, Parameter

aten = torch.ops.aten


class Layer(Protocol):
    """One step of a stack of networks."""

    def forward(self, x: Tensor) -> Tensor:
        """The output for the input ``x``; what ``backward`` needs is remembered."""

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor | None:
        """Update the parameters from the gradient ``delta`` of the output; return the input's, None for the data."""

    def parameters(self) -> list[Parameter]:
        """The layer's parameters."""


def stack_images(images: Sequence[Tensor]) -> Tensor:
    """K times (B, C, H, W) -> (K, B, C, H, W) with the channels last in memory; nothing is copied for one network."""
    if len(images) == 1:
        return images[0][None]
    return torch.stack([image.permute(0, 2, 3, 1) for image in images]).permute(0, 1, 4, 2, 3)


class Linear:
    """K fully connected layers: weight (K, U, inputs), bias (K, U)."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        """(K, inputs, B), or (B, inputs) shared by all networks -> (K, U, B)."""
        self.x = x
        weight = self.weight.value
        if x.dim() == 2:
            z = torch.mm(weight.flatten(0, 1), x.mT).view(*weight.shape[:2], -1)
        else:
            z = torch.bmm(weight, x)
        return z.add_(self.bias.value[..., None])

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor | None:
        shared = self.x.dim() == 2
        delta_x = None if shared else torch.bmm(self.weight.value.mT, delta)
        optimiser.add_product(self.weight, delta, self.x if shared else self.x.mT)
        optimiser.add(self.bias, delta.sum(-1))
        return delta_x

    def parameters(self) -> list[Parameter]:
        return [self.weight, self.bias]


class Convolution:
    """K convolutions with stride 1 that keep the image's size: weight (K, C, inputs, 3, 3), bias (K, C).

    The networks take turns: on a CPU a convolution of one network fills the core, and grouped convolutions are slower.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
        self.padding = [weight.shape[-1] // 2] * 2

    def forward(self, x: Tensor) -> Tensor:
        """(K, B, inputs, H, W), or (B, H, W, inputs) shared by all networks -> (K, B, C, H, W)."""
        self.x = x
        return stack_images(
            [
                functional.conv2d(self._input(k), weight, bias, padding=self.padding)
                for k, (weight, bias) in enumerate(zip(self.weight.value, self.bias.value, strict=True))
            ]
        )

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor | None:
        shared = self.x.dim() == 4
        gradients = [
            aten.convolution_backward(
                delta[k],
                self._input(k),
                weight,
                [weight.shape[0]],
                [1, 1],
                self.padding,
                [1, 1],
                False,
                [0, 0],
                1,
                [not shared, True, True],
            )
            for k, weight in enumerate(self.weight.value)
        ]
        delta_x, delta_weight, delta_bias = zip(*gradients, strict=True)
        optimiser.add(self.weight, torch.stack(delta_weight))
        optimiser.add(self.bias, torch.stack(delta_bias))
        return None if shared else stack_images(delta_x)

    def parameters(self) -> list[Parameter]:
        return [self.weight, self.bias]

    def _input(self, k: int) -> Tensor:
        return self.x.permute(0, 3, 1, 2) if self.x.dim() == 4 else self.x[k]


class ElementWise:
    """An activation function; ``slope`` is (K,), and learned where the activation learns it (one slope a layer)."""

    def __init__(self, activation: Activation, slope: Tensor) -> None:
        self.activation = activation
        self.slope = Parameter(slope)

    def forward(self, z: Tensor) -> Tensor:
        """Pre-activations (K, ...) -> activations of the same shape."""
        self.z = z
        return self.function(z)

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        delta_z = self.activation.gradient(delta, self.z, self._slope(self.z))
        if self.activation.learns_slope:
            optimiser.add(self.slope, (delta * self.z.clamp(max=0)).flatten(1).sum(1))
        return delta_z

    def parameters(self) -> list[Parameter]:
        return [self.slope] if self.activation.learns_slope else []

    def function(self, z: Tensor) -> Tensor:
        """f(z) for pre-activations (K, ...), nothing remembered."""
        return self.activation.function(z, self._slope(z))

    def derivative(self, z: Tensor) -> Tensor:
        """f'(z) for pre-activations (K, ...)."""
        return self.activation.derivative(z, self._slope(z))

    def _slope(self, z: Tensor) -> Tensor:
        return self.slope.value.view(-1, *[1] * (z.dim() - 1))


class MaxPooling:
    """The largest of each 2 x 2 block of positions."""

    def forward(self, x: Tensor) -> Tensor:
        """(K, B, C, H, W) -> (K, B, C, H // 2, W // 2)."""
        self.x = x.flatten(0, 1)
        pooled, self.indices = aten.max_pool2d_with_indices(self.x, [2, 2])
        return pooled.unflatten(0, x.shape[:2])

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        delta_x = aten.max_pool2d_with_indices_backward(
            delta.flatten(0, 1), self.x, [2, 2], [2, 2], [0, 0], [1, 1], False, self.indices
        )
        return delta_x.unflatten(0, delta.shape[:2])

    def parameters(self) -> list[Parameter]:
        return []


class Flatten:
    """Images to vectors, channel by channel as in ``torch.nn.Flatten``."""

    def forward(self, x: Tensor) -> Tensor:
        """(K, B, C, H, W) -> (K, C * H * W, B)."""
        self.shape = x.shape
        return x.permute(0, 2, 3, 4, 1).reshape(x.shape[0], -1, x.shape[1])

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        networks, batch, *image = self.shape
        # The copy puts the channels last, where pooling and convolution expect them.
        return delta.view(networks, *image, batch).permute(0, 4, 2, 3, 1).contiguous().permute(0, 1, 4, 2, 3)

    def parameters(self) -> list[Parameter]:
        return []
