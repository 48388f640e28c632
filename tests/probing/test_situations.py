"""Situations from public bug reports: what is seen, what is listed as not seen or not counted, and what is refused in words."""

import itertools
import warnings
from collections import UserDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence
from torch.utils.checkpoint import checkpoint

from dying_relu import probe, revive
from dying_relu.errors import DyingReluError

INPUTS = torch.randn(16, 4, generator=torch.Generator().manual_seed(3))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


class Written(nn.Module):
    """Layers, and what ``forward`` does with its arguments."""

    def __init__(self, forward: Callable[..., Any], **layers: Any) -> None:
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.written = forward

    def forward(self, x: Any) -> Any:
        return self.written(self, x)


def killed(layer: nn.Module, units: int) -> nn.Module:
    with torch.no_grad():
        layer.bias.fill_(5.0)
        layer.bias[:units] = -99.0
    return layer


def counts(model: nn.Module, loader: Any, **options: Any) -> dict[str, tuple[int, int]]:
    """Layer -> dead units and units."""
    table = probe(model, loader, **options).summary().query("units > 0").set_index("layer")
    return {str(name): (int(row["dead"]), int(row["units"])) for name, row in table.iterrows()}


# Calls that share weights are one layer.


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


# Units on several axes.


class Members(nn.Module):
    """Five members of four units in one tensor, seven units dead."""

    def __init__(self, z: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.bias = (
            nn.Parameter(torch.randn(5, 4, 3) * 0.1),
            nn.Parameter(torch.full((5, 1, 3), 5.0)),
        )
        with torch.no_grad():
            self.bias[:4, 0, 0] = self.bias[:3, 0, 1] = -99.0
        self.z = z

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.z(x, self.weight, self.bias))


ENSEMBLES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "baddbmm": lambda x, w, b: torch.baddbmm(b, x.expand(5, *x.shape), w),
    "bmm": lambda x, w, b: torch.bmm(x.expand(5, *x.shape), w) + b,
    "matmul": lambda x, w, b: x @ w + b,
    "einsum": lambda x, w, b: torch.einsum("bi,eio->ebo", x, w) + b,
    "einsum, batch first": lambda x, w, b: torch.einsum("bi,eio->beo", x, w) + b.transpose(0, 1),
    "einsum with an ellipsis": lambda x, w, b: torch.einsum("...i,eio->...eo", x, w) + b[:, 0],
    "transposed": lambda x, w, b: (torch.einsum("bi,eio->ebo", x, w) + b).transpose(0, 1),
    "flattened": lambda x, w, b: (x @ w + b).transpose(0, 1).reshape(len(x), -1),
}


@pytest.mark.parametrize("z", ENSEMBLES.values(), ids=ENSEMBLES)
def test_members_of_an_ensemble_are_units_of_their_own(z: Callable) -> None:
    assert counts(Members(z), [INPUTS, INPUTS[:7]]) == {"relu": (7, 15)}


def test_members_that_a_vmap_has_made_are_not_merged() -> None:
    model = Members(lambda x, w, b: torch.vmap(lambda w, b: functional.linear(x, w.T, b[0]))(w, b))
    with pytest.raises(DyingReluError, match=r"vmap over weights.*unit_axis="):
        probe(model, [INPUTS])
    assert counts(model, [INPUTS, INPUTS[:7]], unit_axis=(0, 2)) == {"relu": (7, 15)}


def test_a_vmap_around_the_activation_too() -> None:
    inside = Members(lambda x, w, b: torch.vmap(lambda w, b: torch.relu(x @ w + b))(w, b))
    assert (7, 15) in counts(inside, [INPUTS]).values()
    over_examples = Written(
        lambda m, x: torch.vmap(lambda one: torch.tanh(m.first(one)))(x), first=nn.Linear(4, 6)
    )
    assert counts(over_examples, [INPUTS, INPUTS[:3]]) == {"tanh": (0, 6)}


