"""Inputs and interventions are factors of a study; impossible ones are named."""

import itertools

import pytest
from two_experiments import WITH_FACTORS, planned

from dying_relu.errors import DyingReluError


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
