"""Dead units are removed, exactly these, and the model computes what it did."""

import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pruned_networks import difference, kill
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe, prune_dead
from dying_relu.adapters.torchvision_import import torchvision
from dying_relu.errors import DyingReluError
from dying_relu.probing.equivalence import tolerance
from dying_relu.probing.prune import removable

pytestmark = pytest.mark.usefixtures("seeded")


class Small(nn.Module):
    """Written as people write them: pooling before the activation, functions, a view."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 3), nn.Conv2d(6, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.fc1, self.fc2 = nn.Linear(8 * 4, 10), nn.Linear(10, 3)

    def forward(self, x: Tensor, scale: float | None = None) -> Tensor:
        x = functional.relu(functional.max_pool2d(self.conv1(x), 2))
        x = functional.avg_pool2d(self.norm(self.conv2(x)).relu_(), 2)
        x = x.view(x.size(0), -1)
        x = self.fc2(functional.dropout(functional.relu(self.fc1(x)), training=self.training))
        return x if scale is None else x * scale


@given(
    widths=st.lists(st.integers(1, 7), min_size=2, max_size=4), seed=st.integers(0, 999), tokens=st.booleans()
)
@settings(max_examples=40)
def test_an_mlp_keeps_its_function_and_loses_exactly_its_dead_units(
    widths: list[int], seed: int, tokens: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    layers, parts = [], []
    for inputs, outputs in zip([3, *widths[:-1]], widths, strict=True):
        layers.append(nn.Linear(inputs, outputs))
        kill(layers[-1], (torch.rand(outputs, generator=generator) < 0.4).nonzero()[:, 0].tolist())
        parts += [layers[-1], nn.ReLU()]
    model = nn.Sequential(*parts, nn.Flatten(), nn.Linear(widths[-1] * (4 if tokens else 1), 2))
    images = torch.randn(16, *([4] if tokens else []), 3, generator=generator)
    report = probe(model, [images])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of layers that are dead altogether
        pruned = prune_dead(model, report)
    assert difference(model, pruned, images) <= tolerance(torch.float32)
    summary = report.summary()
    expected = (summary["units"] - summary["dead"]).clip(lower=1)
    assert [layer.out_features for layer in pruned if isinstance(layer, nn.Linear)][:-1] == expected.tolist()


def test_a_convolutional_network_written_with_functions() -> None:
    model = Small()
    nn.init.constant_(model.fc1.bias, 5.0)  # none is dead by chance
    kill(model.conv1, [0, 4])
    kill(model.norm, [2, 3, 7])
    kill(model.fc1, [9])
    images = torch.randn(8, 1, 14, 14)
    for _ in range(3):
        model(images)  # running statistics that are not the initial ones
    parameters = {name: value.clone() for name, value in model.state_dict().items()}
    report = probe(model, [(images, None)])
    pruned = prune_dead(model, report)
    assert removable(model, report)["removed"].tolist() == report.summary()["dead"].tolist()
    assert pruned.training
    assert model.training
    assert {name: tuple(value.shape) for name, value in pruned.named_parameters()} == {
        "conv1.weight": (4, 1, 3, 3),
        "conv1.bias": (4,),
        "conv2.weight": (5, 4, 3, 3),
        "conv2.bias": (5,),
        "norm.weight": (5,),
        "norm.bias": (5,),
        "fc1.weight": (9, 20),
        "fc1.bias": (9,),
        "fc2.weight": (3, 9),
        "fc2.bias": (3,),
    }
    assert difference(model, pruned, images) <= tolerance(torch.float32)
    assert all(value.equal(parameters[name]) for name, value in model.state_dict().items())
    # It can be trained on.
    pruned.train()(images).sum().backward()
    assert all(parameter.grad.shape == parameter.shape for parameter in pruned.parameters())


@pytest.mark.slow
def test_vgg_loses_its_planted_channels() -> None:
    model = torchvision.models.vgg11(weights=None, num_classes=10).eval()
    planted = {"0": [1, 5], "11": [0, 7, 255], "18": [3, 200, 511]}
    for layer, channels in planted.items():
        kill(model.features.get_submodule(layer), channels)
    images = torch.randn(4, 3, 64, 64)
    report = probe(model, [images])
    pruned = prune_dead(model, report)
    channels = [layer.out_channels for layer in pruned.features if isinstance(layer, nn.Conv2d)]
    dead = report.summary().set_index("layer")["dead"]
    before = [layer.out_channels for layer in model.features if isinstance(layer, nn.Conv2d)]
    assert [old - new for old, new in zip(before, channels, strict=True)] == dead.tolist()[: len(before)]
    assert report.units("features.12")["dead"][planted["11"]].all()
    # After the last convolution each channel is read at 7 x 7 positions.
    assert pruned.classifier[0].in_features == channels[-1] * 49
    assert difference(model, pruned, images) <= tolerance(torch.float32)


@pytest.mark.slow
def test_resnet_is_pruned_within_its_blocks_only() -> None:
    model = torchvision.models.resnet18(weights=None).eval()
    kill(model.layer1[0].bn1, [3])
    kill(model.layer2[0].bn1, [0, 5])
    images = torch.randn(4, 3, 64, 64)
    report = probe(model, [images])
    table = removable(model, report).set_index("layer")
    inside = [name for name in table.index if name.startswith("layer") and "#" not in name]
    assert len(inside) == 8
    assert (table.loc[inside, "reason"] == "").all()
    stay = table.drop(index=inside)["reason"]
    assert stay["relu"] == "its output goes to add"
    # The last block's output is averaged and read by one layer, but comes from a sum.
    assert "its pre-activations come from add, not from a plain layer" in set(stay)
    assert len(stay) == 9
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pruned = prune_dead(model, report)
    for name, channels in (("layer1.0", [3]), ("layer2.0", [0, 5])):
        dead = report.units(f"{name}.relu")["dead"]
        assert dead[channels].all()
        block, old = pruned.get_submodule(name), model.get_submodule(name)
        alive = (~dead).to_numpy()
        assert block.conv1.weight.equal(old.conv1.weight[alive])
        assert block.bn1.running_var.equal(old.bn1.running_var[alive])
        assert block.conv2.weight.equal(old.conv2.weight[:, alive])
    assert difference(model, pruned, images) <= tolerance(torch.float32)


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        (
            "mobilenet_v3_small",
            ["", "features.1.block.0.0 is a grouped convolution"],
        ),
        ("squeezenet1_1", ["", "its output goes to the output of the model"]),
        (
            "shufflenet_v2_x1_0",
            [
                "",
                "the model computes something else, or nothing, with fewer units there",
                "stage2.0.branch1.0 is a grouped convolution",
            ],
        ),
    ],
)
@pytest.mark.slow
def test_dead_channels_of_random_networks_are_removed_where_they_can_be(
    name: str, reasons: list[str]
) -> None:
    model, images = torchvision.models.get_model(name, weights=None), torch.randn(2, 3, 64, 64)
    report = probe(model, [images])
    table = removable(model, report)
    assert set(reasons) <= set(table["reason"])
    with pytest.warns(UserWarning, match="dead units stay"):
        pruned = prune_dead(model, report)
    assert table["removed"].sum() > 50
    # A removed unit takes its row of weights along, at the least.
    sizes = [sum(parameter.numel() for parameter in one.parameters()) for one in (model, pruned)]
    assert sizes[0] - sizes[1] > table["removed"].sum()
    assert difference(model, pruned, images) <= tolerance(torch.float32)


def test_of_a_layer_that_is_dead_altogether_one_unit_stays() -> None:
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    kill(model[0], list(range(5)))
    inputs = torch.randn(4, 3)
    with pytest.warns(UserWarning, match="a layer needs one unit, and all are dead"):
        pruned = prune_dead(model, probe(model, [inputs]))
    assert pruned[0].out_features == 1
    assert difference(model, pruned, inputs) <= tolerance(torch.float32)


@pytest.mark.parametrize("report", [None, nn.ReLU()])
def test_what_is_no_report_is_refused(report: Any) -> None:
    with pytest.raises(DyingReluError, match=f"the report: found {type(report).__name__}; expected"):
        prune_dead(nn.Linear(1, 1), report)


def test_a_report_of_another_model_is_refused() -> None:
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
    other = nn.Sequential(nn.Linear(3, 2))
    with pytest.raises(DyingReluError, match="the model has no layer 1: expected"):
        prune_dead(other, probe(model, [torch.randn(4, 3)]))


def test_batches_with_names_and_models_that_return_several_tensors() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, values: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
            outputs = self.b(torch.relu(self.a(values)))
            return {"outputs": outputs, "answers": outputs.argmax(1)}

    model = nn.DataParallel(Named())
    kill(model.module.a, [0])
    pruned = prune_dead(model, probe(model, [{"values": torch.randn(4, 3)}]))
    assert isinstance(pruned, Named)
    assert pruned.a.out_features < 4


def test_arguments_by_name_decide_which_way_the_model_goes() -> None:
    class Optional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
            x = torch.relu(self.a(x))
            return self.b(x if added is None else x + added)

    model, inputs = Optional(), torch.randn(5, 3)
    without = probe(model, [{"x": inputs}])
    assert removable(model, without)["reason"].tolist() == [""]
    given = probe(model, [{"x": inputs, "added": torch.ones(4)}])
    assert removable(model, given)["reason"].tolist() == ["its output goes to add"]