def test_experts_in_one_tensor() -> None:
    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.Parameter(torch.randn(3, 4, 8))

        def forward(self, x: Tensor) -> Tensor:
            tokens = x.reshape(1, 16, 4).expand(3, 16, 4)
            return functional.gelu(torch.einsum("ecd,edh->ech", tokens, self.up))

    assert counts(Experts(), [INPUTS])["gelu"][1] == 24


def test_units_on_several_axes_can_be_named() -> None:
    model = Written(lambda m, x: torch.relu(x))
    assert counts(model, [torch.randn(7, 5, 3)], unit_axis=(1, 2)) == {"relu": (0, 15)}
    assert counts(model, [torch.randn(7, 5, 3)], unit_axis={"relu": (-1, 1)}) == {"relu": (0, 15)}


# Activations without an axis of units.

NO_AXIS: dict[str, Callable[[Written, Tensor], Tensor]] = {
    "squeezed": lambda m, h: torch.sigmoid(m.one(h).squeeze(1)),
    "squeezed without an axis": lambda m, h: torch.sigmoid(m.one(h).squeeze()),
    "first column": lambda m, h: torch.sigmoid(m.one(h)[:, 0]),
    "one of several columns": lambda m, h: torch.sigmoid(m.two(h)[..., 1]),
    "flat": lambda m, h: torch.sigmoid(m.one(h).view(-1)),
    "flattened": lambda m, h: torch.sigmoid(m.one(h).flatten()),
    "unbound": lambda m, h: torch.sigmoid(m.two(h).unbind(1)[0]),
    "averaged": lambda m, h: torch.sigmoid(h.mean(-1)),
    "added up": lambda m, h: torch.sigmoid(h.sum(1)),
    "largest": lambda m, h: torch.sigmoid(h.amax(1)),
    "a dot product": lambda m, h: torch.sigmoid((m.six(h) * h).sum(-1)),
    "between examples": lambda m, h: functional.leaky_relu(m.one(h) + m.one(h).T),
    "scores of pairs": lambda m, h: torch.sigmoid(m.six(h) @ m.six(h).T),
}


@pytest.mark.parametrize("gate", NO_AXIS.values(), ids=NO_AXIS)
@pytest.mark.parametrize("sizes", [(16, 16), (16, 9), (9, 16)])
def test_an_activation_without_an_axis_of_units_does_not_end_the_probe(
    gate: Callable, sizes: tuple[int, int]
) -> None:
    model = Written(
        lambda m, x: gate(m, torch.relu(m.first(x))),
        first=killed(nn.Linear(4, 6), 2), one=nn.Linear(6, 1), two=nn.Linear(6, 2), six=nn.Linear(6, 6),
    )  # fmt: skip
    report = probe(model, [INPUTS[:size] for size in sizes])
    units = report.summary().set_index("layer")["units"].to_dict()
    assert units.pop("relu") == 6
    assert report.units("relu")["dead"].sum() == 2
    ((name, number),) = units.items()
    assert number == 1 or (number == 0 and report.unseen[name].reason)


def test_a_gate_over_time_and_anchors_are_listed() -> None:
    conv = nn.Conv2d(3, 6, 3, padding=1)

    def forward(m: Written, x: Tensor) -> Tensor:
        h = torch.relu(m.conv(x))
        anchors = h.view(len(x), 2, 3, *h.shape[2:]).permute(0, 3, 4, 1, 2).reshape(len(x), -1, 3)
        return torch.sigmoid(anchors.flatten(0, 1)).sum() + torch.tanh(h.mean(1)).sum()

    report = probe(Written(forward, conv=conv), [torch.randn(2, 3, 8, size) for size in (8, 6)])
    assert list(report.layers) == ["relu"]
    assert set(report.unseen) == {"sigmoid", "tanh"}


# How a model takes a batch.

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


# What is measured although part of the model hides.


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_parts_are_listed_and_the_rest_is_measured() -> None:
    scripted = torch.jit.script(nn.Sequential(nn.Linear(8, 8), nn.ReLU()))
    model = nn.Sequential(killed(nn.Linear(4, 8), 3), nn.ReLU(), scripted, nn.Linear(8, 8), nn.ReLU())
    report = probe(model, [INPUTS])
    assert list(report.layers) == ["1", "4"]
    assert "scripted" in report.unseen["2"].reason
    assert any("rectified" in one.reason for one in report.unseen.values())


