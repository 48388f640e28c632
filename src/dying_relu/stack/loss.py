"""The loss of a stack: cross-entropy of each network on the shared minibatch."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


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
    log_probability = functional.log_softmax(logits, dim=1)
    index = labels.expand(logits.shape[0], 1, -1)
    loss = -log_probability.gather(1, index).mean((1, 2))
    gradient = log_probability.exp_()
    gradient.scatter_add_(1, index, gradient.new_full((1, 1, 1), -1.0).expand(index.shape))
    return CrossEntropy(loss, gradient.div_(labels.shape[0]))


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the share of examples whose largest logit is the label's.

    Args:
        logits: (K, classes, B).
        labels: (B,) class numbers.

    Returns:
        (K,).
    """
    return (logits.argmax(1) == labels).to(torch.get_default_dtype()).mean(1)
