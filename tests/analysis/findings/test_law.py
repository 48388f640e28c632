"""The onset of death, and the scales of the law."""

import numpy as np
import pandas as pd
import pytest
from planted_findings import SD, evidence, settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.findings.f2_law import Law, _errors
from dying_relu.analysis.findings.law import SETTING, onset, onsets, scales
from dying_relu.analysis.thresholds import PAPER


def table(rates: list[float], seeds: list[list[float]]) -> pd.DataFrame:
    names = [*SETTING, "learning_rate"]
    columns = pd.MultiIndex.from_tuples([("mnist", "mlp", "raw", rate) for rate in rates], names=names)
    return pd.DataFrame(seeds, columns=columns)


def test_the_onset_is_the_first_crossing_linear_in_the_logarithm() -> None:
    deaths = pd.Series([0.0, 0.1, 0.4, 0.2, 0.9], index=[0.1, 0.2, 0.8, 1.6, 3.2])
    assert onset(deaths, 0.25) == pytest.approx(0.4)
    # The order of the rates does not matter, nor a rate without a median.
    assert onset(deaths.iloc[::-1], 0.25) == pytest.approx(0.4)
    assert onset(pd.concat([deaths, pd.Series([np.nan], index=[0.3])]), 0.25) == pytest.approx(0.4)


@pytest.mark.parametrize("deaths", [[0.0, 0.1, 0.2], [0.3, 0.5, 0.9], [np.nan] * 3])
def test_an_onset_outside_the_grid_is_none(deaths: list[float]) -> None:
    assert np.isnan(onset(pd.Series(deaths, index=[0.1, 0.2, 0.4]), 0.25))


def test_a_rate_at_which_most_seeds_overflow_has_no_median() -> None:
    rates = [0.1, 0.4, 1.6]
    half = table(rates, [[0.0, 0.5, 0.9], [0.0, 0.5, 0.9], [0.0, np.nan, 0.9], [0.0, np.nan, 0.9]])
    assert onsets(half, 0.25).iloc[0] == pytest.approx(0.2)
    most = table(rates, [[0.0, 0.5, 0.5], [0.0, np.nan, 0.5], [0.0, np.nan, 0.5], [0.0, np.nan, 0.5]])
    assert onsets(most, 0.25).iloc[0] == pytest.approx(0.4)


def test_scales_are_those_of_the_first_layer_before_training() -> None:
    known = evidence()
    runs = known.experiment("phase_diagram")
    found = scales(known, runs)
    assert found.loc[("mnist", "mlp", "random_45"), "sgd"] == pytest.approx(SD / 36)
    assert found.loc[("mnist", "mlp", "random_45"), "adam"] == pytest.approx(SD / 180)
    assert found.loc[("mnist", "mlp", "random_0"), "sgd"] == np.inf


def test_onsets_that_span_less_than_the_law_says_count_against_it() -> None:
    here = evidence(octaves=0.1).judged_by(PAPER.replace(span=12.0))
    assert settled_by(here, ["F2a"]).iloc[0]["verdict"] == DOES_NOT_HOLD


@pytest.mark.parametrize(("spread", "verdict"), [(1.0, HOLDS), (0.0, DOES_NOT_HOLD)])
def test_a_law_beats_its_rivals_only_where_it_errs_less(spread: float, verdict: str) -> None:
    assert settled("F2c", spread=spread)["verdict"] == verdict


def test_the_scales_of_the_rivals() -> None:
    known = evidence()
    found = scales(known, known.experiment("phase_diagram")).loc[("mnist", "mlp", "random_45")]
    assert found["mean"] == pytest.approx(1 / 36)
    assert found["second_moment"] == pytest.approx(0.3 / 36)


def test_an_onset_predicted_inside_and_not_observed_counts_with_the_end_of_the_grid() -> None:
    rates = [0.1, 0.4, 1.6]
    setting = pd.MultiIndex.from_tuples([("mnist", "mlp", "raw")], names=SETTING)
    for deaths, end in (([0.0, 0.1, 0.2], 1.6), ([0.3, 0.5, 0.9], 0.1), ([0.0, 0.1, np.nan], 0.4)):
        inside, outside = (pd.Series([rate], index=setting) for rate in (0.2, 3.0))
        assert onsets(table(rates, [deaths] * 4), 0.25, inside).iloc[0] == end
        assert np.isnan(onsets(table(rates, [deaths] * 4), 0.25, outside).iloc[0])
    seen = table(rates, [[0.0, 0.5, 0.9]] * 4)
    assert onsets(seen, 0.25, outside).iloc[0] == pytest.approx(0.2)


