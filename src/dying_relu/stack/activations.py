"""The activation functions under study: each is one function and its gradient.

To add one, write the two functions and an entry in ``ACTIVATIONS``; configuration, training, measuring and figures find it
there. Both take a tensor of any shape and the slope left of zero, which broadcasts against it (one slope per
network in a stack, or a plain number); activations without a slope ignore it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Slope = Tensor | float
aten = torch.ops.aten

# Klambauer et al. (2017), section 2: the fixed point of mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@dataclass(frozen=True)
class Activation:
    """A non-linearity applied element by element.

    Attributes:
        function: (pre-activation z, slope) -> activation f(z).
        gradient: (delta, z, slope) -> delta * f'(z); PyTorch's convention at kinks: f'(0) is the left derivative.
        monotone: f never decreases (where there is a slope: while it is not negative).
        learns_slope: the slope is a parameter of each layer (PReLU).
        rectifies: f(z) is z where z > 0, else the slope times z, with a fixed slope.
    """

    function: Callable[[Tensor, Slope], Tensor]
    gradient: Callable[[Tensor, Tensor, Slope], Tensor]
    monotone: bool = True
    learns_slope: bool = False
    rectifies: bool = False

    def derivative(self, z: Tensor, slope: Slope) -> Tensor:
        """f'(z), element by element, as training sees it (float32 underflow included)."""
        return self.gradient(z.new_ones(()).expand_as(z), z, slope)


def relu(z: Tensor, slope: Slope) -> Tensor:
    """max(0, z)."""
    return z.relu()


def relu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta where z > 0, else 0."""
    return aten.threshold_backward(delta, z, 0)


def leaky_relu(z: Tensor, slope: Slope) -> Tensor:
    """z where z > 0, else slope * z (Maas et al., 2013); with a learned slope PReLU (He et al., 2015, eq. 1).

    >>> leaky_relu(torch.tensor([-2.0, 3.0]), 0.5)
    tensor([-1.,  3.])
    """
    # relu(z) + slope * (z - relu(z)): many times faster than torch.where, and exact where z > 0.
    return torch.lerp(z.relu(), z, slope)


def leaky_relu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta where z > 0, else slope * delta."""
    return torch.lerp(aten.threshold_backward(delta, z, 0), delta, slope)


def elu(z: Tensor, slope: Slope) -> Tensor:
    """z where z > 0, else exp(z) - 1 (Clevert et al., 2016)."""
    return functional.elu(z)


def elu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta where z > 0, else delta * exp(z)."""
    return aten.elu_backward(delta, 1.0, 1.0, 1.0, False, z)


def selu(z: Tensor, slope: Slope) -> Tensor:
    """A scaled ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017, eq. 2)."""
    return functional.selu(z)


def selu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta * scale where z > 0, else delta * scale * alpha * exp(z)."""
    return aten.elu_backward(delta, SELU_ALPHA, SELU_SCALE, 1.0, False, z)


def gelu(z: Tensor, slope: Slope) -> Tensor:
    """z * Phi(z), Phi the normal distribution function, by erf (Hendrycks & Gimpel, 2016)."""
    return functional.gelu(z)


def gelu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta * (Phi(z) + z * phi(z))."""
    return aten.gelu_backward(delta, z)


def silu(z: Tensor, slope: Slope) -> Tensor:
    """z * sigmoid(z), also called Swish (Ramachandran et al., 2017)."""
    return functional.silu(z)


def silu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta * sigmoid(z) * (1 + z * (1 - sigmoid(z)))."""
    return aten.silu_backward(delta, z)


def tanh(z: Tensor, slope: Slope) -> Tensor:
    """The hyperbolic tangent: the control, which has no half-line of zeros."""
    return z.tanh()


def tanh_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta * (1 - tanh(z)^2)."""
    return aten.tanh_backward(delta, z.tanh())


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(relu, relu_gradient, rectifies=True),
    "leaky_relu": Activation(leaky_relu, leaky_relu_gradient, rectifies=True),
    # A learned slope can turn negative, and then PReLU is not monotone.
    "prelu": Activation(leaky_relu, leaky_relu_gradient, monotone=False, learns_slope=True),
    "elu": Activation(elu, elu_gradient),
    "selu": Activation(selu, selu_gradient),
    "gelu": Activation(gelu, gelu_gradient, monotone=False),
    "silu": Activation(silu, silu_gradient, monotone=False),
    "tanh": Activation(tanh, tanh_gradient),
}
