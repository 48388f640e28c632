"""Whatever the precision, the caller's modes and the wrapping, the counts are the same; what was changed is put back."""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe, prune_dead
from dying_relu.errors import DyingReluError

Pair = namedtuple("Pair", ["inputs", "labels"])


def mlp() -> nn.Sequential:
    """Unit 4 of its first hidden layer is dead for any input here."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 2))
    with torch.no_grad():
        model[0].bias[4] = -1e4
    return model


INPUTS = torch.randn(8, 5, generator=torch.Generator().manual_seed(2))
LABELS = torch.zeros(8, dtype=torch.int64)


class Around(nn.Module):
    """Calls an MLP, or a function on an affine layer, with what it takes out of its argument."""

    def __init__(self, inner: nn.Module | Callable, take: Callable[[Any], Tensor] = lambda x: x) -> None:
        super().__init__()
        self.inner, self.take = inner, take

    def forward(self, x: Any, labels: Tensor | None = None) -> Tensor:
        return self.inner(self.take(x))


def dead(model: nn.Module, loader: Any, **options: Any) -> list[list[int]]:
    report = probe(model, loader, **options)
    tables = [report.units(name) for name in report.layers]
    return [table.index[table["dead"]].tolist() for table in tables]


EXPECTED = dead(mlp(), [INPUTS])


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16, torch.float64])
def test_accumulators_are_wide_enough_whatever_the_precision(precision: torch.dtype) -> None:
    report = probe(mlp().to(precision), [INPUTS.to(precision)] * 2)
    assert 4 in report.units("1").query("dead").index
    wide = torch.float64 if precision == torch.float64 else torch.float32
    assert report.layers["1"].statistics.pre_activation_max.dtype == wide


def test_under_autocast_the_pre_activations_are_those_that_the_model_computes() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        report = probe(mlp(), [INPUTS])
    z = functional.linear(*(tensor.bfloat16() for tensor in (INPUTS, mlp()[0].weight, mlp()[0].bias)))
    assert report.units("1")["pre_activation_max"].tolist() == z.float().amax(0).tolist()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("loss", [None, functional.cross_entropy])
def test_a_caller_without_gradients_gets_the_same(mode: Callable, loss: Callable | None) -> None:
    model, batches = mlp(), [(INPUTS, LABELS)]
    with mode():
        report = probe(model, [(INPUTS * 1, LABELS * 1)], loss=loss)
    expected = probe(model, batches, loss=loss)
    assert report.units("1").equals(expected.units("1"))


@pytest.mark.parametrize(
    "wrapped",
    [
        nn.DataParallel,
        lambda model: torch.compile(model, backend="eager"),
        lambda model: Around(torch.compile(model, backend="eager")),
        torch.fx.symbolic_trace,
    ],
    ids=["DataParallel", "compiled", "compiled inside", "traced by fx"],
)
def test_a_wrapped_model_is_probed_as_what_it_wraps(wrapped: Callable) -> None:
    assert dead(wrapped(mlp()), [INPUTS]) == EXPECTED


@pytest.mark.parametrize(
    ("model", "loader"),
    [
        (mlp(), (part for part in INPUTS.split(3))),
        (mlp(), INPUTS.split(1)),
        (mlp(), [Pair(INPUTS, LABELS)]),
        (mlp(), [INPUTS[:0], INPUTS]),
        (Around(mlp(), lambda x: x[0] + x[1]), [((INPUTS, torch.zeros(1)), LABELS)]),
        (Around(mlp(), lambda x: x["a"][0]), [{"x": {"a": [INPUTS]}, "labels": LABELS}]),
    ],
    ids=["generator", "one by one", "named tuple", "an empty batch", "nested tuple", "nested dict"],
)
def test_batches_come_in_many_forms(model: nn.Module, loader: Any) -> None:
    assert dead(model, loader) == EXPECTED


class Two(nn.Module):
    """Needs two arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = mlp()

    def forward(self, x: Tensor, shift: Tensor) -> Tensor:
        return self.inner(x + shift)


@pytest.mark.parametrize(
    "batch",
    [
        ((INPUTS, torch.zeros(1)), LABELS),
        (INPUTS, torch.zeros(1), LABELS),
        {"x": INPUTS, "shift": torch.zeros(1), "labels": LABELS},
    ],
    ids=["grouped", "one after the other", "by name, with labels that it does not take"],
)
def test_a_model_of_two_arguments_gets_both_and_the_loss_its_labels(batch: Any) -> None:
    report = probe(Two(), [batch], loss=functional.cross_entropy)
    expected = probe(mlp(), [(INPUTS, LABELS)], loss=functional.cross_entropy)
    assert [report.units(f"inner.{n}")["gradient_norm"].tolist() for n in (1, 3)] == [
        expected.units(str(n))["gradient_norm"].tolist() for n in (1, 3)
    ]


