"""Losses and their gradients are PyTorch's."""

import pytest
import torch
from torch.nn import functional

from dying_relu.stack.loss import LOSSES

PLAIN = {
    "cross_entropy": functional.cross_entropy,
    "squared_error": lambda logits, labels: functional.mse_loss(
        logits, functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradient_are_pytorchs(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 7, 11, generator=generator, dtype=torch.float64)
    labels = torch.randint(7, (11,), generator=generator)
    loss = LOSSES[name](logits, labels)
    for k in range(3):
        z = logits[k].T.clone().requires_grad_()
        expected = PLAIN[name](z, labels)
        expected.backward()
        torch.testing.assert_close(loss.loss[k], expected.detach())
        torch.testing.assert_close(loss.gradient[k].T, z.grad)
