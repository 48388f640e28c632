"""C5: a large part of a network."""

import numpy as np
import pandas as pd
import pytest
from small_evidence import Change, SmallEvidence, diverge, settled

from dying_relu.analysis.claims import NOT_ENOUGH_DATA, REFUTED, SUPPORTED


def worst_at(rate: float, share: float) -> Change:
    """Of the units of ReLU networks such a share dies at one rate, and a fortieth at others."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        died = pd.Series(np.where(runs["learning_rate"] == rate, share, 1 / 40), runs.index)
        return runs.assign(died_fraction=died.where(~runs["diverged"]))

    return change


@pytest.mark.parametrize(("share", "verdict"), [(0.3, SUPPORTED), (0.2, REFUTED)])
def test_c5_asks_how_many_units_die_in_the_worst_setting(share: float, verdict: str) -> None:
    found = settled("C5", runs=worst_at(0.1, share))
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(share)
    assert found["details"]["RunsWithMany"] == pytest.approx(1 / 3 if share > 0.25 else 0)


def test_c5_leaves_out_settings_of_which_a_replicate_diverged() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = worst_at(1.0, 0.9)(runs)
        return diverge(runs, (runs["learning_rate"] == 1.0) & (runs["replicate"] == 0))

    found, runs = settled("C5", runs=change), SmallEvidence().runs
    assert found["verdict"] == REFUTED
    asked = runs[(runs["experiment"] == "causes") & (runs["activation"] == "relu")]
    assert found["n"] == asked["learning_rate"].isin([0.01, 0.1]).sum()


def test_c5_compares_the_setting_with_most_deaths_with_the_most_accurate_one() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = worst_at(0.1, 0.5)(runs)
        trained = ~runs["diverged"]
        best = (runs["learning_rate"] == 0.01) & (runs["initial_bias"] == 0)
        accuracy = pd.Series(0.5, runs.index).mask(runs["learning_rate"] == 0.1, 0.25).mask(best, 0.75)
        return runs.assign(
            test_accuracy=accuracy.where(trained), effective_rank=(8 * accuracy).where(trained)
        )

    found = settled("C5", runs=change)["details"]
    assert [found[name] for name in ("AccuracyWorst", "AccuracyBest", "RankWorst", "RankBest")] == [
        0.25,
        0.75,
        2,
        6,
    ]


def test_c5_correlates_dead_units_with_what_is_lost() -> None:
    """Rank is the share of live units in the synthetic study, and accuracy falls with the stuck ones."""
    found = settled("C5")["details"]
    assert found["RankCorrelation"] == [-1, -1, -1]
    assert -1 <= found["AccuracyCorrelation"][0] < -0.9


def test_c5_correlates_ranks_and_not_sizes() -> None:
    found = settled("C5", runs=lambda t: t.assign(effective_rank=t["dead_fraction"] ** 9))["details"]
    assert found["RankCorrelation"] == [1, 1, 1]


def test_c5_has_no_correlation_with_a_constant() -> None:
    found = settled("C5", runs=lambda t: t.assign(effective_rank=t["effective_rank"] * 0 + 1))["details"]
    assert found["RankCorrelation"] is None
    assert found["AccuracyCorrelation"] is not None


def test_networks_in_which_nothing_dies_refute_c5() -> None:
    assert settled("C5", runs=lambda t: t.assign(died_fraction=t["died_fraction"] * 0))["verdict"] == REFUTED


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda t: diverge(t, ~t["diverged"]), "every setting diverged"),
        (
            lambda t: t.assign(died_fraction=float("nan")),
            "how many units are dead by this definition was not measured before training",
        ),
    ],
)
def test_c5_says_what_is_missing(change: Change, note: str) -> None:
    found = settled("C5", runs=change)
    assert found[["verdict", "note"]].tolist() == [NOT_ENOUGH_DATA, note]