@pytest.mark.parametrize("error", [AssertionError, AttributeError, KeyError, ZeroDivisionError])
def test_whatever_a_model_raises_for_a_batch_is_said_with_a_remedy(error: type[Exception]) -> None:
    def fails(z: Tensor) -> Tensor:
        raise error("wrong size")

    with pytest.raises(DyingReluError, match=f"{error.__name__}: .*wrong size.*batches are tensors"):
        probe(Around(fails), [INPUTS])


def test_a_name_in_unit_axis_that_is_no_layer_is_an_error() -> None:
    with pytest.raises(DyingReluError, match="not there: found 'typo'; expected some of 1, 3"):
        probe(mlp(), [INPUTS], unit_axis={"typo": 1})


SPELLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "clamp_(0)": lambda z: z.clamp_(0),
    "clamp(0, None)": lambda z: torch.clamp(z, 0, None),
    "clamp of a tensor": lambda z: z.clamp(min=torch.tensor(0.0)),
    "clip_": lambda z: z.clip_(0),
    "clamp_min_": lambda z: z.clamp_min_(0.0),
    "input=": lambda z: torch.clamp(input=z, min=0),
    "threshold": lambda z: functional.threshold(z, 0, 0),
    "threshold_": lambda z: functional.threshold_(z, 0.0, 0.0),
    "nn.Threshold": nn.Threshold(0, 0),
    "functional.relu_": functional.relu_,
    "torch.relu_": torch.relu_,
}


