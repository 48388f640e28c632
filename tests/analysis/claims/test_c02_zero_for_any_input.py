"""C2: dead units output zero for any input."""

from collections.abc import Callable

import pandas as pd
import pytest
from small_evidence import SmallEvidence, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED
from dying_relu.analysis.claims.evidence import DEAD


def half_dead(runs: pd.DataFrame) -> pd.DataFrame:
    """Of every network's 24 units 12 are dead, on training examples and on held-out ones."""
    half = (runs["dead_fraction"] * 0).fillna(0) + 0.5
    return runs.assign(
        dead_fraction=half.where(~runs["diverged"]), dead_fraction_test=half.where(~runs["diverged"])
    )


@pytest.mark.parametrize(
    ("woken", "verdict", "note"),
    [
        (lambda runs: 0, SUPPORTED, "on the examples that were tried"),
        (
            lambda runs: (runs["initial_bias"] == 0) & (runs["learning_rate"] == 0.01),
            LIMITED,
            "for nearly any input: held-out examples wake some units",
        ),
        (lambda runs: 1, REFUTED, ""),
        (
            lambda runs: 2 * (runs["replicate"] == 0),
            NOT_ENOUGH_DATA,
            "the interval includes both few and many such units",
        ),
    ],
)
def test_c2_asks_how_many_units_that_are_dead_on_training_examples_others_wake(
    woken: Callable[[pd.DataFrame], pd.Series], verdict: str, note: str
) -> None:
    """Of 12 dead units in each network none wakes, one in a ninth of the networks, one in all, two in a third."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = half_dead(runs)
        return runs.assign(dead_on_both_fraction=runs["dead_fraction"] - woken(runs) / 24)

    found = settled("C2", runs=change)
    assert found[["verdict", "note"]].tolist() == [verdict, note]


def test_units_that_wake_on_test_examples_refute_c2() -> None:
    """Even where the counts on both probe sets are the same."""
    found = settled(
        "C2",
        runs=lambda t: t.assign(
            dead_fraction_test=t["dead_fraction"], dead_on_both_fraction=0 * t["dead_fraction"]
        ),
    )
    assert (found["verdict"], found["effect"]) == (REFUTED, 1.0)


def test_c2_counts_units_of_relu_networks_of_one_experiment_that_did_not_diverge() -> None:
    found, runs = settled("C2", runs=half_dead), SmallEvidence().runs
    asked = runs[(runs["experiment"] == "causes") & (runs["activation"] == "relu") & ~runs["diverged"]]
    assert found["n"] == len(asked)
    assert found["details"]["DeadOnTrain"] == found["details"]["DeadOnTest"] == 12 * len(asked)


def test_c2_weighs_networks_by_their_dead_units() -> None:
    """Of 6 dead units 3 wake in one network of each replicate, of 12 none in the others: 3 of 6 + 12 k."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        small = (runs["learning_rate"] == 0.01) & (runs["initial_bias"] == 0)
        dead = half_dead(runs)["dead_fraction"].mask(small & ~runs["diverged"], 0.25)
        return runs.assign(
            dead_fraction=dead, dead_fraction_test=dead, dead_on_both_fraction=dead.mask(small, 0.125)
        )

    found = settled("C2", runs=change)
    assert found["effect"] == pytest.approx(3 / (6 + 8 * 12))
    assert found["details"]["Reverse"][0] == pytest.approx(3 / (6 + 8 * 12))


def test_c2_names_what_sampling_does_and_asks_mlps_and_cnns_apart() -> None:
    """Half of the units that are dead on a set of examples are alive on the other set, in CNNs only."""

    def in_half(runs: pd.DataFrame) -> pd.DataFrame:
        here = runs["architecture"] == "cnn"
        both = runs["dead_fraction"].where(~here, (runs["dead_fraction"] * 12).round() / 24)
        return runs.assign(dead_fraction_test=runs["dead_fraction"], dead_on_both_fraction=both)

    found = settled("C2", runs=in_half)["details"]
    assert found["Mlp"] == [0, 0, 0]
    assert found["Cnn"][0] == pytest.approx(0.5, abs=0.02)
    assert found["Reverse"][0] == pytest.approx(0.25, abs=0.02)
    assert found["Sampling"] == "most"


@pytest.mark.parametrize(
    ("train", "both", "test", "said"),
    [(12, 10, 13, "most"), (12, 10, 11, "most"), (11, 8, 9, "a part"), (12, 10, 10, "a part")],
)
def test_what_drawing_examples_does_is_most_of_it_from_one_half_on(
    train: int, both: int, test: int, said: str
) -> None:
    """So many of 24 units are dead on training examples, on both sets, and on held-out ones."""
    dead = {"dead_fraction": train, "dead_on_both_fraction": both, "dead_fraction_test": test}

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        shares = {name: pd.Series(count / 24, runs.index) for name, count in dead.items()}
        return runs.assign(**{name: share.where(~runs["diverged"]) for name, share in shares.items()})

    found = settled("C2", runs=change)
    assert found["effect"] == pytest.approx((train - both) / train)
    assert found["details"]["Reverse"][0] == pytest.approx((test - both) / test)
    assert found["details"]["Sampling"] == said


def test_c2_has_no_answer_by_a_definition_that_was_not_asked_of_each_unit() -> None:
    found = settled("C2", SmallEvidence(definition=DEAD._replace(of_both=None)))
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert found["note"] == "this definition is not recorded of single units on both probe sets"


def test_c2_reports_the_units_of_recovery_apart() -> None:
    """There, half of the dead units wake; nothing else does."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = half_dead(runs)
        share = runs["dead_fraction"].mask(runs["experiment"] == "recovery", 0.25)
        return runs.assign(dead_on_both_fraction=share.where(~runs["diverged"]))

    found = settled("C2", runs=change)
    assert found["effect"] == 0
    assert found["details"]["Recovery"] == pytest.approx([0.5] * 3)


def test_a_study_that_records_no_units_still_settles_c2() -> None:
    found = settled("C2", SmallEvidence(experiments=("causes",)))
    assert found["effect"] > 0
    assert found["details"]["Recovery"] is None
