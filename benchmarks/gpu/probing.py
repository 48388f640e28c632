"""Probe, Monitor, prune_dead and revive, on models on the device: the findings are those on the CPU."""

import copy

import torch
from torch import Tensor, nn

from benchmarks.gpu.parts import Options
from dying_relu import Monitor, probe, prune_dead, revive

PLANTED = 5
"""Units that no example switches on, in the first layer of each model."""


def models() -> dict[str, nn.Sequential]:
    """Small networks for images (3, 12, 12), with dead units."""
    torch.manual_seed(0)
    networks = {
        "mlp": nn.Sequential(
            nn.Flatten(), nn.Linear(432, 32), nn.ReLU(), nn.Linear(32, 16), nn.GELU(), nn.Linear(16, 10)
        ),
        "cnn": nn.Sequential(
            nn.Conv2d(3, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10),
        ),
    }  # fmt: skip
    with torch.no_grad():
        for network in networks.values():
            bias = network[1].bias
            assert isinstance(bias, Tensor)
            bias[:PLANTED] = -1e4
    return networks


def run(options: Options) -> int:
    """Compare with the CPU.

    Args:
        options: the device.

    Returns:
        0; what differs is raised as an error.
    """
    device = torch.device(options.device)
    for name, model in models().items():
        _examine(name, model, device)
    return 0


def _examine(name: str, model: nn.Sequential, device: torch.device) -> None:
    stream = torch.Generator().manual_seed(1)
    batches = [torch.randn(64, 3, 12, 12, generator=stream) for _ in range(4)]
    there = copy.deepcopy(model).to(device)
    on_cpu, report = probe(model, batches), probe(there, batches)
    columns = ["layer", "kind", "units", "dead", "inactive"]
    assert on_cpu.summary()[columns].equals(report.summary()[columns]), report.summary()
    assert report.summary()["dead"].iloc[0] == PLANTED, report.summary()
    assert next(there.parameters()).device.type == device.type, "the probe leaves the model where it is"

    small = prune_dead(there, report)
    assert sum(map(Tensor.numel, small.parameters())) < sum(map(Tensor.numel, there.parameters()))
    _assert_same_outputs(there, small, batches[0].to(device))

    _train(there, batches, device)
    revived = copy.deepcopy(there)
    optimiser = torch.optim.Adam(revived.parameters())
    table = revive(revived, probe(revived, batches), optimizer=optimiser)
    assert table["revived"].iloc[0] == PLANTED, table
    _assert_same_outputs(there, revived, batches[0].to(device))
    assert probe(revived, batches).summary()["dead"].iloc[0] == 0, "revived units are alive"
    print(f"{name}: probe, Monitor, prune_dead and revive on {device}: as on the CPU")


def _train(model: nn.Module, batches: list[Tensor], device: torch.device) -> None:
    """A few steps of Adam under the Monitor."""
    optimiser = torch.optim.Adam(model.parameters())
    labels = torch.arange(64, device=device) % 10
    with Monitor(model, batches, every=2) as monitor:
        for images in batches * 2:
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(images.to(device)), labels).backward()
            optimiser.step()
    assert monitor.report is not None, "the Monitor has measured"
    assert monitor.report.summary()["dead"].iloc[0] == PLANTED, monitor.report.summary()
    assert monitor.history["step"].nunique() > 1, monitor.history


def _assert_same_outputs(one: nn.Module, other: nn.Module, images: Tensor) -> None:
    with torch.no_grad():
        expected, outputs = (copy.deepcopy(model).eval()(images) for model in (one, other))
    torch.testing.assert_close(outputs, expected, rtol=1e-4, atol=1e-4)
