"""Which dead units the probe and others find in the same models, and what they cost beside a plain forward pass.

The others count dead units layer by layer and do not name them, so counts are compared: of a layer with d dead units a method that
reports r has found min(r, d) and invented max(r - d, 0). Each gets the data as its documentation says.
"""

import contextlib
import io
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import dead_relu_viz
import pandas as pd
import pandera.pandas as pa
import torch
import torchdiag
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe
from dying_relu.adapters.torchvision_import import torchvision
from dying_relu.files.atomic import atomic_path

Counts = dict[str, float]
"""Layer, called by its activation as the probe calls it -> dead units."""

PROBES = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "method": pa.Column(str),
        "dead": pa.Column("int64", pa.Check.ge(0)),
        "found": pa.Column(float, pa.Check.ge(0)),
        "invented": pa.Column(float, pa.Check.ge(0)),
        "plain_ms": pa.Column(float, pa.Check.gt(0)),
        "times_plain": pa.Column(float, pa.Check.gt(0)),
        "rounds": pa.Column("int64", pa.Check.ge(1)),
    },
    unique=["model", "method"],
    strict=True,
    coerce=True,
    ordered=True,
    name="probes",
)


class Functional(nn.Module):
    """An MLP that calls its ReLUs as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(784, 256), nn.Linear(256, 256), nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(functional.relu(self.second(functional.relu(self.first(x)))))


class Case(NamedTuple):
    """A model with planted deaths and its batches; ``feeders``: linear layer or convolution -> the activation it feeds."""

    model: nn.Module
    batches: list[Tensor]
    feeders: dict[str, str]
    truth: Counts


def cases() -> dict[str, Case]:
    """MLP, the same with functions, CNN and ResNet-18; a tenth of the units of a layer is pushed far down."""
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
    return {
        "MLP": _case(mlp, pixels, {"0": "1", "2": "3"}, "0"),
        "MLP, functions": _case(Functional(), pixels, {"first": "relu", "second": "relu#2"}, "first"),
        "CNN": _case(cnn, [torch.randn(128, 3, 32, 32) for _ in range(2)], {"0": "1", "3": "4"}, "3"),
        "ResNet-18": _case(
            resnet, [torch.randn(64, 3, 224, 224)], {"conv1": "relu"} | in_blocks, "layer2.0.bn1"
        ),
    }


def _case(model: nn.Module, batches: list[Tensor], feeders: dict[str, str], planted: str) -> Case:
    model.eval()
    bias = model.get_submodule(planted).bias
    assert isinstance(bias, Tensor)
    with torch.no_grad():
        bias[::10] = -1e4
    return Case(model, batches, feeders, _truth(model, batches, feeders))


def _truth(model: nn.Module, batches: list[Tensor], feeders: dict[str, str]) -> Counts:
    """By a count in float64 of what comes into the ReLUs: modules where there are some, else what leaves the feeders."""
    largest: dict[str, Tensor] = {}
    calls: Counter[str] = Counter()

    def see(name: str, z: Tensor) -> None:
        found = z.detach().double().movedim(1, 0).flatten(1).amax(1)
        largest[name] = torch.maximum(largest.get(name, found), found)

    def enter(path: str, z: Tensor) -> None:
        calls[path] += 1
        see(path if calls[path] == 1 else f"{path}#{calls[path]}", z)

    modules = {path: module for path, module in model.named_modules() if isinstance(module, nn.ReLU)}
    hooks = [
        module.register_forward_pre_hook(lambda _, inputs, path=path: enter(path, inputs[0]))
        for path, module in modules.items()
    ] or [
        model.get_submodule(path).register_forward_hook(lambda _, inputs, z, name=name: see(name, z))
        for path, name in feeders.items()
    ]
    with torch.no_grad():
        for batch in batches:
            calls.clear()
            model(batch)
    for hook in hooks:
        hook.remove()
    return {name: int((highest <= 0).sum()) for name, highest in largest.items()}


def ours(case: Case) -> Counts:
    """``dying_relu.probe``."""
    summary = probe(case.model, case.batches).summary()
    return dict(zip(summary["layer"], summary["dead"].astype(float), strict=True))


def with_torchdiag(case: Case) -> Counts:
    """``torchdiag``: all data as one batch, since a larger one is more reliable; of a reused module it keeps the last call."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = torchdiag.check_dead_neurons(case.model, torch.cat(case.batches))
    last = {path: f"{path}#2" if f"{path}#2" in case.truth else path for path in found}
    return {last[path]: float(seen["dead"]) for path, seen in found.items()}


