"""Questions to a cell's numbers, each against its exact test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from dying_relu.analysis.inference.criteria import Above, Below, Rare, Within
from dying_relu.analysis.inference.seeds import median_interval, share_of_seeds

VALUES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0, np.nan]), min_size=1, max_size=24).filter(
    lambda values: not np.isnan(values).all()
)


def sign(agreeing: int, of: int) -> float:
    """The p value of so many seeds or more on one side of a threshold that is the median."""
    return binomtest(agreeing, of, 0.5, alternative="greater").pvalue


@given(VALUES)
def test_each_seed_is_on_one_side_of_a_threshold_or_on_it(values: list[float]) -> None:
    numbers = np.array([value for value in values if not np.isnan(value)])
    above, below = int((numbers > 0.5).sum()), int((numbers < 0.5).sum())
    assert (Above(0.5).agreeing(values), Below(0.5).agreeing(values)) == (above, below)
    assert (
        Above(0.5).p_holds(values) == Below(0.5).p_fails(values) == pytest.approx(sign(above, len(numbers)))
    )
    assert (
        Below(0.5).p_holds(values) == Above(0.5).p_fails(values) == pytest.approx(sign(below, len(numbers)))
    )
    assert Above(0.5).interval(values) == Below(0.5).interval(values) == median_interval(values)


@given(VALUES)
def test_within_asks_both_limits(values: list[float]) -> None:
    low, high, within = -0.5, 0.5, Within(-0.5, 0.5)
    numbers = np.array([value for value in values if not np.isnan(value)])
    assert within.agreeing(values) == ((numbers > low) & (numbers < high)).sum()
    assert within.p_holds(values) == max(Above(low).p_holds(values), Below(high).p_holds(values))
    assert within.p_fails(values) == min(Below(low).p_holds(values), Above(high).p_holds(values))
    assert within.interval(values) == median_interval(values)


@given(VALUES)
def test_a_property_is_any_number_but_0(values: list[float]) -> None:
    numbers = np.array([value for value in values if not np.isnan(value)])
    having, rare = int((numbers != 0).sum()), Rare(0.2)
    assert rare.agreeing(values) == len(numbers) - having
    assert rare.p_holds(values) == binomtest(having, len(numbers), 0.2, alternative="less").pvalue
    assert rare.p_fails(values) == binomtest(having, len(numbers), 0.2, alternative="greater").pvalue
    assert rare.interval(values) == share_of_seeds(having, len(numbers))
