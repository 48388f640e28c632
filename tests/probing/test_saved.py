"""A report that is saved and loaded says the same; other files are refused in words."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from sick_models import batches, model
from torch import nn
from torch.nn import functional

from dying_relu import Monitor, Report, probe
from dying_relu.adapters.torchvision_import import torchvision
from dying_relu.errors import DyingReluError


def saved_and_loaded(report: Report, path: Path) -> Report:
    report.save(path)
    return Report.load(path)


def assert_same(one: Report, other: Report) -> None:
    pd.testing.assert_frame_equal(one.summary(), other.summary())
    for name in one.layers:
        pd.testing.assert_frame_equal(one.units(name), other.units(name))
    assert str(one) == str(other)
    assert one.advice() == other.advice()
    assert one.provenance == other.provenance
    assert one.expected_alive(1000) == other.expected_alive(1000)


def test_all_tables_and_sentences_are_the_same(tmp_path: Path) -> None:
    network = model()
    with torch.no_grad():
        network[0].bias[:5] = -100
        network[2].weight[3] = float("nan")
    report = probe(network, batches(), loss=functional.cross_entropy)
    assert_same(report, saved_and_loaded(report, tmp_path / "report.json"))


def test_a_convolutional_network_of_torchvision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    report = probe(torchvision.models.squeezenet1_1(), [torch.randn(2, 3, 64, 64)])
    assert_same(report, saved_and_loaded(report, tmp_path / "report.json"))


def test_the_histories_of_a_monitor_are_kept(tmp_path: Path) -> None:
    network = model()
    monitor = Monitor(network, batches(), every=1)
    monitor.measure()
    with torch.no_grad():
        network[0].bias[:5] = -100
    monitor.step()
    loaded = saved_and_loaded(monitor.report, tmp_path / "report.json")
    assert loaded.advice() == monitor.report.advice()
    assert "5 of them died in training" in loaded.advice()


def test_layers_that_are_not_seen_are_kept(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.LSTM(4, 4))
    network.register_module("never", nn.ReLU())
    network.forward = lambda x: network[2](network[1](network[0](x)))  # type: ignore[assignment]
    report = probe(network, [torch.randn(8, 6)])
    assert "never called" in report.advice()
    assert_same(report, saved_and_loaded(report, tmp_path / "report.json"))


def test_the_file_is_json_for_other_programs(tmp_path: Path) -> None:
    network = model()
    with torch.no_grad():
        network[0].weight[0] = float("inf")
    probe(network, batches()).save(tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)
    assert [layer["layer"] for layer in content["layers"]] == ["1", "3"]
    assert content["not_finite"] > 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no report"),
        ("", "holds no report"),
        ("[]", "holds no report"),
        ("\x00\xff", "holds no report"),
        ('{"layers": []}', "holds no report"),
        ('{"format": 99}', "another version"),
        ('{"format": 1, "report": {"layers": {"class": "Popen", "fields": {}}}}', "holds no report"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    with pytest.raises(DyingReluError, match=message):
        Report.load(path)
