"""Loss and gradient of a stack are PyTorch's, also where a network overflowed."""

import pytest
import torch
from torch.nn import functional

from dying_relu.stack.loss import LOSSES, cross_entropy

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


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize("spread", [0.1, 5.0, 300.0])
def test_equals_pytorch(dtype: torch.dtype, tolerance: float, spread: float) -> None:
    stream = torch.Generator().manual_seed(0)
    logits = (torch.randn(3, 10, 21, generator=stream) * spread).to(dtype)
    labels = torch.randint(10, (21,), generator=stream)
    result = cross_entropy(logits, labels)
    for k in range(3):
        asked = logits[k].T.clone().requires_grad_()
        loss = functional.cross_entropy(asked, labels)
        loss.backward()
        torch.testing.assert_close(result.loss[k], loss.detach(), rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(result.gradient[k], asked.grad.T, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_one_network_that_overflowed_has_no_loss_and_the_others_have(value: float) -> None:
    logits = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(1))
    logits[1, 2, 3] = value
    result = cross_entropy(logits, torch.tensor([0, 1, 2, 3, 0]))
    assert result.loss.isfinite().tolist() == [True, False, True]
    assert result.gradient.flatten(1).isfinite().all(1).tolist() == [True, False, True]