UNSEEN: dict[str, Callable[[Tensor], Tensor]] = {
    "half of the sum": lambda z: (z + z.abs()) / 2,
    "square root of a square": lambda z: 0.5 * (z + z.square().sqrt()),
    "clamped at 1": lambda z: z.clamp(0, 1),
    "outside of PyTorch": lambda z: torch.from_numpy(z.detach().numpy().clip(0, None)),
}


@pytest.mark.parametrize("function", UNSEEN.values(), ids=UNSEEN)
def test_a_tensor_that_was_rectified_unseen_is_listed(function: Callable[[Tensor], Tensor]) -> None:
    model = Written(
        lambda m, x: m.last(function(m.first(torch.relu(m.zeroth(x))))),
        zeroth=nn.Linear(4, 6), first=killed(nn.Linear(6, 6), 2), last=nn.Linear(6, 1),
    )  # fmt: skip
    report = probe(model, [INPUTS])
    assert list(report.layers) == ["relu"]
    assert [one.kind for one in report.unseen.values()] == ["rectified"]
    assert "rectified by something that was not seen" in report.advice()


def test_images_that_a_layer_reads_are_not_rectified() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.ReLU())
    assert probe(model, [torch.rand(5, 3, 4).sub(0.5).clamp(min=0)]).unseen == {}


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


class Expert(nn.Module):
    """Its ReLU is a function."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = killed(nn.Linear(4, 8), 2), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(functional.relu(self.up(x)))


@pytest.mark.parametrize("skips", [True, False])
def test_an_expert_without_a_token_does_not_vanish(skips: bool) -> None:
    def forward(m: Written, x: Tensor) -> Tensor:
        chosen = torch.zeros(len(x), dtype=torch.long)
        return sum(
            expert(x[chosen == n]).sum()
            for n, expert in enumerate(m.experts)
            if not skips or (chosen == n).any()
        )

    report = probe(Written(forward, experts=nn.ModuleList(Expert() for _ in range(2))), [INPUTS])
    assert report.never_called == {"experts.1:relu": "relu"}
    assert report.summary().set_index("layer")["units"].to_dict() == {
        "experts.0:relu": 8,
        "experts.1:relu": 0,
    }


class ActivationNorm(nn.Module):
    """No activation, for all its name."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x / x.norm(dim=-1, keepdim=True)


class ActivationQuant(ActivationNorm):
    """Nor is this one."""


@pytest.mark.parametrize("kind", [ActivationNorm, ActivationQuant])
def test_a_class_is_no_activation_because_of_its_name(kind: type[nn.Module]) -> None:
    model = nn.Sequential(killed(nn.Linear(4, 6), 2), nn.ReLU(), kind(), nn.Linear(6, 2))
    assert counts(model, [INPUTS, INPUTS]) == {"1": (2, 6)}
    assert model[2].calls == 2


# Which batches, positions and layers count.


