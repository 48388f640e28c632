"""Intervals: exact where they must be, honest about coverage, and blind to the order of rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dying_relu.analysis.inference import intervals
from dying_relu.analysis.inference.intervals import (
    differences,
    exponents,
    interval,
    proportion,
    summarise,
    thresholds,
)

samples = arrays(float, st.integers(2, 6), elements=st.floats(-10, 10))


@given(samples)
def test_the_estimate_is_the_mean_and_lies_in_its_interval(values: np.ndarray) -> None:
    found = interval(values)
    assert found.estimate == pytest.approx(values.mean())
    assert values.min() - 1e-9 <= found.low <= found.estimate + 1e-9
    assert found.estimate - 1e-9 <= found.high <= values.max() + 1e-9


@given(samples, st.integers(1, 200))
def test_intervals_that_hold_jointly_are_wider_the_more_there_are(values: np.ndarray, cases: int) -> None:
    assert intervals.simultaneous(1) == pytest.approx(intervals.LEVEL)
    assert cases * (1 - intervals.simultaneous(cases)) == pytest.approx(1 - intervals.LEVEL)
    joint, alone = interval(values, level=intervals.simultaneous(cases)), interval(values)
    # Up to what is left to chance in drawing.
    slack = 0.1 * np.ptp(values) + 1e-9
    assert joint.low <= alone.low + slack
    assert joint.high >= alone.high - slack
    assert values.min() - 1e-9 <= joint.low <= joint.high <= values.max() + 1e-9


def test_with_few_replicates_all_of_them_must_agree_for_a_high_level() -> None:
    values = [0.0, 1.0, 1.0, 1.0, 1.0]
    found = interval(values, level=intervals.simultaneous(150))
    assert (found.low, found.high) == pytest.approx((0, 1), abs=0.2)


@given(samples, st.randoms(use_true_random=False))
def test_the_order_of_replicates_does_not_matter(values: np.ndarray, random) -> None:
    shuffled = values.tolist()
    random.shuffle(shuffled)
    assert interval(shuffled)[1:] == pytest.approx(interval(values)[1:])


@given(samples, st.floats(-5, 5), st.floats(0.125, 4))
def test_intervals_move_and_stretch_with_the_data(values: np.ndarray, shift: float, scale: float) -> None:
    moved, found = interval(values * scale + shift), interval(values)
    assert moved.low == pytest.approx(found.low * scale + shift, abs=1e-6)
    assert moved.high == pytest.approx(found.high * scale + shift, abs=1e-6)


def test_every_stratum_counts_the_same() -> None:
    assert interval([0, 0, 0, 0, 1, 1], ["a", "a", "a", "a", "b", "b"])[:3] == (0.5, 0.5, 0.5)


def test_pooling_within_strata_ignores_the_differences_between_them() -> None:
    values, strata = [0.0, 0.1, 0.2, 5.0, 5.1, 5.2], ["a"] * 3 + ["b"] * 3
    stratified, plain = interval(values, strata), interval(values)
    assert stratified.high - stratified.low < 0.2 < plain.high - plain.low


def test_a_single_replicate_has_no_spread() -> None:
    assert interval([0.3]) == (0.3, 0.3, 0.3, 1)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [1.0, float("inf")]])
def test_diverged_runs_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        interval(values)


@pytest.mark.parametrize(
    ("replicates", "least", "most"), [(3, 0.68, 0.84), (5, 0.78, 0.90), (20, 0.89, 0.97)]
)
def test_coverage_is_what_the_documentation_says(replicates: int, least: float, most: float) -> None:
    random = np.random.default_rng(0)
    found = [interval(random.normal(size=replicates)) for _ in range(400)]
    assert least < np.mean([each.low <= 0 <= each.high for each in found]) < most


def test_summaries_count_diverged_runs_and_average_the_others() -> None:
    runs = pd.DataFrame(
        {
            "rate": [1, 1, 1, 2, 2],
            "diverged": [False, False, True, True, True],
            "dead": [0.2, 0.4, np.nan, np.nan, np.nan],
        }
    )
    summary = summarise(runs, ["rate"], "dead").set_index("rate")
    assert summary.loc[1, "estimate"] == pytest.approx(0.3)
    assert summary.loc[1, ["n", "diverged"]].tolist() == [2, 1]
    assert summary.loc[2, ["n", "diverged"]].tolist() == [0, 2]
    assert np.isnan(summary.loc[2, "estimate"])


def paired_runs(replicates: int = 4) -> pd.DataFrame:
    """Two activations in each replicate: replicates differ much, activations by exactly 0.1; the last pair diverged."""
    return pd.DataFrame(
        {
            "dataset": "mnist",
            "replicate": np.repeat(range(replicates), 2),
            "activation": ["relu", "leaky_relu"] * replicates,
            "diverged": [False] * (2 * replicates - 1) + [True],
            "dead": np.repeat(np.linspace(0.2, 0.8, replicates), 2) - [0, 0.1] * replicates,
        }
    )


def test_a_difference_within_pairs_does_not_see_what_pairs_share() -> None:
    runs = paired_runs().sample(frac=1, random_state=0)
    found = differences(runs, ["dataset"], "activation", "relu", "dead").iloc[0]
    assert [found["activation"], found["n"], found["diverged"]] == ["leaky_relu", 3, 1]
    assert found[["estimate", "low", "high"]].tolist() == pytest.approx([-0.1] * 3)


def test_a_difference_needs_all_factors_that_name_a_run() -> None:
    runs = pd.concat([paired_runs().assign(rate=1.0), paired_runs().assign(rate=2.0)])
    with pytest.raises(ValueError, match="do not name a single run"):
        differences(runs, ["dataset"], "activation", "relu", "dead")
    assert len(differences(runs, ["dataset", "rate"], "activation", "relu", "dead")) == 2


def dose_response(half: float, noise: float = 0.0, replicates: int = 5, seed: int = 0) -> pd.DataFrame:
    """Dead fractions that rise with the logarithm of the rate and are one half at ``half``."""
    random = np.random.default_rng(seed)
    shifts = half * np.exp(noise * random.normal(size=replicates))
    return pd.DataFrame(
        {
            "optimiser": "sgd",
            "replicate": replicate,
            "rate": rate,
            "dead": float(np.clip(0.5 + np.log10(rate / shifts[replicate]) / 2, 0, 1)),
            "diverged": False,
        }
        for replicate in range(replicates)
        for rate in (0.001, 0.01, 0.1, 1.0)
    )


@pytest.mark.parametrize("half", [0.003, 0.01, 0.2])
def test_a_threshold_is_read_between_doses(half: float) -> None:
    found = thresholds(dose_response(half), ["optimiser"], "rate", "dead").iloc[0]
    assert found[["estimate", "low", "high"]].tolist() == pytest.approx([half] * 3)
    assert [found["n"], found["diverged"]] == [5, 0]


def test_an_interval_of_a_threshold_covers_about_as_often_as_one_of_a_mean() -> None:
    found = pd.concat(
        thresholds(dose_response(0.03, noise=0.5, seed=seed), ["optimiser"], "rate", "dead")
        for seed in range(60)
    )
    assert 0.7 < ((found["low"] <= 0.03) & (found["high"] >= 0.03)).mean() < 0.95


def test_a_threshold_outside_the_doses_is_not_made_up() -> None:
    below, above = (
        thresholds(dose_response(half), ["optimiser"], "rate", "dead").iloc[0] for half in (1e-5, 1e3)
    )
    assert below[["estimate", "low", "high"]].tolist() == [0, 0, 0]
    assert above[["estimate", "low", "high"]].tolist() == [np.inf] * 3


def test_a_threshold_takes_no_divergence_for_an_effect() -> None:
    runs = dose_response(0.03)
    runs.loc[(runs["rate"] == 1.0) & (runs["replicate"] == 0), ["dead", "diverged"]] = [np.nan, True]
    found = thresholds(runs, ["optimiser"], "rate", "dead").iloc[0]
    assert found["estimate"] == pytest.approx(0.03)
    assert found["diverged"] == 1
    nothing = thresholds(runs.assign(diverged=True), ["optimiser"], "rate", "dead").iloc[0]
    assert np.isnan(nothing["estimate"])
    assert [nothing["n"], nothing["diverged"]] == [0, 20]


def test_summaries_and_thresholds_ignore_the_order_of_rows() -> None:
    runs = dose_response(0.03, noise=0.5)
    shuffled = runs.sample(frac=1, random_state=1)
    for summary in (
        lambda table: summarise(table, ["rate"], "dead"),
        lambda table: thresholds(table, ["optimiser"], "rate", "dead"),
    ):
        pd.testing.assert_frame_equal(summary(runs), summary(shuffled))


def test_the_interval_of_a_proportion_covers_and_stays_inside() -> None:
    found = proportion(30, 100)
    assert (found.estimate, found.n) == (0.3, 100)
    assert (found.low, found.high) == pytest.approx((0.2189, 0.3958), abs=1e-4)
    for successes in (0, 5):
        edge = proportion(successes, 5)
        assert 0 <= edge.low <= edge.estimate <= edge.high <= 1
        assert edge.high > edge.low


def test_yes_and_no_are_numbers() -> None:
    found = interval([True, False, True])
    assert found.estimate == pytest.approx(2 / 3)
    assert 0 <= found.low < found.high <= 1


def test_replicates_that_differ_by_one_have_a_spread() -> None:
    found = interval([0, 1, 0, 1])
    assert found.low < 0.5 < found.high


def test_a_stratum_of_one_replicate_moves_an_interval_and_adds_no_spread() -> None:
    three = interval([1.0, 2.0, 6.0])
    for values, strata in (([1.0, 2.0, 6.0, 10.0], "aaab"), ([10.0, 1.0, 2.0, 6.0], "baaa")):
        found = interval(values, list(strata))
        assert found.n == 4
        assert found[:3] == pytest.approx([(end + 10) / 2 for end in three[:3]], abs=0.2)


def test_two_replicates_are_drawn_as_two() -> None:
    """Of two replicates every fourth resample is the smaller one twice, which the interval therefore contains."""
    assert interval([0.0, 1.0])[1:3] == (0.0, 1.0)
    assert interval([0.0, 1.0, 3.0, 3.0], list("aabb"))[1:3] == (1.5, 2.0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scipy's, about the standard error of one resample
def test_all_intervals_are_of_the_one_level_and_number_of_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    values, runs = np.arange(20.0), dose_response(0.03, noise=0.5, replicates=8)

    def widths() -> list[float]:
        curve = thresholds(runs, ["optimiser"], "rate", "dead").iloc[0]
        return [
            interval(values).high - interval(values).low,
            proportion(5, 20).high,
            np.log(curve["high"] / curve["low"]),
        ]

    usual = widths()
    monkeypatch.setattr(intervals, "LEVEL", 0.5)
    assert all(narrower < wider for narrower, wider in zip(widths(), usual, strict=True))
    monkeypatch.setattr(intervals, "RESAMPLES", 1)
    assert widths()[0] == widths()[2] == 0


@pytest.mark.parametrize("repeated", ["relu", "leaky_relu"])
def test_a_run_that_is_there_twice_is_refused(repeated: str) -> None:
    runs = paired_runs()
    twice = runs[runs["activation"] == repeated].head(1).assign(dead=0.7)
    with pytest.raises(ValueError, match="dataset, replicate and activation do not name a single run"):
        differences(pd.concat([runs, twice]), ["dataset"], "activation", "relu", "dead")


@pytest.mark.parametrize("diverged", ["relu", "leaky_relu"])
def test_a_pair_of_which_either_run_diverged_is_counted_and_not_averaged(diverged: str) -> None:
    runs = paired_runs().assign(diverged=False)
    runs["dead"] = runs["dead"].fillna(0.0)
    runs.loc[(runs["activation"] == diverged) & (runs["replicate"] == 1), ["dead", "diverged"]] = [99.0, True]
    found = differences(runs, ["dataset"], "activation", "relu", "dead").iloc[0]
    assert [found["n"], found["diverged"]] == [runs["replicate"].nunique() - 1, 1]
    assert abs(found["estimate"]) < 1


def test_categories_without_a_run_are_no_settings() -> None:
    runs = pd.DataFrame(
        {"rate": pd.Categorical(["low", "low"], ["low", "high"]), "dead": [0.1, 0.2], "diverged": False}
    )
    assert summarise(runs, ["rate"], "dead")["rate"].tolist() == ["low"]


def test_a_setting_in_which_all_diverged_has_numbers_that_are_missing() -> None:
    runs = dose_response(0.03).assign(diverged=True)
    for found in (summarise(runs, ["rate"], "dead"), thresholds(runs, ["optimiser"], "rate", "dead")):
        for column in ("estimate", "low", "high"):
            assert found[column].dtype == float
            assert found[column].isna().all()


def test_a_replicate_that_diverged_at_every_dose_leaves_no_dose() -> None:
    runs = dose_response(0.03)
    runs.loc[runs["replicate"] == 0, ["dead", "diverged"]] = [np.nan, True]
    found = thresholds(runs, ["optimiser"], "rate", "dead").iloc[0]
    assert np.isnan(found["estimate"])
    assert [found["n"], found["diverged"]] == [0, 4]


@pytest.mark.parametrize(("affected", "of", "reached"), [(1, 3, True), (4, 7, False)])
def test_the_low_end_leaves_out_a_fortieth_of_the_resamples(affected: int, of: int, reached: bool) -> None:
    """All drawn are of the affected with probability (affected / of)^of: 3.7 % for 1 of 3, 2.0 % for 4 of 7."""
    runs = pd.DataFrame(
        {"setting": "any", "replicate": replicate, "rate": rate, "diverged": False,
         "dead": 1.0 if rate == 1.0 or replicate < affected else 0.9}
        for replicate in range(of) for rate in (0.1, 1.0)
    )  # fmt: skip
    found = thresholds(runs, ["setting"], "rate", "dead", level=1.0).iloc[0]
    assert bool(found["low"] == 0) is reached
    assert found["estimate"] == pytest.approx(1.0)


@pytest.mark.parametrize(("level", "dose"), [(0.25, 0.0), (0.5, 0.1), (0.75, 1.0), (0.8, np.inf)])
def test_a_level_that_a_dose_has_exactly_is_reached_at_that_dose(level: float, dose: float) -> None:
    runs = pd.DataFrame(
        {
            "setting": "any",
            "replicate": 0,
            "rate": [0.01, 0.1, 1.0],
            "dead": [0.25, 0.5, 0.75],
            "diverged": False,
        }
    )
    assert thresholds(runs, ["setting"], "rate", "dead", level).iloc[0]["estimate"] == pytest.approx(dose)


def test_a_factor_that_does_not_apply_is_a_setting_like_any_other() -> None:
    runs = pd.DataFrame(
        {"slope": [0.01, 0.01, np.nan, np.nan], "dead": [0.1, 0.3, 0.5, 0.7], "diverged": False}
    )
    found = summarise(runs, ["slope"], "dead")
    assert found["estimate"].tolist() == pytest.approx([0.2, 0.6])
    assert found["slope"].isna().tolist() == [False, True]


def power_law(exponent: float, noise: float = 0.0, replicates: int = 5, seed: int = 0) -> pd.DataFrame:
    """Shares 0.8 rate^exponent, at most 1, which vary from replicate to replicate by a factor."""
    factors = np.exp(noise * np.random.default_rng(seed).normal(size=replicates))
    return pd.DataFrame(
        {
            "architecture": "mlp",
            "replicate": replicate,
            "rate": rate,
            "dead": min(0.8 * factors[replicate] * rate**exponent, 1.0),
            "diverged": False,
        }
        for replicate in range(replicates)
        for rate in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
    )


def exponent(runs: pd.DataFrame) -> pd.Series:
    return exponents(runs, ["architecture"], "rate", "dead").iloc[0]


@pytest.mark.parametrize("law", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_found_below_saturation(law: float) -> None:
    found = exponent(power_law(law))
    assert found[["estimate", "low", "high"]].tolist() == pytest.approx([law] * 3)
    assert [found["n"], found["diverged"]] == [5, 0]


def test_an_interval_of_an_exponent_covers_about_as_often_as_one_of_a_mean() -> None:
    def noisy(seed: int) -> pd.DataFrame:
        runs, random = power_law(2.0, replicates=5), np.random.default_rng(seed)
        return runs.assign(dead=(runs["dead"] * np.exp(random.normal(size=len(runs)) / 2)).clip(upper=1))

    found = [exponent(noisy(seed)) for seed in range(40)]
    assert 0.6 < np.mean([row["low"] <= 2 <= row["high"] for row in found]) < 0.98


def test_a_law_needs_three_rates_at_which_something_but_not_most_is_dead() -> None:
    runs = power_law(2.0)
    few = exponent(runs[runs["rate"].isin([0.1, 0.3, 1.0])])
    assert np.isnan(few["estimate"])
    assert few["n"] == 2
    without_death = exponent(runs.assign(dead=0.0))
    assert np.isnan(without_death["estimate"])
    assert without_death["n"] == 0


def test_a_rate_at_which_a_replicate_diverged_or_nothing_died_is_in_no_law() -> None:
    runs = power_law(1.0)
    runs.loc[(runs["rate"] == 0.1) & (runs["replicate"] == 0), ["dead", "diverged"]] = [np.nan, True]
    runs.loc[runs["rate"] == 0.003, "dead"] = 0.0
    found = exponent(runs)
    assert found["estimate"] == pytest.approx(1)
    assert [found["n"], found["diverged"]] == [3, 1]
    nothing = exponent(runs.assign(diverged=True))
    assert np.isnan(nothing["estimate"])
    assert [nothing["n"], nothing["diverged"]] == [0, 35]


def test_a_law_that_cannot_be_found_has_numbers_that_are_missing() -> None:
    runs = power_law(2.0)
    for missing in (runs.assign(diverged=True), runs[runs["rate"] >= 0.3], runs.assign(dead=0.0)):
        found = exponents(missing, ["architecture"], "rate", "dead")
        for column in ("estimate", "low", "high"):
            assert found[column].dtype == float
            assert found[column].isna().all()


@pytest.mark.parametrize(("affected", "of", "reached"), [(1, 3, True), (4, 7, False)])
def test_the_low_end_of_an_exponent_leaves_out_a_fortieth_of_the_resamples(
    affected: int, of: int, reached: bool
) -> None:
    """All drawn follow the lower law with probability (affected / of)^of: 3.7 % for 1 of 3, 2.0 % for 4 of 7."""
    lower, upper = power_law(1.0, replicates=of), power_law(2.0, replicates=of)
    runs = upper.assign(dead=upper["dead"].mask(upper["replicate"] < affected, lower["dead"]))
    assert bool(exponent(runs)["low"] == pytest.approx(1)) is reached


def test_half_of_the_units_is_too_many_for_a_law() -> None:
    runs = power_law(1.0)
    assert exponent(runs)["n"] == 5
    assert exponent(runs.assign(dead=runs["dead"].mask(runs["rate"] == 0.3, 0.5)))["n"] == 4
