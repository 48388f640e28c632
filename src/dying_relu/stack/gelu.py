"""GELU and its derivative in one compiled pass: both need the same exponential."""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from dying_relu.stack.exponential import exponential

HALF, ONE = np.float32(0.5), np.float32(1)
INVERSE_ROOT_OF_TWO_PI = np.float32(0.3989422804014327)
# erf(x) = 1 - polynomial(1 / (1 + P x)) exp(-x^2) for x >= 0, to 1.5e-7 (Abramowitz & Stegun, 7.1.26); here x is z / sqrt(2).
P = np.float32(0.3275911 * 0.7071067811865476)
A1, A2, A3, A4, A5 = (
    np.float32(value) for value in (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
)


def gelu_with_derivative(z: Tensor) -> tuple[Tensor, Tensor]:
    """Compute z * Phi(z) and its derivative Phi(z) + z * phi(z).

    Args:
        z: contiguous float32 on the CPU, of any shape.

    Returns:
        Two tensors of its shape.
    """
    value, derivative = torch.empty_like(z), torch.empty_like(z)
    _gelu(z.view(-1).numpy(), value.view(-1).numpy(), derivative.view(-1).numpy())
    return value, derivative


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _gelu(z: np.ndarray, value: np.ndarray, derivative: np.ndarray) -> None:
    for n in range(len(z)):
        x = z[n]
        bell = exponential(-HALF * x * x)
        t = ONE / (ONE + P * abs(x))
        tail = HALF * bell * ((((A5 * t + A4) * t + A3) * t + A2) * t + A1) * t
        below = tail if x < 0 else ONE - tail
        value[n] = x * below
        derivative[n] = below + x * bell * INVERSE_ROOT_OF_TWO_PI
