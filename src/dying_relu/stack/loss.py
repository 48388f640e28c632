"""The loss of a stack: cross-entropy of each network on the shared minibatch."""

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.nn import functional

from dying_relu.stack.exponential import exponential


@dataclass(frozen=True)
class CrossEntropy:
    """Mean cross-entropy over a minibatch.

    Attributes:
        loss: (K,) mean loss of each network.
        gradient: (K, classes, B) its gradient with respect to the logits.
    """

    loss: Tensor
    gradient: Tensor


def cross_entropy(logits: Tensor, labels: Tensor) -> CrossEntropy:
    """Compute the cross-entropy and its gradient.

    Args:
        logits: (K, classes, B).
        labels: (B,) class numbers.

    Returns:
        Loss and gradient of each network; NaN or inf where a network overflowed.
    """
    if logits.device.type == "cpu" and logits.dtype == torch.float32:
        loss, gradient = logits.new_empty(len(logits)), torch.empty_like(logits)
        _cross_entropy(logits.contiguous().numpy(), labels.numpy(), loss.numpy(), gradient.numpy())
        return CrossEntropy(loss, gradient)
    log_probability = functional.log_softmax(logits, dim=1)
    index = labels.expand(logits.shape[0], 1, -1)
    loss = -log_probability.gather(1, index).mean((1, 2))
    gradient = log_probability.exp_()
    gradient.scatter_add_(1, index, gradient.new_full((1, 1, 1), -1.0).expand(index.shape))
    return CrossEntropy(loss, gradient.div_(labels.shape[0]))


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


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the share of examples whose largest logit is the label's.

    Args:
        logits: (K, classes, B).
        labels: (B,) class numbers.

    Returns:
        (K,).
    """
    return (logits.argmax(1) == labels).to(torch.get_default_dtype()).mean(1)
