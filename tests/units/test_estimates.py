"""The estimate of units that would wake: its law, its limits, and how often its interval holds the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from dying_relu.units.estimates import ExpectedAlive, expected_alive

COUNTS = st.integers(0, 300)


@given(COUNTS, COUNTS, st.integers(1, 10_000), st.integers(0, 100_000))
def test_limits_hold_the_estimate_and_never_pass_the_dead(
    once: int, dead: int, examples: int, more: int
) -> None:
    found = expected_alive([once], [dead], examples, more)
    assert 0 <= found.low <= found.high <= dead
    assert 0 <= found.expected <= dead
    assert found.low <= found.expected + 1
    assert found.expected <= found.high + 1


@given(COUNTS, COUNTS, st.integers(1, 10_000), st.integers(0, 50_000), st.integers(1, 50_000))
def test_more_examples_wake_no_fewer(once: int, dead: int, examples: int, more: int, added: int) -> None:
    first, second = (expected_alive([once], [dead], examples, number) for number in (more, more + added))
    assert first.expected <= second.expected
    assert first.low <= second.low
    assert first.high <= second.high


@given(st.integers(0, 60), st.integers(1, 400), st.floats(0.01, 50))
def test_the_limits_of_one_layer_are_capped_quantiles(once: int, dead: int, ratio: float) -> None:
    more = round(1000 * ratio)
    found = expected_alive([once], [dead], 1000, more)
    quantiles = nbinom(once + 0.5, 1 / (1 + np.log1p(more / 1000))).ppf([0.025, 0.975])
    assert (found.low, found.high) == tuple(np.minimum(quantiles, dead))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), min_size=1, max_size=6))
def test_layers_without_dead_units_change_nothing(layers: list[tuple[int, int]]) -> None:
    with_dead = [layer for layer in layers if layer[1]]
    every, some = (
        expected_alive([once for once, _ in chosen], [dead for _, dead in chosen], 500, 2000)
        for chosen in (layers, with_dead)
    )
    assert every == some


def test_no_layer_wakes_more_than_it_has() -> None:
    """Many units of one layer were active once, and another has the dead."""
    found = expected_alive([100, 0], [1, 100], 500, 5000)
    assert found.expected == 1
    assert found.low <= 1 <= found.high < 20


def test_no_unit_seen_once_is_no_proof() -> None:
    found = expected_alive([0], [50], 500, 5000)
    assert found.expected == 0
    assert found.high > 0


@pytest.mark.parametrize(("more", "rough"), [(5000, False), (5001, True)])
def test_beyond_ten_times_the_examples_the_sentence_says_so(more: int, rough: bool) -> None:
    assert ("to a factor of two" in str(expected_alive([4], [12], 500, more))) == rough


def test_zero_dead_need_no_estimate() -> None:
    assert str(ExpectedAlive(0, 0, 0, 0, 500, 5000)) == "none is dead on 500 examples"


@pytest.mark.parametrize("multiple", [1, 3, 10])
def test_intervals_hold_the_truth_as_often_as_they_say(multiple: int) -> None:
    """Units' rates are log-uniform from 1e-7 to 1, and some never fire; 600 simulated layers of 300 units."""
    random = np.random.default_rng(multiple)
    examples, layers = 500, 600
    rates = 10 ** random.uniform(-7, 0, (layers, 300)) * (random.random((layers, 300)) > 0.1)
    first, more = (random.binomial(number, rates) for number in (examples, multiple * examples))
    within, predicted, woken = [], 0.0, 0
    for before, after in zip(first, more, strict=True):
        dead = before == 0
        found = expected_alive([int((before == 1).sum())], [int(dead.sum())], examples, multiple * examples)
        truth = int((after[dead] > 0).sum())
        within.append(found.low <= truth <= found.high)
        predicted, woken = predicted + found.expected, woken + truth
    assert 0.92 <= np.mean(within) <= 0.99
    assert predicted / woken == pytest.approx(1, abs=0.05)
