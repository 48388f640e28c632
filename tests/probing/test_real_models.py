"""On models that nobody here wrote the probe finds exactly what an oracle in float64 finds, planted deaths among it.

The oracle shares nothing with the probe: it has hooks on the activation modules, or on the layers before them, keeps all
pre-activations, and judges each unit by the largest of them.
"""

import inspect
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from dying_relu import probe
from dying_relu.adapters.torchvision_import import torchvision

EDGES = {
    "ReLU": 0.0,
    "Hardswish": -3.0,
    "Hardsigmoid": -3.0,
    # Phi(z) and phi(z) are 0 in float32 from here on, and sigmoid(z) too: only such units are dead by the exact definition.
    "GELU": -15.0,
    "GELUActivation": -15.0,
    "SiLU": -105.0,
    "Sigmoid": -105.0,
    "Tanh": -torch.inf,
}
"""By class of module: a unit is dead if no pre-activation is above this."""

DOWN = -1e4


class Planted(NamedTuple):
    """Deaths that are planted: units of ``layer``, by the parameters of the module ``feeder`` before it."""

    feeder: str
    layer: str
    units: list[int]
    weights_too: bool = False

    def plant(self, model: nn.Module) -> None:
        """Push the biases far down; or set the weights to 0 and leave a bias that is just negative."""
        feeder = model.get_submodule(self.feeder)
        with torch.no_grad():
            feeder.bias[self.units] = -0.1 if self.weights_too else DOWN
            if self.weights_too:
                feeder.weight[self.units] = 0


class Case(NamedTuple):
    """A model, the shape of what it is shown, and what is planted."""

    build: Callable[[], nn.Module]
    example: tuple[int, ...]
    planted: list[Planted]


def vision(name: str) -> Callable[[], nn.Module]:
    return lambda: torchvision.models.get_model(name, weights=None, num_classes=10)


def from_timm(name: str) -> Callable[[], nn.Module]:
    return lambda: pytest.importorskip("timm").create_model(name, pretrained=False)


IMAGE = (3, 64, 64)
CASES = {
    "resnet18": Case(
        vision("resnet18"),
        IMAGE,
        [
            Planted("bn1", "relu", [1, 5]),
            Planted("layer2.0.bn1", "layer2.0.relu", [4], weights_too=True),
            Planted("layer3.1.bn1", "layer3.1.relu", [1, 255]),
        ],
    ),
    "vgg11": Case(
        vision("vgg11"),
        IMAGE,
        [
            Planted("features.0", "features.1", [3]),
            Planted("features.8", "features.9", [2, 9]),
            Planted("classifier.0", "classifier.1", [2], weights_too=True),
        ],
    ),
    "mobilenet_v3_small": Case(
        vision("mobilenet_v3_small"),
        IMAGE,
        [
            Planted("features.0.1", "features.0.2", [1, 5]),
            Planted("features.2.block.0.1", "features.2.block.0.2", [2], weights_too=True),
        ],
    ),
    "efficientnet_b0": Case(
        vision("efficientnet_b0"),
        IMAGE,
        [
            Planted("features.0.1", "features.0.2", [0, 31]),
            Planted("features.2.0.block.0.1", "features.2.0.block.0.2", [17]),
        ],
    ),
    "timm test_resnet": Case(
        from_timm("test_resnet"),
        IMAGE,
        [
            Planted("layer1.0.bn1", "layer1.0.act1", [2]),
            Planted("layer2.0.bn1", "layer2.0.act1", [3], weights_too=True),
        ],
    ),
    "timm test_vit": Case(
        from_timm("test_vit"), (3, 160, 160), [Planted("blocks.1.mlp.fc1", "blocks.1.mlp.act", [3, 8])]
    ),
}


class Oracle:
    """Judges the units of every call of an activation module, by hooks on these modules."""

    def __init__(self, model: nn.Module) -> None:
        self.dead: dict[str, list[int]] = {}
        for path, module in model.named_modules():
            if type(module).__name__ in EDGES:
                module.register_forward_pre_hook(
                    lambda called, inputs, path=path: self.judge(path, called, *inputs)
                )

    def judge(self, path: str, module: nn.Module, z: Tensor) -> None:
        largest = z.double().movedim(1 if z.dim() == 4 else -1, 0).flatten(1).amax(1)
        calls = 1 + sum(name.split("#")[0] == path for name in self.dead)
        name = path if calls == 1 else f"{path}#{calls}"
        self.dead[name] = (largest <= EDGES[type(module).__name__]).nonzero().flatten().tolist()


def oracle_says(model: nn.Module, **inputs: Tensor) -> dict[str, list[int]]:
    """Layer, as the probe calls it -> dead units."""
    model = deepcopy(model)
    oracle = Oracle(model)
    with torch.no_grad():
        model(**inputs)
    return oracle.dead


def probe_says(model: nn.Module, batches: list[Any]) -> dict[str, list[int]]:
    """The same; what a module computes by a function is called by the module's path alone."""
    report = probe(model, batches)
    tables = {name: report.units(name) for name in report.layers}
    return {name.split(":")[0]: table.index[table["dead"]].tolist() for name, table in tables.items()}


def unlike_channels(model: nn.Module) -> nn.Module:
    """Running means as training leaves them: untrained ones are all alike, and no unit dies by itself."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.5, generator=generator)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_planted_deaths_are_found_to_the_unit_and_none_is_invented(case: Case) -> None:
    torch.manual_seed(0)
    model = unlike_channels(case.build().eval())
    images = torch.randn(4, *case.example)
    before = probe_says(model, [images])
    for planted in case.planted:
        assert not set(planted.units) & set(before[planted.layer]), "chosen among the living"
        planted.plant(model)
    after = probe_says(model, list(images.split(3)))
    assert after == oracle_says(model, **{first_argument(model): images})
    for planted in case.planted:
        assert set(planted.units) <= set(after[planted.layer])


def first_argument(model: nn.Module) -> str:
    return next(iter(inspect.signature(model.forward).parameters))


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_bert_of_transformers_gets_its_batches_as_dicts(activation: str) -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    config = transformers.BertConfig(vocab_size=50, max_position_embeddings=8, hidden_act=activation, **shape)
    model = transformers.BertModel(config).eval()
    planted = Planted(
        "encoder.layer.1.intermediate.dense", "encoder.layer.1.intermediate.intermediate_act_fn", [3]
    )
    planted.plant(model)
    tokens = torch.randint(50, (4, 8))
    found = probe_says(model, [{"input_ids": part} for part in tokens.split(2)])
    assert found == oracle_says(model, input_ids=tokens)
    assert found[planted.layer] == [3]


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_transformer_of_torch_calls_its_activation_as_a_function(activation: str) -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation=activation)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    Planted("layers.1.linear1", "layers.1", [3, 15]).plant(encoder)
    tokens = torch.randn(4, 6, 8)
    found = probe_says(encoder, [tokens])
    expected, edge = {}, EDGES[{"relu": "ReLU", "gelu": "GELU"}[activation]]

    def judge(path: str, z: Tensor) -> None:
        expected[path] = (z.double().amax((0, 1)) <= edge).nonzero().flatten().tolist()

    for path in found:
        linear = encoder.get_submodule(f"{path}.linear1")
        linear.register_forward_hook(lambda module, inputs, z, path=path: judge(path, z))
    encoder(tokens)  # with gradients, which keeps it from its fused path, in which linear1 is not called
    assert found == expected
    assert found["layers.1"] == [3, 15]
