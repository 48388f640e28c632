"""A configuration becomes runs and shards, the same ones every time, and quickly."""

import itertools
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_experiments import STUDY, planned

from dying_relu.errors import DyingReluError
from dying_relu.plan import cost, memory
from dying_relu.plan.study import SECONDS_PER_SHARD, load, log_spaced


def test_every_combination_is_a_run() -> None:
    study = planned()
    assert len(study.runs) == 3 * 2 * 2 * 1 * 2 * 2 * 2 + 2 * 2
    assert len({run.id for run in study.runs}) == len(study.runs)
    assert study.datasets == ("mnist", "cifar10")


def test_an_experiment_has_its_own_minibatches_at_the_same_number_of_epochs() -> None:
    study = planned(("    record_units: true\n", "    record_units: true\n    batch_size: 16\n"))
    found = {(shard.experiment, shard.batch_size, shard.steps) for shard in study.shards}
    assert found == {("causes", 64, 2 * 100), ("optimisers", 16, 2 * 400)}


def test_runs_of_a_shard_share_what_a_stack_shares() -> None:
    for shard in planned().shards:
        assert shard.runs
        for run in shard.runs:
            assert (run.experiment, run.dataset) == (shard.experiment, shard.dataset.name)
            assert shard.name.startswith(f"{run.experiment}-{run.dataset}-{run.architecture}-")


def test_runs_of_a_shard_are_ordered_for_stacking() -> None:
    shard = planned().shard("causes-mnist-mlp-00")
    assert [run.replicate for run in shard.runs] == [0] * 8 + [1] * 8 + [2] * 8
    assert [run.activation for run in shard.runs[:8]] == ["relu"] * 4 + ["leaky_relu"] * 4
    assert [(run.slope, run.initial_bias, run.learning_rate) for run in shard.runs[4:8]] == [
        (0.01, -1.0, 0.01),
        (0.01, -1.0, 0.1),
        (0.01, 0.0, 0.01),
        (0.01, 0.0, 0.1),
    ]


def test_steps_come_from_epochs_or_are_given() -> None:
    assert {shard.steps for shard in planned().shards} == {200}
    assert planned(("replicates: 3", "epochs: 3")).shard("causes-mnist-mlp-00").steps == 300
    assert planned(("replicates: 3", "steps: 7")).shard("causes-mnist-mlp-00").steps == 7
    every = planned(("replicates: 3", "{steps: 7, every_step: true}".strip("{}").replace(", ", "\n    ")))
    assert every.shard("causes-mnist-mlp-00").checkpoints == tuple(range(8))


def test_planning_a_long_training_takes_no_memory() -> None:
    tracemalloc.start()
    planned(("replicates: 3", "epochs: 100000"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 2**20


def test_a_million_shards_would_not_need_a_million_lists_of_checkpoints() -> None:
    shards = planned(("replicates: 3", "checkpoints: 100")).shards
    assert len(shards) > 4
    assert len({id(shard.checkpoints) for shard in shards}) == 2  # of two experiments
    every = planned(("replicates: 3", "steps: 9\n    every_step: true")).shards
    assert len({id(shard.checkpoints) for shard in every}) == 2


def test_an_experiment_may_train_and_measure_on_other_examples() -> None:
    own = planned(("replicates: 3", "train_examples: 640\n    probe_train: 640\n    probe_test: 9"))
    shard = own.shard("causes-mnist-mlp-00")
    assert (shard.dataset.train, shard.probe_train, shard.probe_test, shard.steps) == (640, 640, 9, 20)
    other = own.shard("optimisers-mnist-mlp-00")
    assert (other.dataset.train, other.probe_train, other.probe_test, other.steps) == (6400, 1000, 1000, 200)


def test_a_plan_repeats() -> None:
    assert planned() == planned()


def test_checkpoints_may_be_given_and_replicates_begin_anywhere() -> None:
    study = planned(
        ("replicates: 3", "replicates: 3\n    first_replicate: 100\n    checkpoint_steps: [5, 1]")
    )
    shard = study.shard("causes-mnist-mlp-00")
    assert shard.checkpoints == (0, 1, 5, 200)
    assert {run.replicate for run in shard.runs} == {100, 101, 102}


def test_random_numbers_are_common_to_runs_that_are_compared() -> None:
    seeds: dict[int, set[int]] = {}
    for run in planned().runs:
        seeds.setdefault(run.replicate, set()).add(run.seed)
    assert all(len(of_replicate) == 1 for of_replicate in seeds.values())
    assert len(set.union(*seeds.values())) == 3
    assert planned(("study: example", "study: example\nseed: 1")).runs[0].seed not in seeds[0]


def test_steps_with_a_curvature_are_checkpoints() -> None:
    name, key = "optimisers-mnist-mlp-00", "    record_units: true\n"
    before = planned()
    usual = before.shard(name).checkpoints
    at_checkpoints, between = (
        planned((key, f"{key}    curvature_steps: {steps}\n")) for steps in ([usual[2], 0], [3, 150])
    )
    assert at_checkpoints.shard(name).curvature_steps == (0, usual[2])
    assert at_checkpoints.shard(name).checkpoints == usual
    assert at_checkpoints.shard(name).runs == before.shard(name).runs
    assert at_checkpoints.shard(name).fingerprint != before.shard(name).fingerprint
    assert at_checkpoints.fingerprint != before.fingerprint
    assert between.shard(name).checkpoints == tuple(sorted({*usual, 3, 150}))
    assert cost.seconds(at_checkpoints.shard(name)) > cost.seconds(before.shard(name))
    assert memory.of_job(at_checkpoints.shard(name)) > memory.of_job(before.shard(name))


def test_a_shard_is_neither_too_long_nor_too_large() -> None:
    rates = ", ".join(f"{0.001 * 1.02**i:.6f}" for i in range(300))
    study = planned(("[0.1, 0.01]", f"[{rates}]"), ("epochs: 2", "epochs: 10"))
    assert len(study.runs) > 14_000
    for shard in study.shards:
        assert sum(cost.seconds_per_run(shard, run) for run in shard.runs) <= SECONDS_PER_SHARD
        assert memory.of_job(shard) <= study.configuration.memory_limit


def test_a_memory_limit_too_small_for_one_network_is_refused() -> None:
    with pytest.raises(DyingReluError, match="memory_limit is too small for experiment causes"):
        planned(("study: example", "study: example\nmemory_limit: 100 MiB"))


def test_the_file_with_a_memory_limit_too_small_is_named(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(STUDY + "memory_limit: 100 MiB\n", encoding="utf-8")
    with pytest.raises(DyingReluError, match=r"my\.yaml: memory_limit is too small for experiment causes"):
        load(tmp_path / "my.yaml")


def test_an_unknown_shard_is_named() -> None:
    with pytest.raises(DyingReluError, match="study example has no shard causes-x"):
        planned().shard("causes-x")


def test_planning_needs_no_torch() -> None:
    code = "import sys, dying_relu.plan.study; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(steps=st.integers(1, 10**6), count=st.integers(2, 200))
def test_checkpoints_grow_from_zero_to_the_last_step(steps: int, count: int) -> None:
    points = log_spaced(steps, count)
    assert points[0] == 0
    assert points[-1] == steps
    assert len(points) == min(count, steps + 1)
    assert all(a < b for a, b in itertools.pairwise(points))
