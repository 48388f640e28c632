"""Units are followed in models as people write them: transformers, plain parameters, transposed convolutions, random numbers."""

import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from followed_case import DEAD, DEAD_MEMBERS, Case, kill
from followed_convolutions import depthwise, first_of_generator
from followed_functions import ensemble, gated, gated_in_halves, reshaped_feed, with_noise
from followed_models import CASES
from followed_transformers import gpt2, llama
from torch import Tensor, nn
from written_models import Written

from dying_relu import probe, prune_dead, revive
from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import preserved_random_state
from dying_relu.probing.equivalence import require_equal
from dying_relu.probing.outputs import tensors_of
from dying_relu.probing.prune import removable

pytestmark = pytest.mark.usefixtures("seeded")

KEPT_BY_PRUNING = {
    depthwise,
    ensemble,
    first_of_generator,
    gated,
    gated_in_halves,
    gpt2,
    llama,
    reshaped_feed,
}
"""Models that only run with as many units as they have: what gates the units, or their own code, counts on all of them."""


def loader_of(batch: Any) -> list[Any]:
    return batch if isinstance(batch, list) else [batch]


def sizes(model: nn.Module) -> int:
    return sum(one.numel() for one in model.parameters())


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_dead_units_are_revived_and_the_outputs_stay(make: Callable[[], Case]) -> None:
    model, batch, layer = make()
    loader = loader_of(batch)
    report = probe(model, loader)
    dead = report.units(layer)["dead"]
    assert dead.to_numpy().nonzero()[0].tolist()[:3] == (DEAD_MEMBERS if make is ensemble else DEAD)
    before = outputs(model, loader)
    table = revive(model, report).set_index("layer")
    assert table.loc[layer, "reason"] == ""
    assert table.loc[layer, "revived"] == dead.sum()
    for old, new in zip(before, outputs(model, loader), strict=True):
        assert torch.allclose(old, new, rtol=0, atol=1e-5 * float(old.abs().max()))
    assert not probe(model, loader).units(layer)["dead"][dead].all()


