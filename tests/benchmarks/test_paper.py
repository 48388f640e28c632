"""What the paper shows of the benchmarks follows from their files."""

import json
from pathlib import Path

import pandas as pd
import pytest
from made_up_benchmark import MLP, STUDY, measured

from benchmarks import machine, paper, tables
from benchmarks.settings import find, title
from dying_relu.errors import DyingReluError


def test_the_table_has_a_row_a_case_and_precision() -> None:
    text = paper.table(tables.summary(measured()))
    assert text.startswith(r"\begin{tabular}")
    assert text.count(r"MLP, SGD, ReLU") == 2
    assert text.count("bf16") == 1
    assert "nan" not in text
    float32 = next(line for line in text.splitlines() if line.startswith("MLP, SGD, ReLU &"))
    assert r"& \num{16} &" in float32, (
        "ours at the stack that it chooses, not at the one that would have been best"
    )


def test_the_networks_of_the_study_have_a_table_of_their_own() -> None:
    table = tables.summary(measured([MLP.name, STUDY]))
    assert title(STUDY) not in paper.table(table)
    text = paper.study_table(table)
    samples = find(STUDY.split("-")[0]).samples_per_network
    name = title(STUDY).removesuffix(", SGD, ReLU")
    float32 = next(line for line in text.splitlines() if line.startswith(f"{name} &"))
    assert rf"\num{{{samples}}}" in float32
    assert paper.engine_tex(table).count(r"\begin{tabular}") == 2
    assert paper.engine_tex(tables.summary(measured())).count(r"\begin{tabular}") == 1


def test_the_sentences_name_the_machine_and_what_else_was_measured(tmp_path: Path) -> None:
    tables.write(tables.summary(measured()), tmp_path / "engine.csv")
    (tmp_path / "machine.json").write_text(json.dumps(machine.describe() | {"cpu": "A_CPU", "cores": 2}))
    assert r"A\_CPU, two cores" in paper.performance(tmp_path)
    assert "workflow" not in paper.performance(tmp_path)
    row = {
        "case": "mlp-sgd-relu",
        "networks": 1000,
        "samples_per_network": 30_000,
        "workflow_seconds": 80.0,
        "sample_of_jobs": 8,
        "jobs_seconds_extrapolated": 2400.0,
        "ratio": 30.0,
    }
    pd.DataFrame([row]).to_csv(tmp_path / "end_to_end.csv", index=False)
    assert r"\num{30} times as long" in paper.performance(tmp_path)
    assert r"takes \qty{1.3}{\minute} through" in paper.performance(tmp_path)
    assert r"would take \qty{40}{\minute} (" in paper.performance(tmp_path)


def test_a_missing_table_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match="python -m benchmarks engine"):
        paper.performance(tmp_path)
