"""Remedies are tried on copies, do what they are called, and leave no trace."""

import copy
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.utils.data import DataLoader, TensorDataset

from dying_relu import probe, suggest
from dying_relu.errors import DyingReluError
from dying_relu.probing.remedies import REMEDIES

INPUTS = torch.randn(64, 6, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(64) % 3
BY_NAME = dict(zip(("rate", "clipping", "warm-up", "bias", "revived", "leaky"), REMEDIES, strict=True))


class Net(nn.Module):
    """One ReLU as a module and one as a function; ten units are born dead by their bias."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.norm, self.b, self.c = (
            nn.Linear(6, 32),
            nn.BatchNorm1d(16),
            nn.Linear(32, 16),
            nn.Linear(16, 3),
        )
        self.relu = nn.ReLU()
        self.last: Tensor | None = None
        with torch.no_grad():
            self.a.bias[:10] = -50

    def forward(self, x: Tensor) -> Tensor:
        self.last = functional.relu(self.norm(self.b(self.relu(self.a(x)))))
        return self.c(self.last)


def train(model: nn.Module, optimizer: Optimizer, steps: int = 12) -> None:
    for _ in range(steps):
        chosen = torch.randint(64, (16,))
        optimizer.zero_grad()
        functional.cross_entropy(model(INPUTS[chosen] + 0.01 * np.random.rand()), LABELS[chosen]).backward()  # noqa: NPY002
        optimizer.step()
        random.random()


def everything(model: nn.Module, optimizer: Optimizer) -> tuple[Any, ...]:
    return (
        copy.deepcopy(model.state_dict()),
        copy.deepcopy(optimizer.state_dict()),
        [parameter.grad.clone() for parameter in model.parameters()],
        [module.training for module in model.modules()],
        len(list(model._forward_hooks)),
        (torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()),  # noqa: NPY002
        model.last.clone(),
    )


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return one.equal(other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.mark.parametrize("schedule", [False, True])
def test_nothing_of_the_users_changes(schedule: bool) -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    if schedule:  # it puts functions on the optimizer, which belong to this one
        torch.optim.lr_scheduler.StepLR(optimizer, 5)
    train(model, optimizer)
    generator = torch.Generator().manual_seed(5)
    loader = DataLoader(TensorDataset(INPUTS, LABELS), batch_size=32, shuffle=True, generator=generator)
    before, drawn = everything(model, optimizer), generator.get_state()
    table = suggest(model, loader, train, optimizer)
    assert same(before, everything(model, optimizer))
    assert generator.get_state().equal(drawn)
    assert table["remedy"].tolist() == ["as it is", *REMEDIES]
    assert (table["note"] == "").all()
    assert table["loss"].notna().all()


def test_the_table_says_what_became_of_the_units() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    table = suggest(model, [INPUTS], train, optimizer).set_index("remedy")
    # The same training by hand.
    torch.manual_seed(0)
    twin = Net()
    state = torch.get_rng_state()
    first = suggest(twin, [INPUTS], train, torch.optim.SGD(twin.parameters(), lr=0.05), remedies=[])
    torch.set_rng_state(state)
    train(twin, torch.optim.SGD(twin.parameters(), lr=0.05))
    assert first["dead"].tolist() == [int(probe(twin, [INPUTS]).summary()["dead"].sum())]
    assert table.loc["as it is", "dead"] >= 10
    # Units that their bias holds down come back with it, or with new weights, or with a slope.
    for name in ("bias", "revived"):
        assert table.loc[BY_NAME[name], "revived"] >= 8
        assert table.loc[BY_NAME[name], "dead"] < table.loc["as it is", "dead"]
    assert table.loc[BY_NAME["leaky"], "dead"] == 0
    assert (table["dead_share"] == table["dead"] / 48).all()


def seen(remedy: str, own: bool) -> tuple[list[float], list[float], list[float]]:
    """The rate at every step, the norm of the gradient and how far the weights moved."""
    rates, norms, moves = [], [], []

    def observed(model: nn.Module, optimizer: Optimizer) -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=2.0) if own else optimizer
        rates.clear(), norms.clear(), moves.clear()
        for _ in range(8):
            optimizer.zero_grad()
            (100 * functional.cross_entropy(model(INPUTS), LABELS)).backward()
            old = model.a.weight.detach().clone()
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            moves.append(float((model.a.weight - old).norm()) / float(model.a.weight.grad.norm()))
            norms.append(float(nn.utils.get_total_norm([one.grad for one in model.parameters()])))

    model = Net()
    suggest(model, [INPUTS], observed, torch.optim.SGD(model.parameters(), lr=2.0), remedies=[remedy])
    return rates, norms, moves


@pytest.mark.parametrize("own", [False, True], ids=["the optimizer it is given", "one of its own"])
def test_rates_and_gradients_are_changed_whichever_optimizer_steps(own: bool) -> None:
    rates, _, moves = seen(BY_NAME["rate"], own)
    assert rates == [2.0] * 8  # a schedule sees its own
    assert moves == pytest.approx([0.2] * 8, rel=1e-3)
    _, _, moves = seen(BY_NAME["warm-up"], own)
    assert moves == pytest.approx([1.0, *[2.0] * 7], rel=1e-3)
    _, norms, _ = seen(BY_NAME["clipping"], own)
    assert max(norms) <= 1.0 + 1e-4


def test_a_remedy_that_cannot_be_tried_is_said_and_the_others_go_on() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8, bias=False), nn.Tanh(), nn.Linear(8, 3))
    table = suggest(model, [INPUTS], train).set_index("remedy")
    assert table.loc[BY_NAME["bias"], "note"].startswith("no bias of a layer before an activation")
    assert table.loc[BY_NAME["revived"], "note"] == "no dead unit can be revived"
    assert table["dead"].notna().sum() == 5


def test_a_number_that_the_training_returns_is_the_loss() -> None:
    model = Net()
    table = suggest(model, [INPUTS], lambda *_: 0.25, remedies=[])
    assert table["loss"].tolist() == [0.25]
    assert suggest(model, [INPUTS], lambda *_: None, remedies=[])["loss"].isna().all()


def test_an_error_of_the_training_passes_and_nothing_has_changed() -> None:
    model = Net()
    optimizer = torch.optim.Adam(model.parameters())
    train(model, optimizer)
    before = everything(model, optimizer)

    def fail(other: nn.Module, one: Optimizer) -> None:
        train(other, one)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        suggest(model, [INPUTS], fail, optimizer)
    assert same(before, everything(model, optimizer))


def test_mistakes_are_errors_in_words() -> None:
    model = Net()
    with pytest.raises(DyingReluError, match="there is no such remedy: found prayer; expected some of"):
        suggest(model, [INPUTS], train, remedies=["prayer"])
    with pytest.raises(DyingReluError, match="parameters that the model does not have"):
        suggest(model, [INPUTS], train, torch.optim.SGD(Net().parameters(), lr=0.1))
    with pytest.raises(DyingReluError, match="only once"):
        suggest(model, iter([INPUTS]), train)
