"""C13: a lower rate against the deaths."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from claim_changes import RATES, shares
from small_evidence import Change, diverge, settled

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED


@pytest.mark.parametrize(
    ("change", "verdict", "helps", "hurts"),
    [
        (shares(0.0, 0.0, 0.06), SUPPORTED, 12, 0),
        (shares(0.3, 0.3, 0.36), SUPPORTED, 12, 0),
        (shares(0.3, 0.34, 0.38), SUPPORTED, 12, 0),
        (shares(0.3, 0.35, 0.30), REFUTED, 0, 0),
        (shares(0.36, 0.3, 0.3), REFUTED, 0, 12),
        (shares(0.5, 0.0, 0.5), REFUTED, 12, 12),
        (shares(0.3, 0.3, 0.3), REFUTED, 0, 0),
    ],
)
def test_c13_compares_all_pairs_of_rates(change: Change, verdict: str, helps: int, hurts: int) -> None:
    """A change by five points or less matters neither way; one that helps here and hurts there does both."""
    found = settled("C13", runs=change)
    numbers = found["details"]
    assert (numbers["Settings"], numbers["Helps"], numbers["Hurts"]) == (12, helps, hurts)
    assert numbers["Both"] == min(helps, hurts)
    assert found[["verdict", "note"]].tolist() == [verdict, ""]
    assert found["effect"] == (1 if helps else 0)


def test_c13_asks_settings_in_which_more_than_five_percent_die_at_a_safe_rate() -> None:
    """At bias 0 too few do, at bias -4 enough at the rate at which a replicate diverged; bias -1 is left."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        at = {0.0: 0.04, -1.0: 0.06, -4.0: 1.0}
        share = runs["initial_bias"].map(at).where(runs["learning_rate"] == 1.0, 0.0)
        runs = runs.assign(dead_fraction=share.where(~runs["diverged"]))
        return diverge(
            runs, (runs["initial_bias"] == -4) & (runs["learning_rate"] == 1.0) & (runs["replicate"] == 0)
        )

    found = settled("C13", runs=change)
    assert found["details"]["Settings"] == 4
    assert found["details"]["FewestAt"] == "0.01 at bias -1"
    assert found["n"] == 4 * 3 * 3
    assert found["verdict"] == SUPPORTED


def test_a_higher_rate_that_saves_units_refutes_c13() -> None:
    found = settled("C13", runs=shares(0.99, 0.9, 0.0))
    assert (found["verdict"], found["effect"]) == (REFUTED, 0.0)


def test_a_u_shape_helps_and_hurts_and_refutes_c13() -> None:
    """The lowest and the highest rate are alike, which would say nothing by themselves."""
    found = settled("C13", runs=shares(0.5, 0.0, 0.5))
    numbers = found["details"]
    assert numbers["Helps"] == numbers["Hurts"] == numbers["Both"] == numbers["Settings"] == 12
    assert numbers["FewestAt"] == "0.1 at bias 0, 0.1 at bias -1 and 0.1 at bias -4"
    assert found["verdict"] == REFUTED


def by_bias_and_rate(at: Mapping[float, tuple[float, float, float]]) -> Change:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        wanted = {
            (bias, rate): share for bias, row in at.items() for rate, share in zip(RATES, row, strict=True)
        }
        pairs = zip(runs["initial_bias"], runs["learning_rate"], strict=True)
        share = pd.Series([wanted.get(pair, 0.0) for pair in pairs], runs.index)
        return runs.assign(dead_fraction=share.where(~runs["diverged"]))

    return change


UP, DOWN, FLAT = (0.0, 0.25, 0.5), (0.5, 0.25, 0.0), (0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("at", "verdict", "helps", "hurts"),
    [
        ({0.0: UP, -1.0: UP, -4.0: DOWN}, LIMITED, 8, 4),
        ({0.0: UP, -1.0: FLAT, -4.0: FLAT}, LIMITED, 4, 0),
        ({0.0: UP, -1.0: FLAT, -4.0: DOWN}, REFUTED, 4, 4),
        ({0.0: DOWN, -1.0: DOWN, -4.0: UP}, REFUTED, 4, 8),
        ({0.0: UP, -1.0: UP, -4.0: FLAT}, SUPPORTED, 8, 0),
    ],
)
def test_c13_weighs_settings_in_which_a_lower_rate_helps_and_hurts(
    at: Mapping[float, tuple[float, float, float]], verdict: str, helps: int, hurts: int
) -> None:
    found = settled("C13", runs=by_bias_and_rate(at))
    assert (found["verdict"], found["details"]["Helps"], found["details"]["Hurts"]) == (verdict, helps, hurts)
    limit = "not for every cause of death: it depends on the initial bias"
    assert found["note"] == (limit if verdict == LIMITED else "")


def test_c13_is_supported_if_a_lower_rate_helps_in_just_half_of_the_settings() -> None:
    """Of four settings in two, by a hair."""
    at = {0.0: UP, -4.0: FLAT}
    found = settled("C13", runs=lambda t: by_bias_and_rate(at)(t[t["initial_bias"] != -1]))
    assert (found["details"]["Settings"], found["details"]["Helps"]) == (8, 4)
    assert found["verdict"] == SUPPORTED


def test_c13_says_nothing_if_chance_alone_could_have_done_it() -> None:
    """One replicate of three says that a lower rate helps, two that nothing changes."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        rise = (runs["learning_rate"] == 1.0) & (runs["replicate"] < 2)
        share = pd.Series(np.where(rise, 0.9, 0.3), runs.index)
        return runs.assign(dead_fraction=share.where(~runs["diverged"]))

    found = settled("C13", runs=change)
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert found["note"] == "no setting shows a sure change in either direction"
    assert found["effect"] == pytest.approx(2 / 3)


def test_c13_names_the_rates_with_fewest_deaths_of_all_settings_of_a_bias() -> None:
    def change(runs: pd.DataFrame) -> pd.DataFrame:
        cnn = shares(0.5, 0.0, 0.5)(runs)["dead_fraction"]
        return shares(0.1, 0.25, 0.5)(runs).assign(
            dead_fraction=lambda t: t["dead_fraction"].mask(t["architecture"] == "cnn", cnn)
        )

    fewest = settled("C13", runs=change)["details"]["FewestAt"]
    assert fewest == "0.01 to 0.1 at bias 0, 0.01 to 0.1 at bias -1 and 0.01 to 0.1 at bias -4"
