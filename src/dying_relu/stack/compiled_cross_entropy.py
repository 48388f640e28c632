"""Cross-entropy and its gradient in one compiled pass, on the CPU."""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from dying_relu.stack.exponential import exponential


def loss_and_gradient(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean cross-entropy of each network, and its gradient.

    Args:
        logits: (K, classes, B) float32.
        labels: (B,) class numbers.

    Returns:
        (K,) and (K, classes, B).
    """
    loss, gradient = logits.new_empty(len(logits)), torch.empty_like(logits)
    _cross_entropy(logits.contiguous().numpy(), labels.numpy(), loss.numpy(), gradient.numpy())
    return loss, gradient


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _cross_entropy(logits: np.ndarray, labels: np.ndarray, loss: np.ndarray, gradient: np.ndarray) -> None:
    """Compute loss (K,) and gradient (K, classes, B) in one pass, the examples side by side."""
    networks, classes, batch = logits.shape
    share = np.float32(1) / np.float32(batch)
    largest, total = np.empty(batch, np.float32), np.empty(batch, np.float32)
    for k in range(networks):
        largest[:], total[:] = -np.inf, 0
        for c in range(classes):
            for b in range(batch):
                value = logits[k, c, b]
                largest[b] = value if value > largest[b] else largest[b]  # noqa: FURB136
        for c in range(classes):
            for b in range(batch):
                value = exponential(logits[k, c, b] - largest[b])
                gradient[k, c, b] = value
                total[b] += value
        amount = 0.0
        for b in range(batch):
            amount += np.log(total[b]) + largest[b] - logits[k, labels[b], b]
            total[b] = share / total[b]
        for c in range(classes):
            for b in range(batch):
                gradient[k, c, b] *= total[b]
        for b in range(batch):
            gradient[k, labels[b], b] -= share
        loss[k] = amount / batch
