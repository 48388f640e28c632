"""A forward pass that is compiled, that differentiates, or of which parts are checkpointed is measured as it was written."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from written_models import INPUTS, Written, counts, killed

from dying_relu import probe

pytestmark = pytest.mark.usefixtures("seeded")


def test_compiled_parts_run_as_they_were_written() -> None:
    part = torch.compile(nn.Sequential(killed(nn.Linear(4, 8), 3), nn.ReLU()), backend="eager")
    model = nn.Sequential(part, killed(nn.Linear(8, 8), 2), nn.ReLU())
    model(INPUTS)
    assert list(counts(model, [INPUTS]).values()) == [(3, 8), (2, 8)]
    function = torch.compile(torch.relu, backend="eager")
    assert list(
        counts(
            Written(lambda m, x: function(m.first(x)), first=killed(nn.Linear(4, 6), 2)), [INPUTS]
        ).values()
    ) == [(2, 6)]


def energy(m: Written, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_(True)
    return -torch.autograd.grad(m.last(functional.silu(m.first(x))).sum(), x)[0]


def second_derivative(m: Written, x: Tensor) -> Tensor:
    x = x.requires_grad_(True)
    u = m.last(torch.tanh(m.first(x)))
    (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
    return torch.autograd.grad(slope.sum(), x)[0]


def with_functional_gradient(m: Written, x: Tensor) -> Tensor:
    return torch.vmap(torch.func.grad(lambda one: m.last(torch.tanh(m.first(one))).sum()))(x)


def with_jacobian(m: Written, x: Tensor) -> Tensor:
    return torch.func.jacrev(lambda one: torch.tanh(m.first(one)))(x[0])


@pytest.mark.parametrize("forward", [energy, second_derivative, with_functional_gradient, with_jacobian])
def test_a_forward_that_differentiates_is_measured(forward: Callable) -> None:
    model = Written(forward, first=nn.Linear(4, 6), last=nn.Linear(6, 1))
    inputs = INPUTS.clone()
    ((dead, units),) = counts(model, [inputs, inputs]).values()
    assert (dead, units) == (0, 6)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointed_layers_have_gradients(reentrant: bool) -> None:
    part = nn.Sequential(killed(nn.Linear(4, 8), 3), nn.ReLU())
    model = Written(
        lambda m, x: m.last(checkpoint(m.part, x, use_reentrant=reentrant)), part=part, last=nn.Linear(8, 2)
    )
    table = probe(model, [(INPUTS, torch.zeros(16, 2))], loss=functional.mse_loss).units("part.1")
    assert (table["gradient_norm"] > 0).tolist() == [False] * 3 + [True] * 5
    assert "apply" not in vars(torch.utils.checkpoint.CheckpointFunction)
