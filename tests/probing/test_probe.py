"""The probe finds what is dead, in models that nobody here wrote, and says clearly what it cannot judge."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe
from dying_relu.adapters.torchvision_import import torchvision
from dying_relu.errors import DyingReluError


def mlp() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 2))


class Functional(nn.Module):
    """Every way to write a ReLU as a function, in a row."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.linear(x) - 0.1)
        x = torch.relu(self.linear(x) - 0.1)
        x = (self.linear(x) - 0.1).clamp(min=0)
        x = (self.linear(x) - 0.1).relu_()
        x = functional.relu(self.linear(x) - 0.1, inplace=True)
        return (self.linear(x) - 0.1).clamp_min(0)


@given(examples=st.integers(1, 20), units=st.integers(1, 9), cut=st.integers(1, 20), seed=st.integers(0, 99))
@settings(max_examples=40)
@pytest.mark.parametrize("shift", [0.0, -2.0])
def test_counts_equal_a_brute_force_count(
    shift: float, examples: int, units: int, cut: int, seed: int
) -> None:
    z = torch.randn(examples, units, generator=torch.Generator().manual_seed(seed)) + shift
    report = probe(nn.Sequential(nn.ReLU()), [part for part in z.split(cut) if len(part)])
    table = report.units("0")
    columns = z.double().T.tolist()
    assert table["dead"].tolist() == [all(value <= 0 for value in column) for column in columns]
    assert table["pre_activation_max"].tolist() == [max(column) for column in columns]
    shares = [sum(value > 0 for value in column) / examples for column in columns]
    assert table["active_share"].tolist() == pytest.approx(shares)


def test_every_spelling_of_a_function_is_found_by_call() -> None:
    (layer,) = probe(Functional(), [torch.randn(4, 5)]).layers.values()  # all are fed by one linear layer
    assert list(layer.calls) == ["relu", *(f"relu#{call}" for call in range(2, 7))]


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "mobilenet_v3_small", "efficientnet_b0"])
@pytest.mark.slow
def test_planted_deaths_in_torchvision_are_found_to_the_unit(name: str) -> None:
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None)
    images = [torch.randn(8, 3, 64, 64)]
    before = probe(model, images)
    first = next(iter(before.layers))
    layer = next(
        module
        for module in model.modules()
        if isinstance(module, nn.BatchNorm2d) or (name == "vgg11" and isinstance(module, nn.Conv2d))
    )
    with torch.no_grad():
        layer.bias[[1, 5]] = -1e4
    after = probe(model, images)
    born = before.units(first)["dead"]
    assert not born[[1, 5]].any()
    assert (after.units(first)["dead"] ^ born).pipe(lambda new: list(new[new].index)) == [1, 5]


def test_a_transformer_of_torch_is_seen_in_evaluation_mode() -> None:
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2).eval()
    with torch.no_grad():
        encoder.layers[1].linear1.bias[3] = -1e4
    report = probe(encoder, [torch.randn(4, 6, 8)])
    assert list(report.layers) == ["layers.0:relu", "layers.1:relu"]
    table = report.units("layers.1:relu")
    assert list(table.index[table["dead"]]) == [3]


def test_an_activation_that_works_in_place_is_measured_before_the_call() -> None:
    z = torch.tensor([[-1.0, 2.0]])
    report = probe(nn.Sequential(nn.Identity(), nn.LeakyReLU(0.5, inplace=True)), [z.clone()])
    assert report.units("1")["pre_activation_max"].tolist() == [-1, 2]
    assert report.summary()[["inactive", "dead"]].to_numpy().tolist() == [[1, 0]]


def test_gradient_reaches_the_living_only_and_parameters_keep_theirs() -> None:
    model = mlp()
    with torch.no_grad():
        model[0].bias[4] = -1e4
    batches = [(torch.randn(32, 5), torch.randint(2, (32,)))]
    table = probe(model, batches, loss=functional.cross_entropy).units("1")
    assert table.loc[4, "gradient_norm"] == 0
    assert (table.loc[~table["dead"], "gradient_norm"] > 0).all()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_mode_and_hooks_are_restored_even_after_an_error() -> None:
    model = mlp().train()
    model[1].eval()
    with pytest.raises(DyingReluError, match=r"refuses batch 1: found \(3, 4\)"):
        probe(model, [torch.randn(3, 4)])
    assert model.training
    assert not model[1].training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_shared_module_is_told_apart_by_call_and_advice_names_the_bias() -> None:
    relu = nn.ReLU()
    model = nn.Sequential(nn.Linear(5, 8), relu, nn.Linear(8, 8), relu)
    with torch.no_grad():
        model[2].bias.fill_(-50)
    report = probe(model, [torch.randn(9, 5)])
    assert list(report.layers) == ["1", "1#2"]
    assert "1#2: 8 of 8 units are dead." in report.advice()
    assert "it is -50 in the median" in report.advice()


@pytest.mark.parametrize(
    ("model", "batches", "message"),
    [
        (nn.Linear(2, 2), [torch.zeros(1, 2)], "no activation was called"),
        (nn.ReLU(), [], "the loader is empty"),
        (nn.ReLU(), [torch.tensor([[1.0, torch.nan]])], "batch 1 .* not finite: found 1 of 2"),
        (torch.jit.script(nn.ReLU()), [torch.zeros(1, 2)], "is scripted"),
    ],
)
def test_what_cannot_be_judged_is_an_error_in_words(model: nn.Module, batches: list, message: str) -> None:
    with pytest.raises(DyingReluError, match=message):
        probe(model, batches)


def test_a_layer_never_called_has_a_row() -> None:
    class Skips(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.ReLU(), nn.GELU()

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x)

    table = probe(Skips(), [torch.randn(4, 3)]).summary().set_index("layer")
    assert table["units"].to_dict() == {"used": 3, "unused": 0}


def test_importing_the_package_does_not_import_torch() -> None:
    command = "import sys, dying_relu; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0


def test_a_unit_whose_pre_activation_is_nan_is_not_dead_inactive_or_saturated() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU())
    with torch.no_grad():
        model[0].bias[1] = torch.nan
    table = probe(model, [torch.randn(4, 1, 5, 5)]).units("1")
    assert table["pre_activation_max"].isna().tolist() == [False, True, False]
    assert not table.loc[1, ["dead", "inactive", "saturated"]].any()
