"""The loss of a stack: that of each network on the shared minibatch, with its gradient.

A loss is one entry: a function of logits and labels. PyTorch is imported when it is called, since a study's file is checked against the
names here, and a study is planned without PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dying_relu.extensions import Registry

if TYPE_CHECKING:
    from torch import Tensor

    LossFunction: TypeAlias = Callable[[Tensor, Tensor], "Loss"]


class Loss(NamedTuple):
    """The loss of K networks on a minibatch.

    Attributes:
        loss: (K,) mean loss of each network.
        gradient: (K, classes, B) its gradient with respect to the logits.
    """

    loss: Tensor
    gradient: Tensor


LOSSES: Registry[LossFunction] = Registry("loss")
"""By the name that studies give them."""


@LOSSES.named("cross_entropy")
def cross_entropy(logits: Tensor, labels: Tensor) -> Loss:
    """Compute the mean cross-entropy and its gradient.

    Args:
        logits: (K, classes, B).
        labels: (B,) class numbers.

    Returns:
        Loss and gradient of each network; NaN or inf where a network overflowed.
    """
    from torch import float32
    from torch.nn import functional

    from dying_relu.stack.execution import by_operators

    if logits.dtype == float32 and not by_operators(logits.device):
        from dying_relu.stack.compiled_cross_entropy import loss_and_gradient

        return Loss(*loss_and_gradient(logits, labels))
    log_probability = functional.log_softmax(logits, dim=1)
    index = labels.expand(logits.shape[0], 1, -1)
    loss = -log_probability.gather(1, index).mean((1, 2))
    gradient = log_probability.exp_()
    gradient.scatter_add_(1, index, gradient.new_full((1, 1, 1), -1.0).expand(index.shape))
    return Loss(loss, gradient.div_(labels.shape[0]))


@LOSSES.named("squared_error")
def squared_error(logits: Tensor, labels: Tensor) -> Loss:
    """Compute the mean squared difference of logits and one-hot labels over examples and classes, and its gradient.

    Args:
        logits: (K, classes, B).
        labels: (B,) class numbers.

    Returns:
        Loss and gradient of each network; NaN or inf where a network overflowed. As torch.nn.functional.mse_loss.
    """
    index = labels.expand(logits.shape[0], 1, -1)
    difference = logits.scatter_add(1, index, logits.new_full((1, 1, 1), -1.0).expand(index.shape))
    loss = difference.square().mean((1, 2))
    return Loss(loss, difference.mul_(2 / (logits.shape[1] * labels.shape[0])))


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the share of examples whose largest logit is the label's.

    Args:
        logits: (K, classes, B).
        labels: (B,) class numbers.

    Returns:
        (K,).
    """
    import torch

    return (logits.argmax(1) == labels).to(torch.get_default_dtype()).mean(1)
