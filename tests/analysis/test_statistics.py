"""Intervals: exact where they must be, honest about coverage, and blind to the order of rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dying_relu.analysis.statistics import differences, interval, proportion, summarise, thresholds

samples = arrays(float, st.integers(2, 6), elements=st.floats(-10, 10))


@given(samples)
def test_the_estimate_is_the_mean_and_lies_in_its_interval(values: np.ndarray) -> None:
    found = interval(values)
    assert found.estimate == pytest.approx(values.mean())
    assert values.min() - 1e-9 <= found.low <= found.estimate + 1e-9
    assert found.estimate - 1e-9 <= found.high <= values.max() + 1e-9


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
