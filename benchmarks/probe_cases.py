"""Models with planted deaths, and which of their units are dead by a count in float64."""

from collections import Counter
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import cases as training
from benchmarks import settings
from benchmarks.methods.plain import network
from dying_relu.adapters.torchvision_import import torchvision
from dying_relu.configuration import IMAGE_SETS

Counts = dict[str, float]
"""Layer, called by its activation as the probe calls it -> dead units."""


class Functional(nn.Module):
    """An MLP that calls its ReLUs as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(784, 256), nn.Linear(256, 256), nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(functional.relu(self.second(functional.relu(self.first(x)))))


class SharedHead(nn.Module):
    """A detector's head: one convolution and one ReLU for three scales of the same image."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU())
        self.last = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        scales = (x, 3 * functional.avg_pool2d(x, 2), 10 * functional.avg_pool2d(x, 4))
        return self.last(sum(self.head(scale).mean((2, 3)) for scale in scales))


class TopKAutoencoder(nn.Module):
    """A sparse autoencoder: of 512 units the eight largest of an example pass, after a ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.relu, self.decoder = nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 64)

    def code(self, x: Tensor) -> Tensor:
        """(N, 512), of which eight a row are not 0."""
        values, places = self.relu(self.encoder(x)).topk(8)
        return torch.zeros(len(x), 512).scatter(-1, places, values)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.code(x))


class Case(NamedTuple):
    """A model with planted deaths and its batches.

    Attributes:
        model: in evaluation mode.
        batches: of its inputs.
        feeders: linear layer or convolution -> the activation it feeds.
        truth: dead units by layer.
        calls: the layer of each call of an activation, in the order of the calls.
    """

    model: nn.Module
    batches: list[Tensor]
    feeders: dict[str, str]
    truth: Counts
    calls: list[str]


def cases() -> dict[str, Case]:
    """One case of each kind; a tenth of the units of a layer is pushed far down."""
    torch.manual_seed(0)
    mlp = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    cnn = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip
    resnet = torchvision.models.resnet18()
    blocks = [f"layer{stage}.{block}" for stage in range(1, 5) for block in range(2)]
    in_blocks = {
        f"{block}.conv{n}": f"{block}.relu{'' if n == 1 else '#2'}" for block in blocks for n in (1, 2)
    }
    pixels = [torch.randn(256, 784) for _ in range(40)]
    mlps = {
        "MLP": _case(mlp, pixels, {"0": "1", "2": "3"}, "0"),
        "MLP, functions": _case(Functional(), pixels, {"first": "relu", "second": "relu#2"}, "first"),
        "CNN": _case(cnn, [torch.randn(128, 3, 32, 32) for _ in range(2)], {"0": "1", "3": "4"}, "3"),
        "ResNet-18": _case(
            resnet, [torch.randn(64, 3, 224, 224)], {"conv1": "relu"} | in_blocks, "layer2.0.bn1"
        ),
    }
    # Later cases come last: the random numbers of those before stay as they were.
    return mlps | _newer_cases() | _studys_cnns()


def _studys_cnns() -> dict[str, Case]:
    """The convolutional networks that the default study trains, on batches of its size."""
    made = {}
    for name, setting in settings.of_study().items():
        if setting.architecture.kind != "cnn":
            continue
        model = network(training.Case(f"{name}-sgd-relu"))
        # All but the last layer, which gives the classes.
        fed = [n for n, module in enumerate(model) if isinstance(module, nn.Linear | nn.Conv2d)][:-1]
        feeders = {str(n): str(n + 1) for n in fed}
        images = IMAGE_SETS[setting.dataset]
        shape = (setting.batch_size, images.channels, images.side, images.side)
        batches = [torch.randn(shape) for _ in range(40)]
        made[f"the study's {settings.title(name)}"] = _case(model, batches, feeders, "3")
    return made


def _newer_cases() -> dict[str, Case]:
    mobilenet = torchvision.models.mobilenet_v2()
    fed = [path for path, module in mobilenet.named_modules() if isinstance(module, nn.ReLU6)]
    feeders = {f"{path.rpartition('.')[0]}.0": path for path in fed}
    layer = nn.TransformerEncoderLayer(64, 4, 256, batch_first=True)
    transformer = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    words = [torch.randn(64, 32, 64) for _ in range(8)]
    head = SharedHead()
    bias = head.head[0].bias
    assert isinstance(bias, Tensor)
    with torch.no_grad():
        bias[1::10] = -4.0  # alive at the last scale only
    return {
        "MobileNet-v2": _case(mobilenet, [torch.randn(32, 3, 96, 96)], feeders, "features.1.conv.0.1"),
        "transformer": _case(
            transformer,
            words,
            {f"layers.{n}.linear1": f"layers.{n}:relu" for n in range(2)},
            "layers.0.linear1",
        ),
        "shared head": _case(
            head, [torch.randn(64, 3, 32, 32) for _ in range(4)], {"head.0": "head.1"}, "head.0", calls=3
        ),
        "top-k autoencoder": _autoencoder(),
    }


def _case(
    model: nn.Module, batches: list[Tensor], feeders: dict[str, str], planted: str, calls: int = 1
) -> Case:
    """Plant deaths, and count them; ``calls`` of each activation are one layer."""
    model.eval()
    _plant(model, planted)
    truth, order = _truth(model, batches, feeders, shared=calls > 1)
    return Case(model, batches, feeders, truth, order)


def _plant(model: nn.Module, path: str) -> None:
    bias = model.get_submodule(path).bias
    assert isinstance(bias, Tensor)
    with torch.no_grad():
        bias[::10] = -1e4


def _autoencoder() -> Case:
    """A unit is dead if its code is 0 on every example, whatever its pre-activation."""
    model = TopKAutoencoder().eval()
    with torch.no_grad():
        model.encoder.bias.uniform_(-1.5, 0)  # many are active and never among the largest
    _plant(model, "encoder")
    batches = [torch.randn(128, 64) for _ in range(4)]
    with torch.no_grad():
        never = torch.stack([model.code(batch).amax(0) for batch in batches]).amax(0) == 0
    return Case(model, batches, {"encoder": "relu"}, {"relu": int(never.sum())}, ["relu"])


def _truth(
    model: nn.Module, batches: list[Tensor], feeders: dict[str, str], shared: bool
) -> tuple[Counts, list[str]]:
    """By a count in float64 of what comes into the ReLUs: modules where there are some, else what leaves the feeders."""
    largest: dict[str, Tensor] = {}
    calls: Counter[str] = Counter()
    order: list[str] = []

    def see(name: str, z: Tensor) -> None:
        high = z.detach().double().movedim(1 if z.dim() == 4 else -1, 0).flatten(1).amax(1)
        largest[name] = torch.maximum(largest.get(name, high), high)
        order.append(name)

    def enter(path: str, z: Tensor) -> None:
        calls[path] += 1
        see(path if shared or calls[path] == 1 else f"{path}#{calls[path]}", z)

    modules = {
        path: module for path, module in model.named_modules() if isinstance(module, nn.ReLU | nn.ReLU6)
    }
    hooks = [
        module.register_forward_pre_hook(lambda _, inputs, path=path: enter(path, inputs[0]))
        for path, module in modules.items()
    ] or [
        model.get_submodule(path).register_forward_hook(lambda _, inputs, z, name=name: see(name, z))
        for path, name in feeders.items()
    ]
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # which calls no module that could be hooked
    with torch.no_grad():
        for batch in batches:
            calls.clear()
            order.clear()
            model(batch)
    torch.backends.mha.set_fastpath_enabled(fast)
    for hook in hooks:
        hook.remove()
    return {name: int((highest <= 0).sum()) for name, highest in largest.items()}, order
