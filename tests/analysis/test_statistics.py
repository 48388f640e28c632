"""Intervals: exact where they must be, honest about coverage, and blind to the order of rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dying_relu.analysis.statistics import interval, summarise

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
