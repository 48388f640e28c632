"""Every activation equals PyTorch's module, and its gradient equals autograd's."""

import pytest
import torch
from plain import Surrogate
from torch import nn

from dying_relu.stack.activations import ACTIVATIONS

MODULES = {
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.1),
    "prelu": nn.PReLU(init=0.1),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "tanh": nn.Tanh(),
    "relu_b_silu": Surrogate(lambda z: (z + 1.67) * z.sigmoid() - 1.67 / 2),
    "relu_nelu": Surrogate(lambda z: torch.where(z > 0, z, -0.05 / (1 + z.square()))),
}
Z = torch.cat([torch.linspace(-30, 30, 4001), torch.tensor([0.0, -0.0, -1e-38, 1e-38])])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_function_and_gradient_are_pytorchs(name: str) -> None:
    z = Z.clone().requires_grad_()
    delta = torch.cos(Z)
    expected = MODULES[name](z)
    (gradient,) = torch.autograd.grad(expected, z, delta)
    torch.testing.assert_close(ACTIVATIONS[name].function(Z, 0.1), expected.detach())
    torch.testing.assert_close(ACTIVATIONS[name].gradient(delta, Z, 0.1), gradient)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_monotone_activations_never_decrease(name: str) -> None:
    rises = ACTIVATIONS[name].function(Z[:4001], -0.5 if ACTIVATIONS[name].learns_slope else 0.1).diff()
    assert bool((rises >= 0).all()) is ACTIVATIONS[name].monotone


def test_relu_is_the_larger_of_zero_and_its_argument() -> None:
    assert torch.equal(ACTIVATIONS["relu"].function(Z, 0.0), torch.maximum(torch.zeros(()), Z))
