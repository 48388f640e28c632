"""What a Monitor measures is found in TensorBoard's files."""

from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from dying_relu import Monitor
from dying_relu.adapters.tensorboard import logging_to, write


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }


def test_every_measurement_is_written_at_its_step(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5), nn.ReLU())
    with SummaryWriter(str(tmp_path / "live")) as writer:
        monitor = Monitor(model, [torch.rand(8, 3)], every=2, listeners=[logging_to(writer)])
        monitor.measure()
        for _ in range(4):
            with torch.no_grad():
                model[0].bias[:3] -= 3.0
            monitor.step()
    found = read(tmp_path / "live")
    assert set(found) == {"dead/1", "dead/3", "dead_fraction"}
    history = monitor.history
    for layer in ("1", "3"):
        rows = history[history["layer"] == layer]
        assert [step for step, _ in found[f"dead/{layer}"]] == [0, 2, 4]
        shares = [share for _, share in found[f"dead/{layer}"]]
        assert shares == pytest.approx((rows["dead"] / rows["units"]).tolist())
    assert found["dead/1"][-1][1] >= 0.75
    assert found["dead_fraction"][-1][1] == pytest.approx(history[history["step"] == 4]["dead"].sum() / 9)
    with SummaryWriter(str(tmp_path / "after")) as writer:
        write(history, writer)
    assert read(tmp_path / "after") == found
