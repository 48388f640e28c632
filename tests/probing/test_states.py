"""What a model keeps between calls is as it was after a measurement, in evaluation mode too, and is copied with it."""

import random
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import Monitor, probe, prune_dead, revive
from dying_relu.probing.states import copied, preserved_state


class Stateful(nn.Module):
    """Two layers, and a forward that begins or ends with something that stays."""

    def __init__(self, start: Callable[[Any], None], step: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.a, self.b, self.cell, self.lstm = (
            nn.Linear(4, 8),
            nn.Linear(8, 4),
            nn.RNNCell(4, 4),
            nn.LSTMCell(4, 4),
        )
        self.momentum = nn.Linear(4, 4)
        self.momentum.requires_grad_(False)
        with torch.no_grad():
            self.a.bias[:3] = -50
        self.step = step
        start(self)

    def forward(self, x: Tensor) -> Tensor:
        x = self.step(self, x)
        return self.b(functional.relu(self.a(x)))


def hidden(m: Any, x: Tensor) -> Tensor:
    m.h = m.cell(x, None if m.h is None else m.h.detach())
    return m.h


def hidden_pair(m: Any, x: Tensor) -> Tensor:
    m.state = m.lstm(x, None if m.state is None else tuple(part.detach() for part in m.state))
    return m.state[0]


def queue(m: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        m.queue[(torch.arange(len(x)) + int(m.at)) % 16] = x.detach()
        m.at.fill_((int(m.at) + len(x)) % 16)
    return x + m.queue.mean(0)


def average(m: Any, x: Tensor) -> Tensor:
    m.mean = 0.9 * m.mean + 0.1 * x.detach().mean(0)
    return x - m.mean


def momentum(m: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        m.momentum.weight.mul_(0.9).add_(m.cell.weight_ih, alpha=0.1)
    return x + m.momentum(x)


def momentum_by_data(m: Any, x: Tensor) -> Tensor:
    m.momentum.weight.data = m.momentum.weight.data * 0.9 + 0.1 * m.cell.weight_ih.data
    return x + m.momentum(x)


def counter(m: Any, x: Tensor) -> Tensor:
    m.calls += 1
    return x * (1 + m.calls % 3)


def memory(m: Any, x: Tensor) -> Tensor:
    m.memory.append(x.detach().mean(0))
    return x + sum(m.memory) / len(m.memory)


def memory_by_name(m: Any, x: Tensor) -> Tensor:
    m.memory["seen"] = m.memory.get("seen", 0) + len(x)
    m.memory["inner"]["sum"] += x.detach().sum(0)
    return x + m.memory["inner"]["sum"] / m.memory["seen"]


def own_object(m: Any, x: Tensor) -> Tensor:
    m.cache.sum = m.cache.sum + x.detach().mean(0)
    m.cache.calls += 1
    return x + m.cache.sum / m.cache.calls


def own_numbers(m: Any, x: Tensor) -> Tensor:
    noise = torch.rand(x.shape, generator=m.generator) + float(m.numpy.random()) + m.python.random()
    return x + 0.1 * noise


def made_at_the_first_call(m: Any, x: Tensor) -> Tensor:
    if not hasattr(m, "scale"):
        m.scale = x.detach().std(0)
    return x / m.scale


def buffer_made_at_the_first_call(m: Any, x: Tensor) -> Tensor:
    if "scale" not in m._buffers:
        m.register_buffer("scale", x.detach().std(0))
    return x / m.scale


def normalised_by_the_batch(m: Any, x: Tensor) -> Tensor:
    return functional.batch_norm(x, m.running, m.variance, training=True) + m.running


def starting(**values: Any) -> Callable[[Any], None]:
    def start(m: Any) -> None:
        for name, value in values.items():
            made = value() if callable(value) else value
            if isinstance(made, Tensor):
                m.register_buffer(name, made)
            else:
                setattr(m, name, made)

    return start


CASES: dict[str, tuple[Callable[[Any], None], Callable[[Any, Tensor], Tensor]]] = {
    "a hidden state": (starting(h=None), hidden),
    "a pair of hidden states": (starting(state=None), hidden_pair),
    "a queue": (
        starting(queue=lambda: torch.zeros(16, 4), at=lambda: torch.zeros((), dtype=torch.long)),
        queue,
    ),
    "a buffer that is replaced": (starting(mean=lambda: torch.zeros(4)), average),
    "a momentum encoder": (starting(), momentum),
    "a momentum encoder, by data": (starting(), momentum_by_data),
    "a counter": (starting(calls=0), counter),
    "a list": (starting(memory=list), memory),
    "a deque": (starting(memory=lambda: deque(maxlen=5)), memory),
    "a dict in a dict": (starting(memory=lambda: {"inner": {"sum": torch.zeros(4)}}), memory_by_name),
    "an object": (starting(cache=lambda: SimpleNamespace(sum=torch.zeros(4), calls=0)), own_object),
    "generators": (
        starting(
            generator=lambda: torch.Generator().manual_seed(1),
            numpy=lambda: np.random.default_rng(1),
            python=lambda: random.Random(1),
        ),
        own_numbers,
    ),
    "an attribute made at the first call": (starting(), made_at_the_first_call),
    "a buffer made at the first call": (starting(), buffer_made_at_the_first_call),
    "statistics of a function": (
        starting(running=lambda: torch.zeros(4), variance=lambda: torch.ones(4)),
        normalised_by_the_batch,
    ),
}


def model_of(case: str) -> Stateful:
    torch.manual_seed(0)
    return Stateful(*CASES[case])


def train(model: nn.Module, steps: int = 6) -> list[Tensor]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data, losses = torch.Generator().manual_seed(1), []
    for _ in range(steps):
        optimizer.zero_grad()
        losses.append(model(torch.randn(5, 4, generator=data)).square().mean())
        losses[-1].backward()
        optimizer.step()
    return [loss.detach() for loss in losses]


OTHERS = [torch.randn(5, 4, generator=torch.Generator().manual_seed(seed)) for seed in (2, 3)]


@pytest.mark.parametrize("case", CASES)
def test_a_watched_training_is_the_same_to_the_bit(case: str) -> None:
    alone, watched = model_of(case), model_of(case)
    losses = train(alone)
    with Monitor(watched, OTHERS, every=2) as monitor:
        others = train(watched)
    assert monitor.history["step"].tolist() == [0, 2, 4, 6]
    assert all(map(torch.equal, losses, others))
    states = alone.state_dict(), watched.state_dict()
    assert states[0].keys() == states[1].keys()
    assert all(tensor.equal(states[1][name]) for name, tensor in states[0].items())


@pytest.mark.parametrize("case", CASES)
def test_pruning_and_reviving_leave_the_state(case: str) -> None:
    model, twin = model_of(case), model_of(case)
    for one in (model, twin):
        train(one, 2)
    with preserved_state(model):
        report = probe(model, OTHERS)
    pruned = prune_dead(model, report)
    assert pruned.a.out_features == 8 - int(report.units("relu")["dead"].sum()) < 8
    x = torch.randn(5, 4)
    assert model(x).equal(twin(x))
    with preserved_state(model):
        report = probe(model, OTHERS)
    assert revive(model, report)["revived"].sum() >= 3
    assert torch.allclose(model(x), twin(x), atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_a_copy_goes_its_own_way(case: str) -> None:
    model, twin = model_of(case), model_of(case)
    for one in (model, twin):
        train(one, 2)
    copy = copied(model)
    x = torch.randn(5, 4)
    assert copy(x).equal(twin(x))
    copy(x)
    assert model(x).equal(copied(twin).forward(x)) or not model(x).equal(copy(x))


def test_what_is_written_within_a_view_of_a_parameter_is_restored() -> None:
    layer = nn.Linear(3, 2)
    old = layer.weight.detach().clone()
    with preserved_state(layer), torch.no_grad():
        layer.weight[0].zero_()
        layer.bias.detach().add_(1)
    assert layer.weight.equal(old)
