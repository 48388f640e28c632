"""The README's sentence on speed follows from the tracked tables."""

import json
from pathlib import Path

import pytest
from made_up_benchmark import STUDY, measured

from benchmarks import tables
from benchmarks.jobs import ROOT
from benchmarks.readme_line import readme_line
from benchmarks.settings import find
from dying_relu.errors import DyingReluError


def test_the_readme_says_what_the_tracked_tables_say() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert readme_line(ROOT / "results/published/performance") in readme


def test_the_study_has_its_share_of_the_sentence(tmp_path: Path) -> None:
    (tmp_path / "machine.json").write_text(json.dumps({"cores": 2, "cpu": "Abacus"}))
    tables.write(
        tables.summary(measured(["mlp-sgd-relu", "cnn-sgd-relu", STUDY])),
        tmp_path / "engine.csv",
    )
    setting = find(STUDY.split("-")[0])
    line = readme_line(tmp_path)
    assert line.startswith(
        "On two cores (Abacus) it trains small MLPs 3.0 times (15 % of the rate of PyTorch's large products) and CNNs 3.0 times"
    )
    assert f"the default study's own {setting.architecture.kind.upper()}s 3.0 times" in line
    speed = 1500 / setting.samples_per_network
    assert line.endswith(f"{speed:,.0f} networks of {setting.samples_per_network:,} samples per second)")


def test_a_table_without_a_named_case_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "machine.json").write_text(json.dumps({"cores": 2, "cpu": "Abacus"}))
    tables.write(tables.summary(measured()), tmp_path / "engine.csv")
    with pytest.raises(DyingReluError, match="lacks cases: found mlp-sgd-relu; expected cnn-sgd-relu"):
        readme_line(tmp_path)
