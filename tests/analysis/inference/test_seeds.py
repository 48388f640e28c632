"""Exact inference from one number a seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dying_relu.analysis.inference.seeds import (
    ONE_SIDE,
    enough,
    highest_share,
    holm,
    median_interval,
    share_of_seeds,
    share_test,
    sign_test,
)

NUMBERS = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(("cells", "agreeing"), [(1, 15), (4, 16), (12, 17), (30, 18)])
def test_so_many_of_twenty_seeds_must_agree(cells: int, agreeing: int) -> None:
    """The rule that a reader can check by counting."""

    def passes(count: int) -> bool:
        p = sign_test([1.0] * count + [0.0] * (20 - count), 0.5, "greater")
        return bool(holm([p, *[1.0] * (cells - 1)])[0])

    assert passes(agreeing)
    assert not passes(agreeing - 1)


@given(st.lists(NUMBERS, min_size=6, max_size=24), NUMBERS)
def test_the_test_rejects_where_the_whole_interval_is_beyond_the_threshold(
    values: list[float], threshold: float
) -> None:
    found = median_interval(values)
    assert found.low <= found.estimate <= found.high
    assert (sign_test(values, threshold, "greater") <= ONE_SIDE) == (found.low > threshold)
    assert (sign_test(values, threshold, "less") <= ONE_SIDE) == (found.high < threshold)


@given(st.lists(NUMBERS, min_size=6, max_size=24))
def test_seeds_without_a_value_are_left_out_and_their_order_does_not_matter(values: list[float]) -> None:
    assert median_interval([np.nan, *reversed(values), np.nan]) == median_interval(values)


def test_fewer_than_six_seeds_have_no_interval_and_settle_nothing() -> None:
    assert median_interval([1.0] * 5)[1:] == (-np.inf, np.inf, 5)
    assert sign_test([1.0] * 5, 0.0, "greater") > ONE_SIDE
    assert sign_test([], 0.0, "greater") == sign_test([np.nan], 0.0, "less") == 1
    with pytest.raises(ValueError, match="no value"):
        median_interval([np.nan])


def test_infinite_numbers_have_a_median() -> None:
    assert median_interval([np.inf] * 12 + [1.0] * 8) == (np.inf, 1.0, np.inf, 20)


def test_values_equal_to_the_threshold_speak_for_neither_side() -> None:
    assert sign_test([0.5] * 20, 0.5, "greater") == sign_test([0.5] * 20, 0.5, "less") == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_rejects_what_the_textbook_rejects(p_values: list[float]) -> None:
    order = np.argsort(p_values)
    expected = np.zeros(len(p_values), dtype=bool)
    for place, hypothesis in enumerate(order):
        if p_values[hypothesis] > 0.05 / (len(p_values) - place):
            break
        expected[hypothesis] = True
    assert holm(p_values, 0.05).tolist() == expected.tolist()


def test_a_share_of_none_has_an_upper_limit_and_no_width_below() -> None:
    """With 20 seeds at most 14 % would have any."""
    assert highest_share(20) == pytest.approx(0.139, abs=5e-4)
    assert share_of_seeds(0, 20)[:3] == (0, 0, highest_share(20))
    assert share_of_seeds(20, 20)[:3] == (1, 1 - highest_share(20), 1)
    assert share_of_seeds(7, 20)[1:3] == pytest.approx(
        stats.binomtest(7, 20).proportion_ci(0.95, "exact")[:2]
    )
    assert stats.binomtest(0, 20, highest_share(20), alternative="less").pvalue == pytest.approx(0.05)


def test_none_of_twenty_seeds_is_fewer_than_a_fifth_and_one_is_not() -> None:
    assert share_test(0, 20, 0.2, "less") <= ONE_SIDE < share_test(1, 20, 0.2, "less")


def test_three_quarters_of_the_seeds_are_enough() -> None:
    assert enough([1.0] * 6 + [np.nan] * 2)
    assert not enough([1.0] * 5 + [np.nan] * 3)
    assert not enough([])


@given(st.lists(NUMBERS, min_size=1, max_size=24))
def test_the_estimate_is_the_median(values: list[float]) -> None:
    found = median_interval(values)
    assert found.estimate == pytest.approx(np.median(values))
    assert found.n == len(values)


@pytest.mark.parametrize("successes", [0, 7, 20])
def test_a_share_rests_on_all_seeds(successes: int) -> None:
    assert (share_of_seeds(successes, 20).estimate, share_of_seeds(successes, 20).n) == (successes / 20, 20)
