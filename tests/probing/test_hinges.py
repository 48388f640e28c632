"""Statistics in closed form are those of autograd."""

import pytest
import torch
from torch import Tensor, nn

from dying_relu import probe

KINDS: dict[str, nn.Module] = {
    "ReLU6": nn.ReLU6(),
    "hardtanh": nn.Hardtanh(),
    "hardtanh from 0": nn.Hardtanh(0, 2),
    "hardtanh askew": nn.Hardtanh(-3, 0.5),
    "leaky": nn.LeakyReLU(0.2),
    "leaky, steep": nn.LeakyReLU(1.5),
    "leaky, flat": nn.LeakyReLU(0.0),
    "ELU": nn.ELU(0.7),
    "CELU": nn.CELU(0.7),
    "SELU": nn.SELU(),
    "GELU": nn.GELU(),
    "GELU, tanh": nn.GELU(approximate="tanh"),
    "SiLU": nn.SiLU(),
    "Mish": nn.Mish(),
    "softplus": nn.Softplus(2.0),
    "hardswish": nn.Hardswish(),
    "hardsigmoid": nn.Hardsigmoid(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "softsign": nn.Softsign(),
}


@pytest.mark.parametrize("shape", [(9, 5), (6, 5, 4, 7), (6, 5, 8, 8)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("function", KINDS.values(), ids=KINDS)
def test_statistics_are_those_of_autograd(
    function: nn.Module, shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(0)
    z = (4 * torch.randn(shape, generator=generator)).to(dtype)
    z[:, 0], z[:, 1] = -z[:, 0].abs() - 0.1, z[:, 1].abs() + 7  # on one side of all bounds
    model = nn.Sequential(nn.Identity(), function)
    halves = z[:4], z[4:]
    seen = probe(model, halves, unit_axis=1).layers["1"].statistics
    wide = z.to(torch.float64 if dtype == torch.float64 else torch.float32).requires_grad_()
    values = function(wide)
    (slopes,) = torch.autograd.grad(values.sum(), wide)

    def by_unit(tensor: Tensor) -> Tensor:
        return tensor.detach().double().movedim(1, 0).flatten(1)

    closeness = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(seen.pre_activation_max.double(), by_unit(wide).amax(1))
    torch.testing.assert_close(seen.activation_max.double(), by_unit(values).abs().amax(1), **closeness)
    torch.testing.assert_close(seen.derivative_max.double(), by_unit(slopes).abs().amax(1), **closeness)
    torch.testing.assert_close(seen.activation_sum, by_unit(values).abs().sum(1), rtol=1e-4, atol=1e-3)
    assert seen.active_count.tolist() == (by_unit(wide) > 0).sum(1).tolist()
    awake = (z.double() > 0).movedim(1, -1).reshape(len(z), -1, 5).any(1).sum(0)
    assert seen.active_examples.tolist() == awake.tolist()