def with_dead_relu_viz(case: Case) -> Counts:
    """``dead-relu-viz``: its graph is drawn too, and its counts are only printed, for linear layers and convolutions."""
    printed = io.StringIO()
    labelled = [(batch, torch.zeros(len(batch))) for batch in case.batches]
    with contextlib.redirect_stdout(printed):
        dead_relu_viz.visualization(case.model, labelled, with_activation=True, device=torch.device("cpu"))
    counts = re.findall(r"^  (\S+) -> +(\d+) dead", printed.getvalue(), flags=re.MULTILINE)
    return {case.feeders.get(path, path): float(dead) for path, dead in counts}


def share_of_zeros(case: Case) -> Counts:
    """The folk method: the share of zeros that leave each ReLU module in a batch, taken for the share of dead units."""
    found: Counts = {}

    def see(path: str, output: Tensor) -> None:
        name = f"{path}#2" if path in found else path
        found[name] = float((output == 0).float().mean()) * output.shape[1]

    modules = {path: module for path, module in case.model.named_modules() if isinstance(module, nn.ReLU)}
    hooks = [
        module.register_forward_hook(lambda _, inputs, output, path=path: see(path, output))
        for path, module in modules.items()
    ]
    with torch.no_grad():
        case.model(case.batches[0])
    for hook in hooks:
        hook.remove()
    return found


METHODS: dict[str, Callable[[Case], Counts]] = {
    "dying_relu": ours,
    "torchdiag": with_torchdiag,
    "dead-relu-viz": with_dead_relu_viz,
    "share of zeros": share_of_zeros,
}


def plain(case: Case, batches: int) -> None:
    """A forward pass over the first ``batches``."""
    with torch.no_grad():
        for batch in case.batches[:batches]:
            case.model(batch)


def run(out: Path, rounds: int = 9, chosen: tuple[str, ...] = ()) -> pd.DataFrame:
    """Measure, and write ``probes.csv`` to the folder ``out``; medians of ratios within a round, all methods in turn."""
    every = cases()
    rows = [row for name in chosen or every for row in _rows(name, every[name], rounds)]
    table = PROBES.validate(pd.DataFrame(rows, columns=list(PROBES.columns)))
    with atomic_path(out / "probes.csv") as beside:
        table.to_csv(beside, index=False)
    return table


def _rows(name: str, case: Case, rounds: int) -> list[list[object]]:
    counts = {method: find(case) for method, find in METHODS.items()}
    plains: list[float] = []
    ratios: dict[str, list[float]] = {method: [] for method in METHODS}
    for _ in range(rounds):
        for method, find in METHODS.items():
            batches = 1 if method == "share of zeros" else len(case.batches)
            alone = _seconds(partial(plain, case, batches))
            plains.append(alone / batches)
            ratios[method].append(_seconds(partial(find, case)) / alone)
    dead = int(sum(case.truth.values()))
    milliseconds = 1000 * statistics.median(plains)
    return [
        [
            name,
            method,
            dead,
            *_score(counts[method], case.truth),
            milliseconds,
            statistics.median(times),
            rounds,
        ]
        for method, times in ratios.items()
    ]


def _score(reported: Counts, truth: Counts) -> tuple[float, float]:
    """How many were found, and how many invented."""
    found = sum(min(reported.get(layer, 0), dead) for layer, dead in truth.items())
    return found, sum(max(count - truth.get(layer, 0), 0) for layer, count in reported.items())


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def markdown(table: pd.DataFrame) -> str:
    """The table of README.md, a row a model and method."""
    lines = [
        "| model | method | dead | found | invented | times a plain forward pass |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.model} | {row.method} | {row.dead} | {row.found:.0f} | {row.invented:.0f} | {row.times_plain:.2f} |"
        for row in table.itertuples()
    ]
    return "\n".join(lines)
