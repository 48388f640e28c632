"""Activation functions: each is one entry, made of a function and its gradient.

Both take a tensor of any shape and the slope left of zero, which broadcasts against it (one slope per network in a stack, or a
plain number); activations without a slope ignore it. PyTorch is imported when they are first called, since a study's file is checked
against the names here, and a study is planned without PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dying_relu.extensions import Registry

if TYPE_CHECKING:
    from torch import Tensor

    Slope = Tensor | float

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
        with_derivative: contiguous float32 z on the CPU -> f(z) and f'(z), where both together cost less than one after the other;
            for activations without a slope.
        default_slope: used where a study gives none; None for activations without a slope.
        label: its name in figures and tables; None: the name that studies give it.
        is_surrogate: the gradient is another function's, so that f and max-pooling cannot change places.
    """

    function: Callable[[Tensor, Slope], Tensor]
    gradient: Callable[[Tensor, Tensor, Slope], Tensor]
    monotone: bool = True
    learns_slope: bool = False
    rectifies: bool = False
    with_derivative: Callable[[Tensor], tuple[Tensor, Tensor]] | None = None
    default_slope: float | None = None
    label: str | None = None
    is_surrogate: bool = False

    def derivative(self, z: Tensor, slope: Slope) -> Tensor:
        """Differentiate f at every element, as training sees it (float32 underflow included).

        Args:
            z: pre-activations of any shape.
            slope: left of zero; broadcasts against ``z``.

        Returns:
            f'(z), of the shape of ``z``.
        """
        return self.gradient(z.new_ones(()).expand_as(z), z, slope)


def relu(z: Tensor, slope: Slope) -> Tensor:
    """max(0, z)."""
    return z.relu()


def relu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta where z > 0, else 0."""
    return _aten().threshold_backward(delta, z, 0)


def leaky_relu(z: Tensor, slope: Slope) -> Tensor:
    """z where z > 0, else slope * z (Maas et al., 2013); with a learned slope PReLU (He et al., 2015, eq. 1).

    >>> import torch
    >>> leaky_relu(torch.tensor([-2.0, 3.0]), 0.5)
    tensor([-1.,  3.])
    """
    # relu(z) + slope * (z - relu(z)): many times faster than a choice by torch.where, and exact where z > 0.
    return z.relu().lerp(z, slope)


def leaky_relu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta where z > 0, else slope * delta."""
    return _aten().threshold_backward(delta, z, 0).lerp(delta, slope)


def elu(z: Tensor, slope: Slope) -> Tensor:
    """z where z > 0, else exp(z) - 1 (Clevert et al., 2016)."""
    return _functional().elu(z)


def elu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta where z > 0, else delta * exp(z)."""
    return _aten().elu_backward(delta, 1.0, 1.0, 1.0, False, z)


def selu(z: Tensor, slope: Slope) -> Tensor:
    """A scaled ELU that keeps mean 0 and variance 1 (Klambauer et al., 2017, eq. 2)."""
    return _functional().selu(z)


def selu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta * scale where z > 0, else delta * scale * alpha * exp(z)."""
    return _aten().elu_backward(delta, SELU_ALPHA, SELU_SCALE, 1.0, False, z)


def gelu(z: Tensor, slope: Slope) -> Tensor:
    """z * Phi(z), Phi the normal distribution function, by erf (Hendrycks & Gimpel, 2016)."""
    return _functional().gelu(z)


def gelu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta * (Phi(z) + z * phi(z))."""
    return _aten().gelu_backward(delta, z)


def gelu_with_derivative(z: Tensor) -> tuple[Tensor, Tensor]:
    """z * Phi(z) and Phi(z) + z * phi(z), in one pass."""
    from dying_relu.stack import gelu

    return gelu.gelu_with_derivative(z)


def silu(z: Tensor, slope: Slope) -> Tensor:
    """z * sigmoid(z), also called Swish (Ramachandran et al., 2017)."""
    return _functional().silu(z)


def silu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta * sigmoid(z) * (1 + z * (1 - sigmoid(z)))."""
    return _aten().silu_backward(delta, z)


def tanh(z: Tensor, slope: Slope) -> Tensor:
    """The hyperbolic tangent: the control, which has no half-line of zeros."""
    return z.tanh()


def tanh_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta * (1 - tanh(z)^2)."""
    return _aten().tanh_backward(delta, z.tanh())


# Horuz et al. (2025), eq. 7 and section 4.
B_SILU_ALPHA = 1.67
NELU_ALPHA = 0.05


def b_silu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta times the derivative of B-SiLU, (z + 1.67) * sigmoid(z) - 1.67 / 2, in the place of ReLU's (SUGAR; Horuz et al., 2025)."""
    sigmoid = z.sigmoid()
    return delta * (sigmoid + (z + B_SILU_ALPHA) * sigmoid * (1 - sigmoid))


def nelu_gradient(delta: Tensor, z: Tensor, slope: Slope) -> Tensor:
    """delta where z > 0, else delta * 0.05 * 2 z / (1 + z^2)^2, the derivative of NeLU (SUGAR; Horuz et al., 2025)."""
    # By two divisions: the square of a large z would overflow sooner.
    left = (2 * NELU_ALPHA) * z / (1 + z.square()) / (1 + z.square())
    return delta * left.where(z <= 0, 1.0)


def _aten() -> Any:
    """Look up PyTorch's operators, among them gradients that have no other name."""
    import torch

    return torch.ops.aten


def _functional() -> Any:
    from torch.nn import functional

    return functional


ACTIVATIONS = Registry[Activation]("activation")
"""By the name that studies give them, in the order in which figures show them."""

ACTIVATIONS.add("relu", Activation(relu, relu_gradient, rectifies=True, label="ReLU"))
# Default slopes are PyTorch's.
ACTIVATIONS.add(
    "leaky_relu",
    Activation(leaky_relu, leaky_relu_gradient, default_slope=0.01, rectifies=True, label="leaky ReLU"),
)
# A learned slope can turn negative, and then PReLU is not monotone.
ACTIVATIONS.add(
    "prelu",
    Activation(
        leaky_relu, leaky_relu_gradient, monotone=False, learns_slope=True, default_slope=0.25, label="PReLU"
    ),
)
ACTIVATIONS.add("elu", Activation(elu, elu_gradient, label="ELU"))
ACTIVATIONS.add("selu", Activation(selu, selu_gradient, label="SELU"))
ACTIVATIONS.add(
    "gelu",
    Activation(gelu, gelu_gradient, monotone=False, with_derivative=gelu_with_derivative, label="GELU"),
)
ACTIVATIONS.add("silu", Activation(silu, silu_gradient, monotone=False, label="SiLU"))
ACTIVATIONS.add("tanh", Activation(tanh, tanh_gradient, label="tanh"))
ACTIVATIONS.add(
    "relu_b_silu", Activation(relu, b_silu_gradient, is_surrogate=True, label="ReLU, B-SiLU gradient")
)
ACTIVATIONS.add("relu_nelu", Activation(relu, nelu_gradient, is_surrogate=True, label="ReLU, NeLU gradient"))
