"""A model gets its batch as it wants it: as one argument, taken apart, by name, without the labels, or by a function of the caller."""

from collections import UserDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence
from written_models import INPUTS, Written, counts, killed

from dying_relu import probe
from dying_relu.errors import DyingReluError

pytestmark = pytest.mark.usefixtures("seeded")

Pair = namedtuple("Pair", "src tgt")


@dataclass
class Sample:
    """A batch as a data class."""

    image: Tensor
    label: Tensor


class Graph:
    """A batch with a method ``to``, as graphs have."""

    def __init__(self, x: Tensor) -> None:
        self.x, self.moved = x, 0

    def to(self, device: torch.device) -> "Graph":
        moved = Graph(self.x.to(device))
        moved.moved = self.moved + 1
        return moved


def net(take: Callable[[Any], Tensor]) -> Written:
    return Written(lambda m, batch: torch.relu(m.first(take(batch))), first=killed(nn.Linear(4, 6), 2))


class Keywords(nn.Module):
    """Takes its input by name alone, and some more."""

    def __init__(self) -> None:
        super().__init__()
        self.first = killed(nn.Linear(4, 6), 2)

    def forward(self, *, x: Tensor, scale: float = 1.0) -> Tensor:
        return torch.relu(self.first(x * scale))


class WithLoss(nn.Module):
    """Computes its loss itself."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = killed(nn.Linear(4, 6), 2), nn.Linear(6, 1)

    def forward(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"loss": (self.last(torch.relu(self.first(x))) - y).square().mean()}


BATCHES: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "dict as one argument": (lambda: net(lambda b: b["image"]), {"image": INPUTS, "label": 1}),
    "(dict, labels) as one argument": (
        lambda: net(lambda b: b["image"]),
        ({"image": INPUTS}, torch.zeros(16)),
    ),
    "(dict, labels) by name": (Keywords, ({"x": INPUTS, "scale": 2.0}, torch.zeros(16))),
    "dict by name": (Keywords, {"x": INPUTS, "label": 1}),
    "user dict": (lambda: net(lambda b: b["image"]), UserDict(image=INPUTS)),
    "named tuple": (lambda: net(lambda b: b.src), Pair(INPUTS, torch.zeros(16))),
    "named tuple taken apart": (lambda: net(lambda b: b), Pair(INPUTS, torch.zeros(16))),
    "(named tuple, labels)": (lambda: net(lambda b: b.src), (Pair(INPUTS, INPUTS), torch.zeros(16))),
    "data class": (lambda: net(lambda b: b.image), Sample(INPUTS, torch.zeros(16))),
    "object that can be moved": (lambda: net(lambda b: {1: b.x}[b.moved]), Graph(INPUTS)),
    "(object, labels)": (lambda: net(lambda b: {1: b.x}[b.moved]), (Graph(INPUTS), torch.zeros(16))),
    "by keyword alone": (Keywords, INPUTS),
    "(input, labels) by keyword": (Keywords, (INPUTS, torch.zeros(16))),
    "a list of examples": (lambda: net(torch.stack), [INPUTS[0], INPUTS[1], INPUTS[2]]),
    "the loss inside": (WithLoss, (INPUTS, torch.zeros(16, 1))),
}


@pytest.mark.parametrize(("model", "batch"), BATCHES.values(), ids=BATCHES)
def test_a_model_gets_its_batch_as_it_wants_it(model: Callable[[], nn.Module], batch: Any) -> None:
    assert counts(model(), [batch, batch]) == {"relu": (2, 6)}


def test_a_packed_sequence_is_not_taken_apart() -> None:
    packed = pack_padded_sequence(torch.randn(5, 3, 4), [5, 4, 2])

    def forward(m: Written, batch: PackedSequence) -> Tensor:
        assert isinstance(batch, PackedSequence)
        return torch.relu(m.first(batch.data))

    model = Written(forward, first=killed(nn.Linear(4, 6), 2))
    assert counts(model, [packed]) == {"relu": (2, 6)}
    assert counts(model, [(packed, torch.zeros(3))]) == {"relu": (2, 6)}


def test_a_loss_inside_the_model_needs_no_labels() -> None:
    report = probe(WithLoss(), [(INPUTS, torch.zeros(16, 1))], loss=lambda output, _: output["loss"])
    assert report.units("relu")["gradient_norm"].gt(0).tolist() == [False] * 2 + [True] * 4


def test_call_says_how_a_model_is_called() -> None:
    class NoForward(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(killed(nn.Linear(4, 6), 2), nn.ReLU(), nn.Linear(6, 1))

    batch = {"deep": [INPUTS], "labels": torch.zeros(16, 1)}
    report = probe(
        NoForward(), [batch], call=lambda model, batch: model.net(batch["deep"][0]), loss=functional.mse_loss
    )
    assert report.units("net.1")["dead"].sum() == 2
    assert (report.units("net.1")["gradient_norm"] > 0).sum() == 4
    with pytest.raises(DyingReluError, match="call=lambda model, batch"):
        probe(NoForward(), [INPUTS])


def test_a_dict_that_does_not_fit_is_named_by_its_keys() -> None:
    with pytest.raises(DyingReluError, match="image, label"):
        probe(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), [{"image": INPUTS, "label": 1}])