def outputs(model: nn.Module, loader: list[Any]) -> list[Tensor]:
    torch.manual_seed(7)
    found = []
    with torch.no_grad():
        model.eval()
        for batch in loader:
            call = (
                model(**batch)
                if isinstance(batch, dict)
                else model(*batch)
                if isinstance(batch, tuple)
                else model(batch)
            )
            found += [one.clone() for one in tensors_of(call)]
    return found


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_dead_units_are_removed_or_stay_with_a_reason(make: Callable[[], Case]) -> None:
    model, batch, layer = make()
    loader = loader_of(batch)
    report = probe(model, loader)
    row = removable(model, report).set_index("layer").loc[layer]
    assert (row["removed"] == 0) == (make in KEPT_BY_PRUNING), row["reason"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pruned = prune_dead(model, report)
    require_equal(model, pruned, loader, report, "pruned", constant_draws=True)
    assert sizes(pruned) < sizes(model) or row["removed"] == 0


@dataclass
class Output:
    values: Tensor
    more: dict[str, list[Tensor]]


Pair = namedtuple("Pair", "first second")


class Slotted:
    __slots__ = ("values",)

    def __init__(self, values: Tensor) -> None:
        self.values = values


WRAPPED: dict[str, Callable[[Tensor], Any]] = {
    "a data class": lambda y: Output(y, {"more": [y + 1]}),
    "a named tuple": lambda y: Pair(y, Pair(y, None)),
    "a namespace": lambda y: SimpleNamespace(values=y),
    "an object with slots": Slotted,
    "a distribution": lambda y: torch.distributions.Normal(y, 1.0),
    "a data class in a list in a dict": lambda y: {"a": [Output(y, {})]},
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_outputs_are_compared_however_they_are_wrapped(wrap: Callable[[Tensor], Any]) -> None:
    parts = {"a": nn.Linear(3, 5), "b": nn.Linear(5, 2)}
    with torch.no_grad():
        parts["a"].weight[1], parts["a"].bias[1] = 1.0, 0.0
    model = Written(lambda m, x: wrap(m.b(torch.relu(m.a(x)))), **parts)
    negative, positive = -torch.rand(8, 3), torch.rand(8, 3)
    report = probe(model, [negative])
    prune_dead(model, report)
    for act in (prune_dead, revive):
        with pytest.raises(DyingReluError, match="outputs differ on batch 1"):
            act(model, report, data=[positive])


def test_outputs_without_a_tensor_prove_nothing() -> None:
    parts = {"a": nn.Linear(3, 5), "b": nn.Linear(5, 2)}
    kill(parts["a"].bias, [1])
    model = Written(lambda m, x: m.b(torch.relu(m.a(x))).tolist(), **parts)
    inputs = torch.rand(4, 3)
    with pytest.raises(DyingReluError, match="cannot be compared on batch 1: found 0 and 0 tensors"):
        prune_dead(model, probe(model, [inputs]))


def test_the_random_numbers_of_the_caller_are_not_missing() -> None:
    model, batch, _ = with_noise()
    report = probe(model, [batch])
    torch.manual_seed(3)
    prune_dead(model, report)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert drawn.equal(torch.rand(1))
    with preserved_random_state([]):
        revive(model, report, generator=torch.Generator().manual_seed(1))


def test_steps_of_a_recurrence_that_share_weights_stay_as_they_are() -> None:
    """A unit may be dead in one step and alive in another."""
    parts = {"i": nn.Linear(3, 6), "h": nn.Linear(6, 6), "o": nn.Linear(6, 2)}

    def forward(m: Any, x: Tensor) -> Tensor:
        state = torch.zeros(len(x), 6)
        for step in x.unbind(1):
            state = torch.relu(m.i(step) + m.h(state))
        return m.o(state)

    model, inputs = Written(forward, **parts), torch.randn(8, 4, 3)
    kill(parts["i"].bias, [2])
    before = outputs(model, [inputs])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        revive(model, probe(model, [inputs]))
    assert outputs(model, [inputs])[0].allclose(before[0], atol=1e-6)


class Doubled(torch.autograd.Function):
    """A function that reads units where nothing of Python's is seen."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x * 2 + 1

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient * 2


def test_what_a_custom_function_does_to_units_is_seen() -> None:
    parts = {"a": nn.Linear(3, 5), "b": nn.Linear(5, 2)}
    kill(parts["a"].bias, [1])
    model = Written(lambda m, x: m.b(Doubled.apply(torch.relu(m.a(x)))), **parts)
    report = probe(model, [torch.rand(4, 3)])
    assert removable(model, report)["reason"].tolist() == ["its output goes to add"]


def test_weights_that_are_read_by_another_way_too_stay() -> None:
    """A copy of them that follows them, as momentum encoders do."""
    parts = {"a": nn.Linear(4, 6), "b": nn.Linear(6, 2), "slow": nn.Linear(6, 2)}
    kill(parts["a"].bias, [1])

    def forward(m: Any, x: Tensor) -> Tensor:
        m.slow.weight.data.mul_(0.9).add_(m.b.weight, alpha=0.1)
        return m.b(torch.relu(m.a(x))) + m.slow(x[:, [0, 1, 2, 3, 0, 1]])

    report = probe(Written(forward, **parts), [torch.rand(8, 4)])
    model = Written(forward, **parts)
    assert removable(model, report)["reason"].tolist() == ["b is used in more than one place"]


def test_units_that_the_model_keeps_for_its_next_call_stay() -> None:
    """A recurrent network whose state is an attribute reads its units in the next call."""
    parts = {"i": nn.Linear(4, 6), "h": nn.Linear(6, 6), "o": nn.Linear(6, 2)}
    kill(parts["i"].bias, [1])

    def forward(m: Any, x: Tensor) -> Tensor:
        m.state = torch.relu(m.i(x) + m.h(m.state))
        return m.o(m.state)

    model = Written(forward, **parts, state=torch.zeros(8, 6))
    report = probe(model, [torch.rand(8, 4)])
    assert removable(model, report)["reason"].tolist() == ["its output goes to an attribute of the model"]
    with pytest.warns(UserWarning, match="an attribute of the model"):
        assert revive(model, report)["revived"].sum() == 0


def test_units_that_are_read_where_no_tensor_is_seen_stay_and_others_are_revived() -> None:
    parts = {"a": nn.Linear(4, 6), "b": nn.Linear(6, 6), "c": nn.Linear(6, 2)}
    kill(parts["a"].bias, DEAD)
    kill(parts["b"].bias, [2])

    def forward(m: Any, x: Tensor) -> Tensor:
        first = torch.relu(m.a(x))
        return m.c(torch.relu(m.b(first))) + torch.from_numpy(first.numpy() * 2).sum(1, keepdim=True)

    model, inputs = Written(forward, **parts), torch.rand(8, 4)
    before, weight = outputs(model, [inputs])[0], model.a.weight.detach().clone()
    with pytest.warns(UserWarning, match="the outputs would change: something reads them that was not seen"):
        table = revive(model, probe(model, [inputs]))
    assert table["revived"].tolist() == [0, 1]
    assert model.a.weight.equal(weight)
    assert outputs(model, [inputs])[0].allclose(before, atol=1e-5)


def test_a_model_that_knows_its_number_of_units_keeps_them() -> None:
    parts = {"a": nn.Linear(4, 6), "b": nn.Linear(6, 2)}
    kill(parts["a"].bias, [1])
    inputs = torch.randn(8, 4)
    for forward in (
        lambda m, x: m.b(torch.relu(m.a(x)).view(-1, 6)),
        lambda m, x: (lambda h: m.b(h) / h.size(1))(torch.relu(m.a(x))),
    ):
        model = Written(forward, **parts)
        report = probe(model, [inputs])
        with pytest.warns(
            UserWarning, match="the model computes something else, or nothing, with fewer units"
        ):
            pruned = prune_dead(model, report)
        assert pruned.a.out_features == 6
