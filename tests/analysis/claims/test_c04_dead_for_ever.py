"""C4: dead for ever, and no role."""

import numpy as np
import pandas as pd
import pytest
from small_evidence import Change, SmallEvidence, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED


def renamed(optimiser: str) -> Change:
    return lambda runs: runs.assign(optimiser=runs["optimiser"].replace("adam", optimiser))


NAMES = {
    "sgd_weight_decay": "SgdDecay",
    "momentum": "Momentum",
    "momentum_weight_decay": "MomentumDecay",
}


@pytest.mark.parametrize("optimiser", NAMES)
def test_c4_reports_every_optimiser_by_itself(optimiser: str) -> None:
    before, after = settled("C4")["details"], settled("C4", runs=renamed(optimiser))["details"]
    assert before["SgdFirst"] == 0 < before["SgdDeeper"]
    assert before["AdamFirst"] >= 0 < before["AdamDeeper"]
    for layers in ("First", "Deeper"):
        assert before[f"{NAMES[optimiser]}{layers}"] is None
        assert after[f"{NAMES[optimiser]}{layers}"] == before[f"Adam{layers}"]
        assert after[f"Adam{layers}"] is None


def test_c4_asks_who_was_ever_dead_and_alive_later() -> None:
    found, units = settled("C4"), SmallEvidence().relu_units("recovery").sort_values("step")
    shares = []
    for _, group in units.groupby(["stratum", "replicate"]):
        lives = [life["dead"].tolist() for _, life in group.groupby(["run", "layer", "unit"])]
        shares.append(np.mean([not all(life[life.index(True) :]) for life in lives if any(life)]))
    assert found["effect"] == pytest.approx(np.mean(shares))
    assert found["n"] == units["run"].nunique()


def test_c4_holds_in_the_first_layer_only() -> None:
    found = settled("C4")
    assert found["verdict"] == LIMITED
    assert found["note"].startswith("for ever with sgd, first layer")
    assert found["note"].endswith("; not shown elsewhere")


def test_units_that_never_return_support_c4() -> None:
    def for_ever(units: pd.DataFrame) -> pd.DataFrame:
        dead = units.sort_values("step").groupby(["run", "layer", "unit"])["dead"].cummax()
        return units.assign(dead=dead, inactive=dead, mean_abs_activation=0.0)

    found = settled("C4", units=for_ever)
    assert found[["verdict", "note", "effect"]].tolist() == [SUPPORTED, "", 0]


def test_a_study_in_which_nobody_dies_says_nothing_on_c4() -> None:
    found = settled("C4", units=lambda t: t.assign(dead=False))
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert found["note"] == "no depth under any optimiser has dead units in enough replicates"


def test_a_dead_unit_with_an_output_refutes_c4() -> None:
    found = settled("C4", units=lambda t: t.assign(mean_abs_activation=t["mean_abs_activation"] + 1e-9))
    assert (found["verdict"], found["note"]) == (REFUTED, "a dead unit had an output other than zero")


def test_units_that_keep_bias_and_weights_are_frozen_and_those_of_which_one_moved_are_not() -> None:
    before = settled("C4")["details"]
    assert before["FrozenIntervals"] > 0
    assert before["FrozenRevivals"] == before["DecayIntervals"] == 0
    for moved in ("bias", "weight_norm"):
        after = settled("C4", units=lambda t, moved=moved: t.assign(**{moved: t[moved] + t["step"]}))[
            "details"
        ]
        assert after["FrozenIntervals"] == 0


def first_layer_of_sgd(units: pd.DataFrame) -> pd.DataFrame:
    """The units of plain SGD's first layers, of which each interval between checkpoints is one."""
    runs = SmallEvidence().runs
    here = runs[(runs["experiment"] == "recovery") & (runs["optimiser"] == "sgd")]["run"]
    return units[units["run"].isin(here) & (units["depth"] == 1)]


def test_frozen_intervals_begin_with_a_dead_unit_of_the_first_layer() -> None:
    """Where nothing moves, all intervals of dead units are frozen, and those after which it is alive are revivals."""

    def still(units: pd.DataFrame) -> pd.DataFrame:
        dead = units["step"].isin([1, 4])
        return units.assign(bias=-1.0, weight_norm=2.0, dead=dead, inactive=dead, mean_abs_activation=0.0)

    units = first_layer_of_sgd(SmallEvidence().units)
    count = len(units) // units["step"].nunique()
    found = settled("C4", units=still)["details"]
    assert (found["FrozenIntervals"], found["FrozenRevivals"]) == (2 * count, count)


def decayed(factor: float) -> Change:
    def decay(units: pd.DataFrame) -> pd.DataFrame:
        left = 0.99 ** units["step"].clip(upper=16)
        return units.assign(bias=units["bias"] * left, weight_norm=units["weight_norm"] * left**factor)

    return decay


def under_decay(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.assign(optimiser=runs["optimiser"].replace("sgd", "sgd_weight_decay"))


def test_weight_decay_shrinks_bias_and_weights_together() -> None:
    before = settled("C4")["details"]
    after = settled("C4", runs=under_decay, units=decayed(1.0))["details"]
    assert after["DecayIntervals"] == before["FrozenIntervals"]
    assert after["DecayRevivals"] == after["FrozenIntervals"] == 0


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_bias_and_weights_that_shrink_apart_are_not_weight_decay(size: float) -> None:
    def of_size(change: Change) -> Change:
        return lambda t: change(t).assign(weight_norm=lambda t: size * t["weight_norm"])

    apart, together = (
        settled("C4", runs=under_decay, units=of_size(decayed(factor)))["details"]["DecayIntervals"]
        for factor in (1.1, 1.0)
    )
    assert 0 < apart < together


def test_networks_that_cannot_be_pruned_are_not_counted() -> None:
    def unprunable(runs: pd.DataFrame) -> pd.DataFrame:
        cnn = runs["architecture"] == "cnn"
        return runs.assign(
            pruned_difference=runs["pruned_difference"].mask(cnn),
            pruned_answers=runs["pruned_answers"].mask(cnn),
        )

    before = settled("C4")["details"]["PrunedNetworks"]
    assert 0 < settled("C4", runs=unprunable)["details"]["PrunedNetworks"] < before


def test_pruning_is_told_of_relu_networks_with_dead_units_in_the_whole_study() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        asked = (runs["activation"] == "relu") & (runs["dead_fraction"] > 0)
        return runs.assign(
            pruned_difference=runs["pruned_difference"]
            .mask(asked, 0.25)
            .mask(~asked & ~runs["diverged"], 9.0),
            pruned_answers=runs["pruned_answers"].mask(asked, 0.125).mask(~asked & ~runs["diverged"], 1.0),
        )

    runs = SmallEvidence().runs
    found = settled("C4", runs=change)["details"]
    dead = (runs["activation"] == "relu") & ~runs["diverged"] & (runs["dead_fraction"] > 0)
    assert found["PrunedNetworks"] == dead.sum()
    assert (found["PrunedDifference"], found["PrunedAnswers"]) == (0.25, 0.125)
