"""C6: a rate that is too high."""

import pandas as pd
import pytest
from claim_changes import dead_by
from small_evidence import SmallEvidence, diverge, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED


@pytest.mark.parametrize(("rise", "verdict"), [(0.06, SUPPORTED), (0.04, REFUTED), (-0.2, REFUTED)])
def test_c6_asks_for_a_rise_by_more_than_five_points(rise: float, verdict: str) -> None:
    """From the lowest rate to the highest one at which nothing diverges, whatever happens between."""
    found = settled("C6", runs=dead_by("learning_rate", {0.01: 0.25, 0.1: 0.9, 1.0: 0.25 + rise}))
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(rise)


def test_c6_looks_at_the_bias_nearest_to_zero_of_every_setting() -> None:
    """At other biases every unit is dead, at every rate; in one setting the smallest bias is not 0."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        cnn = runs["architecture"] == "cnn"
        bias = runs["initial_bias"].mask(cnn & (runs["initial_bias"] == 0), -0.5)
        share = runs["learning_rate"].map({0.01: 0.0, 0.1: 0.1, 1.0: 0.4}).where(bias > -1, 1.0)
        return runs.assign(initial_bias=bias, dead_fraction=share.where(~runs["diverged"]))

    found = settled("C6", runs=change)
    assert found[["verdict", "note"]].tolist() == [SUPPORTED, ""]
    assert found["effect"] == pytest.approx(0.4)


def test_c6_takes_plain_sgd_from_the_finer_grid_and_relu_networks_only() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        wrong = (runs["activation"] != "relu") | (
            (runs["experiment"] == "optimisers") & (runs["optimiser"] == "sgd")
        )
        return runs.assign(dead_fraction=runs["dead_fraction"].mask(wrong & ~runs["diverged"], 1.0))

    before, after = settled("C6"), settled("C6", runs=change)
    assert after["effect"] == before["effect"]
    runs = SmallEvidence().runs.query("activation == 'relu' and initial_bias == 0")
    sgd = runs.query("experiment == 'causes'")
    others = runs.query("experiment == 'optimisers' and optimiser != 'sgd'")
    assert before["n"] == len(sgd) + len(others)
    assert before["details"]["DivergedShare"] == pytest.approx(1 / 4)


def test_c6_answers_for_every_optimiser() -> None:
    """Under Adam no rate kills, and none diverges."""

    def spared(runs: pd.DataFrame) -> pd.DataFrame:
        adam = (runs["experiment"] == "optimisers") & (runs["optimiser"] == "adam")
        runs = runs[~(adam & runs["diverged"])]
        return runs.assign(dead_fraction=runs["dead_fraction"].mask(adam, 0.0))

    found = settled("C6", runs=spared)
    numbers = found["details"]
    assert found["verdict"] == LIMITED
    assert found["note"] == "holds in 8 of 12 cases; not shown in 4 of 12 cases"
    assert numbers["Adam"] == [0, 0, 0]
    assert numbers["Sgd"][1] > 0.05 < numbers["Momentum"][1]
    assert (numbers["Cases"], numbers["AtEdge"]) == (12, 4)
    assert numbers["Rates"] == "0.01 to 1 (sgd), 0.01 to 1 (momentum) and 0.01 to 1 (adam)"


def test_c6_says_where_safe_rates_end_and_leaves_out_unknown_optimisers() -> None:
    """Momentum diverges at rate 1 on one data set; Adam was not tried, something else was."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        here = (
            (runs["optimiser"] == "momentum") & (runs["dataset"] == "mnist") & (runs["learning_rate"] == 1.0)
        )
        runs = runs.assign(optimiser=runs["optimiser"].replace("adam", "lion"))
        return diverge(runs, here & (runs["replicate"] == 1))

    found = settled("C6", runs=change)["details"]
    assert found["Rates"] == "0.01 to 1 (sgd) and 0.01 to 0.1 or up to 1 (momentum)"
    assert found["Adam"] is None
    assert found["Cases"] == 12


def test_rates_that_make_any_replicate_diverge_do_not_count_as_deadly() -> None:
    """Death at a rate at which one replicate diverged must not change what C6 says."""

    def kill_beside_divergence(runs: pd.DataFrame) -> pd.DataFrame:
        fast = runs["learning_rate"] == 1.0
        return diverge(
            runs.assign(dead_fraction=runs["dead_fraction"].mask(fast, 1.0)), fast & (runs["replicate"] == 0)
        )

    assert settled("C6", runs=kill_beside_divergence)["effect"] < 0.5


def test_c6_pairs_replicates() -> None:
    """Replicates differ much, and all rise alike."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        share = 0.3 * runs["replicate"] + runs["learning_rate"].map({1.0: 0.2}).fillna(0.1)
        return runs.assign(dead_fraction=share.where(~runs["diverged"]))

    found = settled("C6", runs=change)
    assert found[["effect", "low", "high"]].tolist() == pytest.approx([0.1] * 3)


def test_networks_in_which_nothing_dies_refute_c6_and_c7_and_leave_nothing_to_c13() -> None:
    def spared(runs: pd.DataFrame) -> pd.DataFrame:
        return runs.assign(**{name: runs[name] * 0 for name in ("dead_fraction", "died_fraction")})

    assert settled("C6", runs=spared)["verdict"] == settled("C7", runs=spared)["verdict"] == REFUTED
    nothing = settled("C13", runs=spared)
    assert nothing[["verdict", "note"]].tolist() == [NOT_ENOUGH_DATA, "the study has no case to compare"]