def test_an_endless_loader_is_cut_off() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
    endless = itertools.repeat(INPUTS)
    assert probe(model, endless, batches=3).layers["1"].statistics.examples == 48
    with pytest.warns(UserWarning, match="more than 1,000.*batches="):
        probe(model, itertools.repeat(INPUTS[:1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probe(model, (INPUTS for _ in range(3)))
    with pytest.raises(DyingReluError, match="batches: found 0"):
        probe(model, endless, batches=0)


def test_progress_says_how_many_were_seen(capsys: pytest.CaptureFixture[str]) -> None:
    model, numbers = nn.Sequential(nn.Linear(4, 6), nn.ReLU()), list[int]()
    probe(model, [INPUTS] * 3, progress=numbers.append)
    assert numbers == [1, 2, 3]
    probe(model, [INPUTS] * 3, progress=True)
    assert "3 batches" in capsys.readouterr().err


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("key", ["attention_mask", lambda batch: batch["x"][..., 0] != 0])
def test_only_positions_under_the_mask_count(flat: bool, key: Any) -> None:
    def forward(m: Written, x: Tensor) -> Tensor:
        h = torch.relu(m.first(x.flatten(0, 1) if flat else x))
        return torch.tanh(m.last(h.view(len(x), -1, 6).mean(1)))

    class Masked(Written):
        def forward(self, x: Tensor, attention_mask: Tensor) -> Tensor:
            return self.written(self, x)

    first = nn.Linear(4, 6)
    with torch.no_grad():
        first.weight.fill_(-1.0)
        first.bias[:] = torch.tensor([0.5] * 2 + [99.0] * 4)  # two units are active on padding alone
    x = torch.rand(8, 5, 4) + 1
    x[:, 3:] = 0
    batch = {"x": x, "attention_mask": (x[..., 0] != 0).long()}
    model = Masked(forward, first=first, last=nn.Linear(6, 2))
    assert probe(model, [batch]).units("relu")["dead"].sum() == 0
    report = probe(model, [batch, batch], mask=key)
    table = report.units("relu")
    assert table["dead"].tolist() == [True] * 2 + [False] * 4
    assert table["active_examples"].tolist() == [0] * 2 + [16] * 4
    assert report.layers["relu"].statistics.count == 48
    assert "mask does not fit" in report.remarks["tanh"]
    assert "tanh: the mask does not fit" in report.advice()


def test_layers_can_be_chosen_and_left_out() -> None:
    model = nn.Sequential(killed(nn.Linear(4, 6), 2), nn.ReLU(), nn.Linear(6, 1), nn.Sigmoid())
    assert list(counts(model, [INPUTS], ignore="3")) == ["1"]
    assert list(counts(model, [INPUTS], layers=["[0-2]"])) == ["1"]
    assert probe(model, [INPUTS], ignore=["3"]).dead_fraction == 2 / 6
    with pytest.raises(DyingReluError, match="names a layer that is not there: found 'typo'"):
        probe(model, [INPUTS], ignore="typo")


def test_a_sparse_autoencoder_of_plain_parameters() -> None:
    class Autoencoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.W_enc, self.b_enc = nn.Parameter(torch.randn(8, 64) * 0.3), nn.Parameter(torch.zeros(64))
            self.W_dec, self.b_dec = nn.Parameter(torch.randn(64, 8) * 0.3), nn.Parameter(torch.zeros(8))

        def forward(self, x: Tensor) -> Tensor:
            latents = functional.relu((x - self.b_dec) @ self.W_enc + self.b_enc)
            return latents @ self.W_dec + self.b_dec

    model = Autoencoder()
    with torch.no_grad():
        model.b_enc[:40] = -50
    report = probe(model, [torch.randn(512, 8)])
    assert report.summary()["dead"].tolist() == [40]
    assert "40 of them would be active on some example if their bias were 0: it is -50" in report.advice()
    assert revive(model, report)["revived"].tolist() == [40]


def test_a_unit_that_was_infinite_is_not_dead() -> None:
    model = nn.Sequential(nn.Linear(1, 3), nn.ReLU())
    with torch.no_grad():
        model[0].weight[:] = torch.tensor([[3e38], [1.0], [-1.0]])
        model[0].bias.zero_()
    table = probe(model, [torch.tensor([[-100.0], [-1.0]])]).units("1")
    assert table["not_finite"].tolist() == [True, False, False]
    assert table["dead"].tolist() == [False, True, False]


def test_a_gate_that_is_one_function_is_listed() -> None:
    def forward(m: Written, x: Tensor) -> Tensor:
        return m.last(functional.relu(m.middle(functional.glu(m.first(x)))))

    model = Written(forward, first=nn.Linear(4, 12), middle=killed(nn.Linear(6, 6), 2), last=nn.Linear(6, 1))
    report = probe(model, [INPUTS])
    assert report.summary()["dead"].tolist()[0] == 2
    assert list(report.unseen) == ["glu"]