def test_onsets_that_do_not_come_count_against_the_law() -> None:
    found = settled("F2a", runs=lambda runs: runs[runs["inputs"] != "inverted_double"])
    assert found["verdict"] == DOES_NOT_HOLD
    assert found["details"]["WithOnset"][0] == 9


def test_the_constant_of_adam_is_that_of_the_fit() -> None:
    assert settled("F2b", octaves=0.0)["details"]["Constant"] == pytest.approx(1.3, rel=0.05)


def test_a_line_that_is_no_better_than_a_constant_rate_does_not_separate() -> None:
    """With one offset share alone, one rate separates as well as the line."""
    found = settled(
        "F7a", runs=lambda runs: runs[~runs["inputs"].isin(["random_0", "random_15", "random_75"])]
    )
    assert found["details"]["BalancedAccuracy"] == found["details"]["ConstantRate"] == 1
    assert found["verdict"] != HOLDS


def test_a_condition_on_the_data_set_is_named() -> None:
    """In one data set the first layer dies at rates that have nothing to do with the line."""

    def shuffled(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["experiment"] == "phase_diagram") & (runs["dataset"] == "cifar10")
        turned = runs["learning_rate"].map({0.01: 10.0, 0.1: 1.0, 1.0: 0.1, 10.0: 0.01})
        return runs.assign(learning_rate=runs["learning_rate"].mask(here, turned))

    found = settled("F7a", runs=shuffled)
    assert found["verdict"] == HOLDS_ONLY_IF
    assert found["condition"] == "the data set is MNIST"
    assert {cell["state"] for cell in found["cells"]} == {HOLDS, "fails"}
    assert settled("F7a", line=0.01)["verdict"] == DOES_NOT_HOLD


def test_an_onset_that_does_not_come_errs_by_its_distance_to_the_end_of_the_grid() -> None:
    """Three settings whose onset is 0.2, as predicted, and a fourth that is predicted there and has none below 1.6."""
    columns = [("mnist", "mlp", name, rate) for name in "abcd" for rate in (0.1, 0.4, 1.6)]
    shares = [*[0.0, 0.5, 0.9] * 3, 0.0, 0.1, 0.2]
    held_out = pd.DataFrame(
        [shares] * 2, columns=pd.MultiIndex.from_tuples(columns, names=[*SETTING, "learning_rate"])
    )
    settings = pd.MultiIndex.from_tuples([("mnist", "mlp", name) for name in "abcd"], names=SETTING)
    known = pd.DataFrame(dict.fromkeys(("sgd", "adam", "mean", "second_moment", "spread"), 0.1), settings)
    found = _errors(Law(8, held_out, known, 2.0, 0.0, []), "sgd", PAPER).iloc[0]
    octaves = [0.0, 0.0, 0.0, 3.0]
    assert found[["sgd", "rate"]].tolist() == pytest.approx([np.std(octaves, ddof=1)] * 2)
    assert (found["observed"], found["ratio"]) == (3, pytest.approx(1))
    assert found["span"] == pytest.approx(3)


@pytest.mark.parametrize(("least", "verdict"), [(12, HOLDS), (13, DOES_NOT_HOLD)])
def test_a_seed_with_just_enough_onsets_has_enough(least: int, verdict: str) -> None:
    here = evidence(octaves=0.1).judged_by(PAPER.replace(observed_onsets=least))
    assert settled_by(here, ["F2a"]).iloc[0]["verdict"] == verdict


@pytest.mark.parametrize("limit", [{"rate_alone_part": 0.01}, {"octaves": 0.01}])
def test_a_law_must_err_less_than_both_limits(limit: dict[str, float]) -> None:
    here = evidence(octaves=0.1).judged_by(PAPER.replace(**limit))
    assert settled_by(here, ["F2a"]).iloc[0]["verdict"] == DOES_NOT_HOLD
