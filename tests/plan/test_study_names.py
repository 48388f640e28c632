"""Names of runs and fingerprints of shards change with what their numbers follow from, and with nothing else."""

import pytest
from two_experiments import STUDY, WITH_FACTORS, planned

from dying_relu.configuration import parse
from dying_relu.plan.study import Study, plan


def ids_with_adam(study: Study) -> set[str]:
    return {run.id for run in study.runs if run.optimiser == "adam"}


def fingerprints(study: Study) -> dict[str, str]:
    return {shard.name: shard.fingerprint for shard in study.shards}


def test_the_order_of_levels_does_not_matter() -> None:
    assert fingerprints(planned()) == fingerprints(planned(("[0.1, 0.01]", "[0.01, 0.1]")))


def test_a_run_is_named_after_its_own_factors_and_not_those_of_others() -> None:
    before = planned(*WITH_FACTORS)
    after = planned(*WITH_FACTORS, ("kind: ramp, steps: 10", "kind: ramp, steps: 11"))
    changed = {run.id for run in before.runs} - {run.id for run in after.runs}
    assert {run.intervention for run in before.runs if run.id in changed} == {"both"}
    kept = [run for run in before.runs if run.intervention == "both" and run.id not in changed]
    assert not kept
    more = planned(*WITH_FACTORS, ("intervention: [none, both]", "intervention: [none, both, undo]"))
    assert {run.id for run in before.runs} < {run.id for run in more.runs}


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


def test_ten_thousand_runs_have_names_of_their_own() -> None:
    rates = ", ".join(f"{0.001 * 1.02**i:.6f}" for i in range(209))
    configuration = parse(STUDY.replace("[0.1, 0.01]", f"[{rates}]", 1))
    study = plan(configuration)
    assert len({run.id for run in study.runs}) == len(study.runs) > 10_000
