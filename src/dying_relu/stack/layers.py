"""The layers of a stack: each has ``forward`` and ``backward``, written by hand.

Shapes: K networks, B examples of a minibatch, U units, C channels, H x W positions. Vectors are (K, U, B), so that all
operands of the matrix products are contiguous; images are (K, B, C, H, W), in memory (B, H, W, K, C)
(:mod:`~dying_relu.stack.images`). The first layer gets the minibatch without a model axis, (B, inputs) or
(B, H, W, C), because all networks share it, and so it sends no gradient back.

``backward`` takes the scaled gradient of the loss with respect to the layer's output, which it may overwrite, gives each of its
parameters' gradients to the optimiser, and returns the gradient with respect to its input (computed before its parameters change).
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from dying_relu.stack import deltas
from dying_relu.stack.activations import Activation
from dying_relu.stack.images import by_network, side_by_side
from dying_relu.stack.optimisers import Optimiser, Parameter

aten = torch.ops.aten


class Layer(Protocol):
    """One step of a stack of networks."""

    def forward(self, x: Tensor) -> Tensor:
        """The output for the input ``x``; what ``backward`` needs is remembered."""

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor | None:
        """Update the parameters.

        Args:
            delta: scaled gradient of the loss with respect to the output, of its shape.
            optimiser: takes the parameters' gradients.

        Returns:
            The gradient with respect to the input, of its shape; None if the input is the data.
        """

    def parameters(self) -> list[Parameter]:
        """The layer's parameters."""


class Linear:
    """K fully connected layers: weight (K, U, inputs), bias (K, U).

    Args:
        weight: initial weights.
        bias: initial biases.

    Attributes:
        activation: the layer that follows directly, if it is an activation: it may know the sum of what it sends back for each unit,
            which is the gradient of the bias.
    """

    activation: "ElementWise | None" = None

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
        delta_x = None if shared else self._gradient_of_input(delta)
        optimiser.add_product(self.weight, delta, self.x if shared else self.x.mT)
        optimiser.add(self.bias, self._gradient_of_bias(delta))
        return delta_x

    def _gradient_of_bias(self, delta: Tensor) -> Tensor:
        """(K, U)."""
        total = self.activation.total if self.activation is not None else None
        return delta.sum(-1) if total is None else total

    def _gradient_of_input(self, delta: Tensor) -> Tensor:
        """(K, inputs, B), in memory as the input was."""
        weight = self.weight.value
        return torch.bmm(weight.mT, delta) if self.x.is_contiguous() else torch.bmm(delta.mT, weight).mT

    def parameters(self) -> list[Parameter]:
        return [self.weight, self.bias]


class ElementWise:
    """An activation function; ``slope`` is (K,), and learned where the activation learns it (one slope a layer).

    Attributes:
        total: (K, U) after ``backward``, if it is known: for each unit, the sum of the gradient that was sent back.
    """

    def __init__(self, activation: Activation, slope: Tensor) -> None:
        self.activation = activation
        self.slope = Parameter(slope)
        self.bends_once = activation.rectifies or activation.learns_slope
        self.total: Tensor | None = None

    def forward(self, z: Tensor) -> Tensor:
        """Pre-activations (K, ...) -> activations of the same shape."""
        self.z, self.known_derivative = z, None
        if not deltas.is_compiled(z):
            return self.function(z)
        if self.bends_once:
            return deltas.rectified(z, self.slope.value)
        if self.activation.with_derivative is None or z.dtype != torch.float32:
            return self.function(z)
        activations, self.known_derivative = self.activation.with_derivative(z)
        return activations

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        gradient_of_slope = (
            (delta * self.z.clamp(max=0)).flatten(1).sum(1) if self.activation.learns_slope else None
        )
        delta_z = self._back(delta)
        if gradient_of_slope is not None:
            optimiser.add(self.slope, gradient_of_slope)
        return delta_z

    def _back(self, delta: Tensor) -> Tensor:
        """The gradient with respect to pre-activations, in place of ``delta`` where that is compiled."""
        self.total = None
        if not deltas.is_compiled(delta, self.z):
            return self.gradient(delta, self.z)
        if self.bends_once:
            self.total = deltas.gate(delta, self.z, self.slope.value)
        elif self.known_derivative is not None:
            self.total = deltas.multiply(delta, self.known_derivative)
        else:
            return self.gradient(delta, self.z)
        return delta

    def parameters(self) -> list[Parameter]:
        return [self.slope] if self.activation.learns_slope else []

    def function(self, z: Tensor) -> Tensor:
        """Activate pre-activations (K, ...), with nothing remembered."""
        return self._each(self.activation.function, z)

    def derivative(self, z: Tensor) -> Tensor:
        """Differentiate the activation at pre-activations (K, ...)."""
        return self._each(self.activation.derivative, z)

    def gradient(self, delta: Tensor, z: Tensor) -> Tensor:
        """Send the gradient ``delta`` with respect to activations (K, ...) back to pre-activations ``z`` (K, ...)."""
        return self._each(self.activation.gradient, delta, z)

    def _each(self, operation: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
        """Apply an operation that works element by element, and gets the slope last, to vectors or images of a stack."""
        slope, shape = self.slope.value, tensors[0].shape
        if len(shape) != 5:
            return operation(*tensors, slope.view(-1, *[1] * (len(shape) - 1)))
        # Contiguous, as in plain PyTorch, whose kernels round some activations otherwise where they find gaps in memory.
        rows = (side_by_side(images).contiguous() for images in tensors)
        return by_network(operation(*rows, slope.repeat_interleave(shape[2])), shape[0])


class Flatten:
    """Images to vectors: position by position, where ``torch.nn.Flatten`` goes channel by channel."""

    def forward(self, x: Tensor) -> Tensor:
        """(K, B, C, H, W) -> (K, H * W * C, B), in memory (K, B, H * W * C)."""
        self.image = x.shape[2:]
        return x.permute(0, 1, 3, 4, 2).flatten(2).mT

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        channels, height, width = self.image
        return delta.unflatten(1, (height, width, channels)).permute(0, 4, 3, 1, 2)

    def parameters(self) -> list[Parameter]:
        return []
