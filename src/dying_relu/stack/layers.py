"""The layers of a stack: each has ``forward`` and ``backward``, written by hand.

Shapes: K networks, B examples of a minibatch, U units, C channels, H x W positions. Vectors are (K, U, B), so that all
operands of the matrix products are contiguous; images are (K, B, C, H, W), in memory (B, H, W, K, C): the channels of all
networks side by side and last, the layout in which convolution and pooling are fast. The first layer gets the minibatch
without a model axis, (B, inputs) or (B, H, W, C), because all networks share it, and so it sends no gradient back.

``backward`` takes the scaled gradient of the loss with respect to the layer's output, gives each of its parameters' gradients
to the optimiser, and returns the gradient with respect to its input (computed before its parameters change).
"""

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


def side_by_side(images: Tensor) -> Tensor:
    """(K, B, C, H, W) -> (B, K * C, H, W), the channels of all networks side by side; a view of the stack's layout."""
    return images.transpose(0, 1).flatten(1, 2)


def apart(images: Tensor, networks: int) -> Tensor:
    """(B, K * C, H, W) -> (K, B, C, H, W), the reverse of :func:`side_by_side`."""
    return images.unflatten(1, (networks, -1)).transpose(0, 1)


class Linear:
    """K fully connected layers: weight (K, U, inputs), bias (K, U)."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        """(K, inputs, B), or (B, inputs) shared by all networks -> (K, U, B)."""
        self.x = x
        weight = self.weight.value
        shared = x.dim() == 2
        z = (
            torch.mm(weight.flatten(0, 1), x.mT).view(*weight.shape[:2], -1)
            if shared
            else torch.bmm(weight, x)
        )
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

    The first layer is one convolution with the channels of all networks, because they share its input. In the others the
    networks take turns: on a CPU a convolution of one network fills the core, and grouped convolutions are slower.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
        self.padding = [weight.shape[-1] // 2] * 2

    def forward(self, x: Tensor) -> Tensor:
        """(K, B, inputs, H, W), or (B, H, W, inputs) shared by all networks -> (K, B, C, H, W)."""
        self.x = x
        weight, bias = self.weight.value, self.bias.value
        if x.dim() == 4:
            image = x.permute(0, 3, 1, 2)
            z = functional.conv2d(image, weight.flatten(0, 1), bias.flatten(), padding=self.padding)
        else:
            z = torch.cat(
                [
                    functional.conv2d(*each, padding=self.padding)
                    for each in zip(x, weight, bias, strict=True)
                ],
                1,
            )
        return apart(z, len(weight))

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor | None:
        weight = self.weight.value
        if self.x.dim() == 4:
            image = self.x.permute(0, 3, 1, 2)
            _, delta_weight, delta_bias = self._gradients(
                side_by_side(delta), image, weight.flatten(0, 1), False
            )
            optimiser.add(self.weight, delta_weight.view_as(weight))
            optimiser.add(self.bias, delta_bias.view(len(weight), -1))
            return None
        gradients = [self._gradients(*each, True) for each in zip(delta, self.x, weight, strict=True)]
        delta_x, delta_weights, delta_biases = zip(*gradients, strict=True)
        optimiser.add(self.weight, torch.stack(delta_weights))
        optimiser.add(self.bias, torch.stack(delta_biases))
        return apart(torch.cat(delta_x, 1), len(weight))

    def parameters(self) -> list[Parameter]:
        return [self.weight, self.bias]

    def _gradients(
        self, delta: Tensor, x: Tensor, weight: Tensor, of_input: bool
    ) -> tuple[Tensor | None, Tensor, Tensor]:
        """Gradients with respect to the input (where asked for), the weight and the bias of one convolution."""
        one, none = [1, 1], [0, 0]
        wanted = [of_input, True, True]
        return aten.convolution_backward(
            delta, x, weight, [len(weight)], one, self.padding, one, False, none, 1, wanted
        )


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

    def never_decreases(self) -> bool:
        """Whether the activation is monotone, and stays so, in every network; then it commutes with max-pooling."""
        return self.activation.monotone and bool((self.slope.value >= 0).all())

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
        self.x = side_by_side(x)
        pooled, self.indices = aten.max_pool2d_with_indices(self.x, [2, 2])
        return apart(pooled, len(x))

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        delta_x = aten.max_pool2d_with_indices_backward(
            side_by_side(delta), self.x, [2, 2], [2, 2], [0, 0], [1, 1], False, self.indices
        )
        return apart(delta_x, len(delta))

    def parameters(self) -> list[Parameter]:
        return []


class Flatten:
    """Images to vectors, channel by channel as in ``torch.nn.Flatten``."""

    def forward(self, x: Tensor) -> Tensor:
        """(K, B, C, H, W) -> (K, C * H * W, B)."""
        self.shape = x.shape
        return x.permute(0, 2, 3, 4, 1).reshape(x.shape[0], -1, x.shape[1])

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        networks, batch, channels, height, width = self.shape
        images = delta.new_empty(batch, height, width, networks, channels).permute(3, 0, 4, 1, 2)
        return images.copy_(delta.view(networks, channels, height, width, batch).permute(0, 4, 1, 2, 3))

    def parameters(self) -> list[Parameter]:
        return []
