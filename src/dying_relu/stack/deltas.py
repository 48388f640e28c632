"""Vectors before and after an activation, (K, U, B), in one compiled pass each way.

On the way back the gradient is changed in place, and summed over the minibatch in the same pass: that is the gradient of the bias
of the layer before. The sum of a unit is that of its own row, whatever else is in the stack.
"""

import numpy as np
from numba import njit
from torch import Tensor

from dying_relu.stack.execution import by_operators


def is_compiled(*vectors: Tensor) -> bool:
    """Tell if the functions of this module take these tensors: (K, U, B), contiguous, where the CPU's compiled loops are used."""
    return all(each.dim() == 3 and not by_operators(each.device) and each.is_contiguous() for each in vectors)


def rectified(z: Tensor, slope: Tensor) -> Tensor:
    """Apply a (leaky) ReLU.

    Args:
        z: (K, U, B) pre-activations.
        slope: (K,) left of zero.

    Returns:
        z where it is positive or NaN, else slope * z; exactly 0 where the slope is 0.
    """
    activations = z.new_empty(z.shape)
    _rectify(z.flatten(1).numpy(), slope.to(z.dtype).numpy(), activations.flatten(1).numpy())
    return activations


def gate(delta: Tensor, z: Tensor, slope: Tensor) -> Tensor:
    """Send the gradient back through a (leaky) ReLU.

    Args:
        delta: (K, U, B) gradient with respect to activations; afterwards that with respect to pre-activations.
        z: (K, U, B) pre-activations.
        slope: (K,) left of zero.

    Returns:
        (K, U) its sum over the minibatch.
    """
    total = delta.new_empty(delta.shape[:2])
    _gate(delta.numpy(), z.numpy(), slope.to(delta.dtype).numpy(), total.numpy())
    return total


def multiply(delta: Tensor, derivative: Tensor) -> Tensor:
    """Send the gradient back through an activation whose derivative is known.

    Args:
        delta: (K, U, B) gradient with respect to activations; afterwards that with respect to pre-activations.
        derivative: (K, U, B).

    Returns:
        (K, U) its sum over the minibatch.
    """
    total = delta.new_empty(delta.shape[:2])
    _multiply(delta.flatten(0, 1).numpy(), derivative.flatten(0, 1).numpy(), total.view(-1).numpy())
    return total


@njit(cache=True)
def _rectify(z: np.ndarray, slopes: np.ndarray, activations: np.ndarray) -> None:
    zero = z.dtype.type(0)
    for k in range(len(z)):
        slope = slopes[k]
        for n in range(z.shape[1]):
            value = z[k, n]
            # 0 times minus infinity is not a number.
            left = slope * value if slope != 0 else zero
            activations[k, n] = left if value <= 0 else value


@njit(cache=True, fastmath={"reassoc", "nsz"})
def _gate(delta: np.ndarray, z: np.ndarray, slopes: np.ndarray, total: np.ndarray) -> None:
    zero = delta.dtype.type(0)
    for k in range(len(z)):
        slope = slopes[k]
        for u in range(z.shape[1]):
            row, pre_activations, amount = delta[k, u], z[k, u], zero
            for b in range(len(row)):
                value = row[b]
                left = slope * value if slope != 0 else zero
                value = left if pre_activations[b] <= 0 else value
                row[b] = value
                amount += value
            total[k, u] = amount


@njit(cache=True, fastmath={"reassoc", "nsz"})
def _multiply(delta: np.ndarray, derivative: np.ndarray, total: np.ndarray) -> None:
    for n in range(len(delta)):
        row, factors, amount = delta[n], derivative[n], delta.dtype.type(0)
        for b in range(len(row)):
            value = row[b] * factors[b]
            row[b] = value
            amount += value
        total[n] = amount
