"""Printed means and their t intervals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dying_relu.analysis.inference.means import jackknife, mean_interval, mean_over_cells

NUMBERS = st.floats(-1e3, 1e3).map(lambda number: round(number, 6))


@given(st.lists(NUMBERS, min_size=3, max_size=20, unique=True))
def test_an_interval_is_that_of_the_t_test(values: list[float]) -> None:
    found = mean_interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_half_or_more_tied_values_and_a_single_one_have_no_interval() -> None:
    for values in ([0.0, 0.0, 1.0, 2.0], [0.2], [0.0] * 20):
        found = mean_interval(values)
        assert found.estimate == pytest.approx(np.mean(values))
        assert np.isnan([found.low, found.high]).all()
    assert not np.isnan(mean_interval([0.0, 0.0, 1.0, 2.0, 3.0]).low)
    assert np.isnan(mean_interval([]).estimate)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=4, max_size=12, unique=True))
def test_the_jackknife_of_a_mean_is_its_t_interval(rows: list[tuple[float, float]]) -> None:
    """Where nothing is missing both are the same."""
    table = pd.DataFrame(rows)
    plain = mean_interval(table.mean(axis=1).to_numpy())
    if np.isnan(plain.low) or np.ptp(table.mean(axis=1)) < 1e-3:
        return
    again = jackknife(table, lambda some: float(some.mean().mean()))
    assert again == pytest.approx(plain, rel=1e-6, abs=1e-6)


def test_a_seed_without_a_cell_counts_in_the_others() -> None:
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0, 5.5], "b": [10.0, 11.0, 12.5, np.nan, 14.0]})
    found = mean_over_cells(table)
    assert found.estimate == pytest.approx((table["a"].mean() + table["b"].mean()) / 2)
    assert found.low < found.estimate < found.high
    assert found.n == 5


def test_cells_share_their_seeds() -> None:
    """Twice the same cell is no more than that cell."""
    cell = pd.Series([0.1, 0.3, 0.2, 0.6, 0.5])
    assert mean_over_cells(pd.DataFrame({"a": cell, "b": cell})) == pytest.approx(mean_interval(cell))
    assert np.isnan(mean_over_cells(pd.DataFrame({"a": [np.nan] * 3})).estimate)


def test_a_cell_without_any_number_changes_nothing() -> None:
    for numbers in ([1.0, 2.0, 4.0], [1.0, np.inf, 4.0, 2.0]):
        alone = mean_over_cells(pd.DataFrame({"a": numbers}))
        assert mean_over_cells(pd.DataFrame({"a": numbers, "b": np.nan})) == pytest.approx(alone)


def test_the_jackknife_has_no_interval_of_one_seed_or_of_tied_ones() -> None:
    for numbers in ([2.0], [1.0, 1.0, 1.0, 5.0], [1.0, np.inf, 3.0]):
        table = pd.DataFrame({"a": numbers})
        with np.errstate(invalid="ignore"):
            found = jackknife(table, lambda some: float(some["a"].mean()))
        assert found.estimate == table["a"].mean()
        assert np.isnan([found.low, found.high]).all()
        assert found.n == len(numbers)


def test_two_seeds_have_an_interval() -> None:
    table = pd.DataFrame({"a": [1.0, 3.0]})
    found = jackknife(table, lambda some: float(some["a"].mean()))
    assert found == pytest.approx(mean_interval([1.0, 3.0]))
