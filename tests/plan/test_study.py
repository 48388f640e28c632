"""A configuration becomes runs and shards, the same ones every time, and quickly."""

import itertools
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dying_relu.configuration import parse
from dying_relu.errors import DyingReluError
from dying_relu.plan import cost, memory
from dying_relu.plan.shard import Shard
from dying_relu.plan.study import SECONDS_PER_SHARD, Study, load, log_spaced, plan

STUDY = """
study: example
datasets: {mnist: {train: 6400, test: 1000}, cifar10: {train: 6400, test: 1000}}
architectures:
  mlp: {kind: mlp, widths: [100, 100]}
  cnn: {kind: cnn, channels: [8, 16], widths: [32]}
optimisers: {sgd: {kind: sgd}, adam: {kind: adam}}
training: {batch_size: 64, epochs: 2}
experiments:
  causes:
    question: Which learning rates kill units?
    replicates: 3
    grid:
      dataset: [mnist, cifar10]
      architecture: [mlp, cnn]
      optimiser: [sgd]
      activation: [{name: leaky_relu}, relu]
      initial_bias: [0.0, -1.0]
      learning_rate: [0.1, 0.01]
  optimisers:
    question: Does it depend on the optimiser?
    record_units: true
    grid: {dataset: [mnist], architecture: [mlp], optimiser: [sgd, adam], learning_rate: [0.1, 0.01]}
"""


def planned(*edits: tuple[str, str]) -> Study:
    text = STUDY
    for found, instead in edits:
        assert found in text
        text = text.replace(found, instead, 1)
    return plan(parse(text))


def ids_with_adam(study: Study) -> set[str]:
    return {run.id for run in study.runs if run.optimiser == "adam"}


def fingerprints(study: Study) -> dict[str, str]:
    return {shard.name: shard.fingerprint for shard in study.shards}


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


def test_the_order_of_levels_does_not_matter() -> None:
    assert fingerprints(planned()) == fingerprints(planned(("[0.1, 0.01]", "[0.01, 0.1]")))


INTERVENTIONS = """
inputs:
  offset: {kind: offset, of: centred, share: 0.3}
  scaled: {kind: scaled, of: offset, factor: 3}
interventions:
  ramp: {kind: ramp, steps: 10}
  undo: {kind: forbid_by_undoing}
  both: {kind: several, of: [ramp, undo]}
training:"""
WITH_FACTORS = (
    ("\ntraining:", INTERVENTIONS),
    (
        "learning_rate: [0.1, 0.01]}",
        "learning_rate: [0.1], inputs: [raw, scaled], intervention: [none, both]}",
    ),
)


def test_inputs_and_interventions_are_factors_that_differ_within_a_shard() -> None:
    shard = planned(*WITH_FACTORS).shard("optimisers-mnist-mlp-00")
    assert {(run.optimiser, run.inputs, run.intervention) for run in shard.runs} == set(
        itertools.product(("adam", "sgd"), ("raw", "scaled"), ("none", "both"))
    )
    assert [[part.kind for part in parts] for parts in shard.inputs.values()] == [
        ["raw"], ["centred", "offset", "scaled"],
    ]  # fmt: skip
    assert {name: [part.kind for part in parts] for name, parts in shard.interventions.items()} == {
        "both": ["ramp", "forbid_by_undoing"],
        "none": [],
    }
    assert len({run.seed for run in shard.runs}) == 1


def test_a_run_is_named_after_its_own_factors_and_not_those_of_others() -> None:
    before = planned(*WITH_FACTORS)
    after = planned(*WITH_FACTORS, ("kind: ramp, steps: 10", "kind: ramp, steps: 11"))
    changed = {run.id for run in before.runs} - {run.id for run in after.runs}
    assert {run.intervention for run in before.runs if run.id in changed} == {"both"}
    kept = [run for run in before.runs if run.intervention == "both" and run.id not in changed]
    assert not kept
    more = planned(*WITH_FACTORS, ("intervention: [none, both]", "intervention: [none, both, undo]"))
    assert {run.id for run in before.runs} < {run.id for run in more.runs}


def test_interventions_take_time() -> None:
    shard = planned(*WITH_FACTORS).shard("optimisers-mnist-mlp-00")
    seconds = {run.intervention: cost.seconds_per_run(shard, run) for run in shard.runs}
    assert seconds["both"] > 2 * seconds["none"]


def test_a_stack_of_few_networks_costs_more_than_their_arithmetic() -> None:
    many = planned(("replicates: 3", "replicates: 20")).shard("causes-mnist-mlp-00")
    one_seed = planned(
        ("replicates: 3", "replicates: 1"), ("[0.1, 0.01]", f"[{', '.join(map(str, range(1, 41)))}]")
    )
    few = one_seed.shard("causes-mnist-mlp-00")
    assert len(many.runs) == len(few.runs) == 160

    def arithmetic(shard: Shard) -> float:
        return sum(cost.seconds_per_run(shard, run) for run in shard.runs)

    assert arithmetic(many) == pytest.approx(arithmetic(few))
    # Two activations, and 20 seeds or 1, of 200 steps.
    assert cost.seconds(many) - cost.seconds(few) == pytest.approx(38 * (0.03 + 200 * 0.0006))
    assert cost.seconds(few) == pytest.approx(
        cost.START_UP_SECONDS + arithmetic(few) + 2 * (0.03 + 200 * 0.0006)
    )


