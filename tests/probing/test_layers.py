"""Calls of an activation that the same weights feed are one layer, and all others are layers of their own."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from written_models import INPUTS, Written, counts, killed

from dying_relu import probe

pytestmark = pytest.mark.usefixtures("seeded")


def head(m: Written, x: Tensor) -> Tensor:
    return sum(m.last(m.act(m.first(level))).mean() for level in (x, -x, 2 * x))


def siamese(m: Written, x: Tensor) -> Tensor:
    return m.last(torch.relu(m.first(x))) - m.last(functional.relu(m.first(-x)))


def recurrence(m: Written, x: Tensor) -> Tensor:
    h = None
    for t in range(3):
        z = m.first(x * (-1) ** t)
        h = torch.relu(z if h is None else z + m.again(h))
    return m.last(h)


def with_norms_of_their_own(m: Written, x: Tensor) -> Tensor:
    return sum(m.last(torch.relu(norm(m.first(y)))) for norm, y in ((m.a, x), (m.b, -x)))


@pytest.mark.parametrize("forward", [head, siamese, recurrence, with_norms_of_their_own])
def test_calls_of_the_same_weights_are_one_layer(forward: Callable) -> None:
    first = nn.Linear(4, 6)
    with torch.no_grad():
        first.weight.fill_(1.0)
        first.bias.fill_(0.0)
        first.weight[0], first.bias[0] = 0.0, -99.0  # dead in every call
    again = nn.Linear(6, 6, bias=False)
    nn.init.zeros_(again.weight)
    model = Written(
        forward,
        first=first,
        again=again,
        act=nn.ReLU(),
        last=nn.Linear(6, 1),
        a=nn.BatchNorm1d(6),
        b=nn.BatchNorm1d(6),
    )
    inputs = torch.rand(8, 4) + 0.1
    report = probe(model, [inputs, inputs])
    ((name, layer),) = report.layers.items()
    table = report.units(name)
    assert table["dead"].tolist() == [True] + [False] * 5
    assert len(layer.calls) == (2 if forward in (siamese, with_norms_of_their_own) else 3)
    assert layer.statistics.examples == 16
    assert table["active_examples"].tolist() == [0] + [16] * 5
    assert table["calls"][0].split(", ") == list(layer.calls)


def test_two_activations_of_one_tensor_are_two_layers() -> None:
    model = Written(
        lambda m, x: (lambda z: torch.relu(z) + torch.relu(-z))(m.first(x)), first=nn.Linear(4, 6)
    )
    assert list(counts(model, [INPUTS, INPUTS])) == ["relu", "relu#2"]


def test_residual_blocks_before_their_activation_stay_apart() -> None:
    def forward(m: Written, x: Tensor) -> Tensor:
        for layer in m.blocks:
            x = x + layer(torch.relu(x))
        return x

    blocks = nn.ModuleList(killed(nn.Linear(4, 4), 0) for _ in range(3))
    model = Written(
        lambda m, x: forward(m, m.stem(x)) + forward(m, m.stem(-x)), stem=nn.Linear(4, 4), blocks=blocks
    )
    report = probe(model, [INPUTS])
    assert [len(layer.calls) for layer in report.layers.values()] == [2, 2, 2]


def test_tied_weights_that_are_read_both_ways_are_two_layers() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 4))

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(torch.relu(x @ self.weight) @ self.weight.T)

    assert list(counts(Tied(), [INPUTS])) == ["relu", "relu#2"]


def test_weights_computed_from_parameters_are_told_apart() -> None:
    layers = nn.ModuleList(nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)) for _ in range(2))
    model = Written(lambda m, x: torch.relu(m.l[1](torch.relu(m.l[0](x)))) + torch.relu(m.l[0](-x)), l=layers)
    report = probe(model, [INPUTS])
    assert {name: list(layer.calls) for name, layer in report.layers.items()} == {
        "relu": ["relu", "relu#3"],
        "relu#2": ["relu#2"],
    }
