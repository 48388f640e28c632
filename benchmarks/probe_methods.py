"""The probe and others, each asked for the dead units of a case as its documentation says."""

import contextlib
import io
import re
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from benchmarks.probe_cases import Case, Counts
from dying_relu import probe

NEAR_ZERO = 0.05
"""Activations at most this large are near zero. Source: fastai's ActivationStats."""


def ours(case: Case) -> Counts:
    """``dying_relu.probe``."""
    summary = probe(case.model, case.batches).summary().dropna(subset=["dead"])
    return dict(zip(summary["layer"], summary["dead"].astype(float), strict=True))


def with_torchdiag(case: Case) -> Counts:
    """``torchdiag``: all data as one batch, since a larger one is more reliable; of a reused module it keeps the last call."""
    import torchdiag

    with contextlib.redirect_stdout(io.StringIO()):
        reported = torchdiag.check_dead_neurons(case.model, torch.cat(case.batches))
    last = {path: f"{path}#2" if f"{path}#2" in case.truth else path for path in reported}
    return {last[path]: float(counts["dead"]) for path, counts in reported.items()}


def with_dead_relu_viz(case: Case) -> Counts:
    """``dead-relu-viz``: its graph is drawn too, and its counts are only printed, for linear layers and convolutions."""
    import dead_relu_viz

    printed = io.StringIO()
    labelled = [(batch, torch.zeros(len(batch))) for batch in case.batches]
    with contextlib.redirect_stdout(printed):
        dead_relu_viz.visualization(case.model, labelled, with_activation=True, device=torch.device("cpu"))
    counts = re.findall(r"^  (\S+) -> +(\d+) dead", printed.getvalue(), flags=re.MULTILINE)
    return {case.feeders.get(path, path): float(dead) for path, dead in counts}


def with_torchlens(case: Case) -> Counts:
    """``torchlens``: one trace of all data as one batch, and its table of dead neurons along the axis of the units, of its ReLUs.

    It has a row for each call, and calls are matched in their order.
    """
    import torchlens
    from torchlens.backends.torch.wrappers import unwrap_torch

    trace = torchlens.trace(case.model, torch.cat(case.batches))
    try:
        dim = 1 if case.batches[0].dim() == 4 else -1
        table = torchlens.debug.dead_neurons(trace, dim=dim)
    finally:
        trace.cleanup()
        unwrap_torch()
    rows = table[table["op"].str.match(r"(relu|clamp|hardtanh)") & table["dead_count"].notna()]
    counts: Counts = {}
    for place, number in enumerate(rows["dead_count"]):
        layer = case.calls[place] if place < len(case.calls) else f"call {place}"
        counts[layer] = counts.get(layer, 0.0) + float(number)
    return counts


def with_keras_contrib(case: Case) -> Counts:
    """keras-contrib's definition (``DeadReluDetector``), written for PyTorch: a feature whose activations sum to 0 over all data.

    In Keras it looks at layers whose activation is a ReLU: here at modules. Each call is a layer.
    """
    totals: dict[str, Tensor] = {}

    def add(name: str, output: Tensor) -> None:
        features = output.movedim(_axis(output), -1).flatten(0, -2)
        totals[name] = totals.get(name, 0) + features.sum(0)

    for batch in case.batches:
        _see_outputs(case.model, batch, add)
    return {name: float((total == 0).sum()) for name, total in totals.items()}


def with_fastai(case: Case) -> Counts:
    """fastai's share of near-zeros (``ActivationStats``), written for PyTorch: of a batch, taken for the share of dead units."""
    return _shares(case, lambda output: output.abs() <= NEAR_ZERO)


def share_of_zeros(case: Case) -> Counts:
    """The folk method: the share of zeros that leave each ReLU module in a batch, taken for the share of dead units."""
    return _shares(case, lambda output: output == 0)


def _shares(case: Case, chosen: Callable[[Tensor], Tensor]) -> Counts:
    counts: Counts = {}

    def see(name: str, output: Tensor) -> None:
        counts[name] = float(chosen(output).float().mean()) * output.shape[_axis(output)]

    _see_outputs(case.model, case.batches[0], see)
    return counts


def _see_outputs(model: nn.Module, batch: Tensor, see: Callable[[str, Tensor], None]) -> None:
    """Run a batch, and show what leaves each call of a ReLU module."""
    calls: dict[str, int] = {}

    def leave(path: str, output: Tensor) -> None:
        calls[path] = calls.get(path, 0) + 1
        see(path if calls[path] == 1 else f"{path}#{calls[path]}", output)

    modules = {
        path: module for path, module in model.named_modules() if isinstance(module, nn.ReLU | nn.ReLU6)
    }
    hooks = [
        module.register_forward_hook(lambda _, inputs, output, path=path: leave(path, output))
        for path, module in modules.items()
    ]
    with torch.no_grad():
        model(batch)
    for hook in hooks:
        hook.remove()


def _axis(output: Tensor) -> int:
    return 1 if output.dim() == 4 else -1


METHODS: dict[str, Callable[[Case], Counts]] = {
    "dying_relu": ours,
    "torchlens": with_torchlens,
    "torchdiag": with_torchdiag,
    "dead-relu-viz": with_dead_relu_viz,
    "keras-contrib": with_keras_contrib,
    "fastai": with_fastai,
    "share of zeros": share_of_zeros,
}
ONE_BATCH = ("fastai", "share of zeros")
"""Methods that look at one batch."""
PACKAGES = {"torchlens": "torchlens", "torchdiag": "torchdiag", "dead-relu-viz": "dead_relu_viz"}
"""Method -> the package it needs, by the name under which it is imported."""


def installed_methods() -> dict[str, Callable[[Case], Counts]]:
    """The methods that can run here; for each that cannot, a line is printed."""
    missing = [name for name, package in PACKAGES.items() if find_spec(package) is None]
    for name in missing:
        print(f"{name} is not installed and left out: pip install {name}")
    return {name: method for name, method in METHODS.items() if name not in missing}