def test_counting_in_training_takes_time_of_its_own() -> None:
    edits = ("optimisers: {sgd", "interventions: {undo: {kind: forbid_by_undoing}}\noptimisers: {sgd"), (
        "grid: {dataset: [mnist],", "grid: {dataset: [mnist], intervention: [none, undo],"
    )  # fmt: skip
    shard = planned(*edits).shard("optimisers-mnist-mlp-00")
    seconds = {run.intervention: cost.seconds_per_stack(shard, run) for run in shard.runs}
    assert seconds["undo"] > 2 * seconds["none"]


def test_checkpoints_may_be_given_and_replicates_begin_anywhere() -> None:
    study = planned(
        ("replicates: 3", "replicates: 3\n    first_replicate: 100\n    checkpoint_steps: [5, 1]")
    )
    shard = study.shard("causes-mnist-mlp-00")
    assert shard.checkpoints == (0, 1, 5, 200)
    assert {run.replicate for run in shard.runs} == {100, 101, 102}


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        ("[none, both]", "[none, bth]", "did you mean both"),
        ("of: offset", "of: ofset", "inputs.scaled.of"),
        ("of: centred", "of: scaled", "does not lead back to itself"),
        ("of: [ramp, undo]", "of: [ramp, both]", "does not lead back to itself"),
        ("kind: forbid_by_undoing", "kind: forbid_by_undoing, layers: [3]", "at most 2"),
        ("  ramp: {", "  none: {kind: cosine}\n  ramp: {", "none needs no entry"),
        ("kind: ramp, steps: 10", "kind: switch, step: 3", "one of rate and factor"),
        ("record_units: true", "checkpoint_steps: [201]", "at most the 200 steps"),
        (
            "record_units: true",
            "curvature_steps: [0, 201]",
            r"curvature_steps: found 201; .*at most the 200 steps",
        ),
        ("of: centred, share: 0.3", "of: centred, share: 1.0", "less than 1"),
    ],
)
def test_impossible_factors_are_named(found: str, instead: str, message: str) -> None:
    with pytest.raises(DyingReluError, match=message):
        planned(*WITH_FACTORS, (found, instead))


def test_random_numbers_are_common_to_runs_that_are_compared() -> None:
    seeds: dict[int, set[int]] = {}
    for run in planned().runs:
        seeds.setdefault(run.replicate, set()).add(run.seed)
    assert all(len(of_replicate) == 1 for of_replicate in seeds.values())
    assert len(set.union(*seeds.values())) == 3
    assert planned(("study: example", "study: example\nseed: 1")).runs[0].seed not in seeds[0]


def test_a_new_level_changes_its_own_experiment_only() -> None:
    before, after = planned(), planned(("[0.1, 0.01]", "[0.1, 0.01, 0.001]"))
    changed = {name for name, value in fingerprints(after).items() if fingerprints(before).get(name) != value}
    assert changed == {name for name in fingerprints(after) if name.startswith("causes-")}


def test_a_run_is_the_same_run_whatever_else_is_planned() -> None:
    before = {run.id for run in planned().runs}
    assert before < {run.id for run in planned(("[0.1, 0.01]", "[0.1, 0.01, 0.001]")).runs}
    assert before < {run.id for run in planned(("replicates: 3", "replicates: 4")).runs}
    assert before == {run.id for run in planned(("study: example", "study: renamed")).runs}


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ("epochs: 2", "epochs: 3"),
        ("batch_size: 64", "batch_size: 32"),
        ("[100, 100]", "[100, 101]"),
        ("train: 6400", "train: 6464"),
        ("adam: {kind: adam}", "adam: {kind: adam, beta1: 0.8}"),
        ("study: example", "study: example\nseed: 1"),
        ("study: example", "study: example\nmeasuring: {checkpoints: 5}"),
        ("study: example", "study: example\nmeasuring: {train: 500}"),
    ],
)
def test_what_determines_a_run_is_in_its_name(found: str, instead: str) -> None:
    before, after = planned(), planned((found, instead))
    name = "optimisers-mnist-mlp-00"
    assert fingerprints(before)[name] != fingerprints(after)[name]
    assert not ids_with_adam(before) & ids_with_adam(after)


def test_other_settings_do_not_rename_runs() -> None:
    before, after = planned(), planned(("record_units: true", "record_units: false"))
    name = "optimisers-mnist-mlp-00"
    assert before.shard(name).runs == after.shard(name).runs
    assert before.shard(name).fingerprint != after.shard(name).fingerprint
    moved = planned(("study: example", "study: example\ndata: {cache: elsewhere, root: /data}"))
    assert fingerprints(moved) == fingerprints(before)


def test_a_key_that_is_not_asked_for_changes_no_fingerprint() -> None:
    """Digests of the same study before there was a key ``curvature_steps``."""
    study = planned()
    assert study.fingerprint == "8a006c1f2a3cdd6e"
    assert study.shards[0].fingerprint == "84bafa76f2dba4a7"
    assert study.runs[0].id == "f82eace68660"


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


def test_ten_thousand_runs_have_names_of_their_own() -> None:
    rates = ", ".join(f"{0.001 * 1.02**i:.6f}" for i in range(209))
    configuration = parse(STUDY.replace("[0.1, 0.01]", f"[{rates}]", 1))
    study = plan(configuration)
    assert len({run.id for run in study.runs}) == len(study.runs) > 10_000


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
