"""The estimated time of a job grows with what its networks and its stacks do."""

import pytest
from two_experiments import WITH_FACTORS, planned

from dying_relu.plan import cost
from dying_relu.plan.shard import Shard


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