@pytest.mark.parametrize("function", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_of_relu_counts_alike(function: Callable[[Tensor], Tensor]) -> None:
    z = torch.tensor([[-1.0, -2.0, 3.0], [-1.0, 4.0, -0.5]])
    assert dead(Around(function, torch.clone), [z]) == [[0]]


@pytest.mark.parametrize("bound", [{"min": 1}, {"min": 0, "max": 1}, {"max": 0}])
def test_another_clamp_is_no_activation(bound: dict[str, float]) -> None:
    with pytest.raises(DyingReluError, match="no activation was called"):
        probe(Around(lambda z: z.clamp(**bound)), [INPUTS])


@pytest.mark.parametrize("function", [torch.relu, lambda z: z.clamp(min=0)], ids=["relu", "clamp"])
def test_at_exactly_zero_the_derivative_is_that_of_autograd(function: Callable[[Tensor], Tensor]) -> None:
    z = torch.zeros(1, 1, requires_grad=True)
    function(z).backward()
    # A clamp at its bound passes the gradient on, and such a unit can recover.
    assert dead(Around(function), [z.detach()]) == [[0] if z.grad.item() == 0 else []]


def test_gradients_reach_frozen_layers_which_stay_frozen() -> None:
    model, batches = mlp(), [(INPUTS, LABELS)]
    expected = probe(model, batches, loss=functional.cross_entropy).units("1")["gradient_norm"]
    model.requires_grad_(False)
    found = probe(model, batches, loss=functional.cross_entropy).units("1")["gradient_norm"]
    assert found.tolist() == expected.tolist()
    assert found[4] == 0
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_running_statistics_and_random_numbers_are_untouched() -> None:
    model = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    probe(model, [INPUTS])
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(module.training for module in model.modules())


def test_an_error_of_the_model_itself_leaves_nothing_behind() -> None:
    def fails(z: Tensor) -> Tensor:
        raise KeyError("mine")

    model = Around(nn.Sequential(mlp(), Around(fails))).train().requires_grad_(False)
    fast = torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(DyingReluError, match=r"refuses batch 1: found .* it says: KeyError: 'mine'"):
        probe(model, [(INPUTS, LABELS)], loss=functional.cross_entropy)
    for module in model.modules():
        assert module.training
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert torch.backends.mha.get_fastpath_enabled() == fast


def test_two_models_that_share_a_module_are_told_apart() -> None:
    shared = nn.ReLU()
    one, other = nn.Sequential(nn.Linear(5, 4), shared), nn.Sequential(nn.Linear(5, 3), shared)
    assert probe(one, [INPUTS]).summary()["units"].tolist() == [4]
    assert probe(other, [INPUTS]).summary()["units"].tolist() == [3]


@pytest.mark.parametrize(
    ("model", "loader", "message"),
    [
        (mlp(), INPUTS, "the loader: found Tensor.*put a single batch into a list"),
        (mlp(), {"x": INPUTS}, "the loader: found dict"),
        (mlp(), 3, "the loader: found int"),
        (mlp(), [INPUTS[:0]], "the loader is empty"),
        (mlp().to("meta"), [INPUTS], "meta device"),
        (mlp(), [INPUTS.to("meta")], "batch 1 is on the meta device"),
        (mlp(), ["words"], "refuses batch 1: found str"),
        (Around(mlp(), sum), [((INPUTS, INPUTS * torch.nan), LABELS)], "found 40 of 40"),
    ],
)  # fmt: skip
def test_what_cannot_be_probed_is_said_in_words(model: nn.Module, loader: Any, message: str) -> None:
    with pytest.raises(DyingReluError, match=message):
        probe(model, loader)


@pytest.mark.parametrize("loss", [lambda output, labels: output, lambda output, labels: 1.0])
def test_a_loss_must_be_one_number_with_a_gradient(loss: Callable) -> None:
    with pytest.raises(DyingReluError, match="the loss: found"):
        probe(mlp(), [(INPUTS, LABELS)], loss=loss)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_on_a_gpu_the_counts_are_those_of_the_cpu() -> None:
    assert dead(mlp().cuda(), [INPUTS]) == EXPECTED


def test_weights_that_are_not_a_number_are_no_healthy_model() -> None:
    model = mlp()
    nn.init.constant_(model[0].weight, torch.nan)
    report = probe(model, [INPUTS])
    assert report.summary()["not_finite"].tolist() == [12, 7]
    assert report.not_finite == 19
    assert report.units("1")["not_finite"].all()
    assert "1: 12 of 12 units have pre-activations that are infinite or not a number" in report.advice()


def test_one_unit_that_is_not_a_number_makes_no_other_dormant() -> None:
    model = mlp()
    with torch.no_grad():
        model[0].bias[2] = torch.nan
    row = probe(model, [INPUTS]).summary().iloc[0]
    assert row["not_finite"] == 1
    assert row["dormant"] == 0


@torch.jit.script
def scripted(x: Tensor) -> Tensor:
    return torch.relu(x)


class Hidden(nn.Module):
    """Activations that cannot be seen beside one that can."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.gated, self.leaky = nn.RNN(5, 4, nonlinearity="relu"), nn.GLU(), nn.RReLU()
        self.never = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return scripted(self.leaky(self.gated(self.rnn(x)[0])))


def test_what_is_called_and_cannot_be_seen_is_said() -> None:
    report = probe(Hidden(), [INPUTS])
    assert list(report.layers) == ["leaky"]
    assert report.never_called == {"never": "ReLU"}
    assert {path: one.kind for path, one in report.unseen.items()} == {
        "": "Hidden",
        "rnn": "RNN",
        "gated": "GLU",
    }
    said = report.advice()
    assert "Hidden: not seen, since it calls scripted, which is scripted." in said
    assert "rnn: not seen, since its steps and their activations are one function." in said
    assert report.summary().set_index("layer").loc[["rnn", "gated", "never"], "units"].eq(0).all()


class SlowGELUActivation(nn.Module):
    """As in GPT-2."""

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * x * (1 + torch.tanh(0.8 * (x + 0.04 * x**3)))


def test_an_activation_made_of_functions_is_one_activation() -> None:
    model = nn.Sequential(nn.Linear(5, 12), SlowGELUActivation(), nn.Linear(12, 2))
    with torch.no_grad():
        model[0].bias[4] = -1e4
    report = probe(model, [(INPUTS, LABELS)], loss=functional.cross_entropy)
    assert report.summary()[["layer", "kind"]].to_numpy().tolist() == [["1", "SlowGELUActivation"]]
    table = report.units("1")
    z = model[0](INPUTS).detach()
    assert table["pre_activation_max"].tolist() == z.amax(0).tolist()
    assert table.index[table["dead"]].tolist() == [4]
    assert table["gradient_norm"].drop(4).gt(0).all()
    assert prune_dead(model, report)[0].out_features == 11


def test_the_units_of_the_output_count_too() -> None:
    model = nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 1), nn.ReLU())
    with torch.no_grad():
        model[0].bias.fill_(9.0)
        model[2].bias.fill_(-1e4)
    assert probe(model, [INPUTS]).dead_fraction == 0.25
