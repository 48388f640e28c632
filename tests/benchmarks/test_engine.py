"""The commands, on as little as they accept."""

import json
import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import end_to_end, engine, million, scaling, studies, tables
from benchmarks.arithmetic import flops_per_sample
from benchmarks.cases import CASES, Case
from benchmarks.contestants import EARLIER, FULL, GEMM, JOBS, QUICK, with_study
from benchmarks.jobs import ROOT
from benchmarks.methods import METHODS
from benchmarks.methods.base import NotPossible
from benchmarks.methods.torch_func import TorchFunc
from benchmarks.scaling import SCALING, Size
from benchmarks.settings import is_plain
from dying_relu.errors import DyingReluError
from dying_relu.plan import study
from dying_relu.results import store

TINY = replace(
    QUICK,
    cases=("mlp-sgd-relu",),
    stacks={"mlp": (2,)},
    slow_stacks={"mlp": (2,)},
    rounds=2,
    seconds=0.02,
    job_cases=("mlp-sgd-relu",),
    job_samples=256,
)


@pytest.mark.slow
def test_the_comparison_measures_every_method(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        not_run = engine.run(TINY, tmp_path, ("float32",), against=ROOT).not_run
    table = tables.read(tmp_path / "engine.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "engine_not_run.csv"), not_run, check_dtype=False)
    assert set(not_run["method"]) <= {"jax", "torch_func_compiled"}
    (earlier,) = {method for method in table["method"] if method.startswith(EARLIER)}
    assert set(table["method"]) == {GEMM, JOBS, earlier, *METHODS} - set(not_run["method"])
    assert (table.loc[table["method"] == earlier, "ratio_to_earlier"] == 1).all()
    assert table["ratio_to_earlier"].notna().sum() == (table["method"] != GEMM).sum()
    assert table.loc[table["method"] == GEMM, "share_of_peak"].max() <= 1
    assert (table.loc[table["method"] != JOBS, "rounds"] == TINY.rounds).all()
    assert json.loads((tmp_path / "machine.json").read_text())["cores"] >= 1
    forward, backward = (
        [message.split(": ", 1)[1] for message in caplog.messages if message.startswith(f"round {number} of")]
        for number in (1, 2)
    )
    names = [[message.rsplit(":", 1)[0] for message in order] for order in (forward, backward)]
    assert [name for name in names[0] if JOBS not in name] == names[1][::-1]


def test_what_this_machine_cannot_run_is_reported_and_the_rest_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def require() -> None:
        raise NotPossible("it cannot")

    monkeypatch.setattr(engine, "METHODS", {"torch_func": TorchFunc})
    monkeypatch.setattr(TorchFunc, "require", require)
    runners = engine.Runners(TINY)
    monkeypatch.setattr(runners, "of", lambda contestant: Ready())
    (_, block) = engine._blocks(runners, "cpu", ("float32",))
    not_run = engine._prepare([block], runners)
    assert set(not_run["method"]) == {"torch_func"}
    assert set(not_run["reason"]) == {"it cannot"}
    assert {contestant.method for contestant in block.contestants} >= {GEMM, "usual", "stacked"}
    assert "torch_func" not in {contestant.method for contestant in block.contestants}


class Ready:
    """A runner with nothing to prepare."""

    def prepare(self, contestant: object) -> None:
        pass


def test_the_networks_that_make_up_the_default_study_are_cases() -> None:
    cases = {Case(case).setting[:3] for case in with_study(FULL).cases}
    work: Counter[bool] = Counter()
    for shard in study_of_the_paper().shards:
        descending = [run for run in shard.runs if shard.optimisers[run.optimiser].kind == "sgd"]
        if is_plain(shard.architecture):
            setting = (shard.architecture, shard.dataset.name, shard.batch_size)
            flops = flops_per_sample(shard.architecture, shard.dataset.name)
            work[setting in cases] += len(descending) * shard.steps * shard.batch_size * flops
    assert work[True] > 0.8 * work.total()


def study_of_the_paper() -> study.Study:
    return study.load(ROOT / "config" / "config.yaml")


def test_an_unknown_precision_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match="float16; expected float32 or bf16"):
        engine.run(TINY, tmp_path, ("float16",))


@pytest.mark.slow
def test_the_cost_curve_has_every_stage(tmp_path: Path) -> None:
    scaling.run(tmp_path, (Size(1, 2, 1),), repetitions=1)
    table = SCALING.validate(pd.read_csv(tmp_path / "scaling.csv"))
    assert tuple(table["stage"]) == scaling.STAGES
    assert (table["networks"] == 8).all()


@pytest.mark.slow
def test_every_stage_of_a_huge_study_is_measured_as_a_person_types_it(tmp_path: Path) -> None:
    million.run(tmp_path, (Size(1, 2, 1),))
    table = million.MILLION.validate(pd.read_csv(tmp_path / "million.csv"))
    assert list(table["stage"]) == ["plan", "DAG", "aggregate"]
    assert (table["networks"] == 8).all()
    assert table["memory_mebibytes"].min() > 10
    assert (table["megabytes_written"] > 0).tolist() == [False, False, True]


def test_a_stage_that_fails_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match=r"dying_relu.cli failed.*absent.yaml"):
        million.measured(["dying_relu.cli", "plan", "--config", "absent.yaml"], tmp_path)


def test_made_up_tables_are_those_of_the_study(tmp_path: Path) -> None:
    configuration = studies.grid("made_up", scaling.ARCHITECTURES, scaling.EXAMPLES, (2, 2), 1)
    planned = study.load(studies.write(configuration, tmp_path))
    scaling.write_shards(planned, tmp_path)
    paths = [tmp_path / shard.name / "runs.parquet" for shard in planned.shards]
    written = pd.concat([store.read("runs", path) for path in paths])
    assert set(written["run"]) == {run.id for run in planned.runs}


@pytest.mark.parametrize("size", scaling.SIZES)
def test_a_study_has_as_many_networks_as_its_size_says(size: Size, tmp_path: Path) -> None:
    levels = (size.rates, size.biases)
    configuration = studies.grid("sized", scaling.ARCHITECTURES, scaling.EXAMPLES, levels, size.replicates)
    assert len(study.load(studies.write(configuration, tmp_path)).runs) == size.networks


def test_a_study_of_odd_size_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match="a multiple of 100"):
        end_to_end.run(tmp_path, networks=150)


@pytest.mark.slow
def test_a_whole_study_is_compared_with_jobs_of_one_network(tmp_path: Path) -> None:
    table = end_to_end.run(tmp_path, networks=100, sample=1, samples_per_network=3 * 128)
    assert table["networks"].item() == 100
    assert table["ratio"].item() > 1
    assert (tmp_path / "end_to_end.csv").is_file()


def test_every_case_stands_for_a_network_that_can_be_planned() -> None:
    for name, case in CASES.items():
        assert case.name == name
        assert case.network(3).learning_rate > case.network(0).learning_rate
