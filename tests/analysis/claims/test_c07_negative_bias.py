"""C7: a large negative bias."""

import pandas as pd
import pytest
from planted_study import settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, NOT_SETTLED


@pytest.mark.parametrize(("born", "verdict"), [(0.06, HOLDS), (0.04, DOES_NOT_HOLD)])
def test_a_start_at_a_large_negative_bias_kills(born: float, verdict: str) -> None:
    found = settled("C7", born=born)
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(born)
    # They are born dead, and die of nothing.
    assert found["details"]["NewlyDead"][0] == pytest.approx(0, abs=0.005)


@pytest.mark.parametrize(("part", "verdict"), [(0.8, HOLDS), (0.1, DOES_NOT_HOLD)])
def test_literally_the_bias_makes_the_major_part_of_a_fall(part: float, verdict: str) -> None:
    found = settled("C7", bias_part=part)
    assert found["literal"] == verdict
    assert found["details"]["BiasPart"][0] == pytest.approx(part)


def test_networks_that_collapsed_count_as_long_as_they_are_finite() -> None:
    assert settled("C7", runs=lambda runs: runs.assign(outcome="collapsed"))["verdict"] == HOLDS


def test_other_biases_and_rates_say_nothing() -> None:
    def other(runs: pd.DataFrame) -> pd.DataFrame:
        return runs[(runs["initial_bias"] != -4) | (runs["experiment"] != "causes")]

    found = settled("C7", runs=other)
    assert found["verdict"] == NOT_SETTLED
    assert found["note"] == "the experiment 'causes' has not both biases, 0 and -4, at rate 0.03"


def test_an_intervention_on_biases_is_no_part_of_the_course() -> None:
    found = settled("C7", runs=lambda runs: runs.assign(intervention="frozen_biases"))
    assert found[["verdict", "literal"]].tolist() == [HOLDS, NOT_SETTLED]


def test_literally_a_cell_in_which_no_network_trained_is_open() -> None:
    def none_trains(runs: pd.DataFrame) -> pd.DataFrame:
        lost = (runs["experiment"] == "recovery") & (runs["optimiser"] == "adam")
        return runs.assign(outcome=runs["outcome"].mask(lost, "collapsed"))

    assert settled("C7", runs=none_trains)["literal"] == NOT_SETTLED
