"""C4: death for ever."""

import pandas as pd
import pytest
from planted_study import settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF


@pytest.mark.parametrize(("share", "verdict"), [(0.0, HOLDS), (0.1, DOES_NOT_HOLD)])
def test_hardly_any_dead_unit_may_be_alive_at_the_end(share: float, verdict: str) -> None:
    found = settled("C4", wakes=share)
    assert found["verdict"] == verdict
    assert found["literal"] == (HOLDS if share == 0 else DOES_NOT_HOLD)
    assert found["details"]["SgdFirst"] == pytest.approx(share, abs=0.03)


def test_it_can_hold_under_one_optimiser() -> None:
    found = settled("C4", wakes=lambda network: 0.3 * (network["optimiser"] == "adam"))
    assert found[["verdict", "condition"]].tolist() == [HOLDS_ONLY_IF, "the optimiser is SGD"]


def test_units_whose_removal_changes_logits_play_a_role() -> None:
    found = settled("C4", pruned=0.01)
    assert found["verdict"] == DOES_NOT_HOLD
    assert "removing" in found["note"]


def test_dead_units_of_the_first_layer_that_keep_their_weights_do_not_revive() -> None:
    numbers = settled("C4")["details"]
    assert numbers["FrozenIntervals"] > 0
    assert numbers["FrozenRevivals"] == numbers["DecayIntervals"] == 0


def test_only_trained_relu_networks_of_the_experiment_are_pruned() -> None:
    def others(runs: pd.DataFrame) -> pd.DataFrame:
        alive = (runs["experiment"] == "recovery") & (runs["replicate"] == 3)
        shares = ["dead_fraction", "dead_fraction_probe", "new_dead_fraction"]
        runs = runs.assign(**{name: runs[name].mask(alive, 0.0) for name in shares})
        pruned = (runs["experiment"] == "recovery") & (runs["outcome"] == "trained") & ~alive
        return runs.assign(pruned_difference=runs["pruned_difference"].where(pruned, 1.0))

    assert settled("C4", runs=others)["verdict"] == HOLDS
    assert settled("C4", runs=lambda runs: runs.assign(pruned_difference=1.0))["verdict"] == DOES_NOT_HOLD


def test_frozen_units_are_those_of_plain_gradient_descent() -> None:
    def without(runs: pd.DataFrame) -> pd.DataFrame:
        return runs[(runs["experiment"] != "recovery") | (runs["optimiser"] != "sgd")]

    assert settled("C4", runs=without)["details"]["FrozenIntervals"] == 0
