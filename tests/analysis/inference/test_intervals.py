"""Shares of independent trials."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from dying_relu.analysis.inference.intervals import proportion


@given(st.integers(1, 60).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_at_each_end_as_many_or_as_few_successes_are_unlikely(counts: tuple[int, int]) -> None:
    """Clopper and Pearson's: with a probability of a fortieth each."""
    successes, trials = counts
    found = proportion(successes, trials)
    assert (found.estimate, found.n) == (successes / trials, trials)
    if successes:
        assert binom.sf(successes - 1, trials, found.low) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.low == 0
    if successes < trials:
        assert binom.cdf(successes, trials, found.high) == pytest.approx(0.025, rel=1e-6)
    else:
        assert found.high == 1
