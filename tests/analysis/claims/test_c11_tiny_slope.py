"""C11: a tiny slope."""

import pandas as pd
import pytest
from planted_study import in_cnns, settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF, NOT_SETTLED


@pytest.mark.parametrize(("part", "verdict"), [(0.6, HOLDS), (0.4, DOES_NOT_HOLD), (-0.1, DOES_NOT_HOLD)])
def test_the_tiny_slope_has_to_make_half_of_the_gain(part: float, verdict: str) -> None:
    found = settled("C11", tiny_gain=part)
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(part, abs=0.03)
    assert found["details"]["BestSlope"] == "0.1"
    assert found["details"]["SmallestEnough"] == ("0.0001" if part > 0.5 else "0.1")


def test_it_can_hold_in_cnns_only() -> None:
    found = settled("C11", tiny_gain=in_cnns(0.9, 0.1))
    assert found[["verdict", "condition"]].tolist() == [HOLDS_ONLY_IF, "the network is CNN"]


def test_the_tiny_slope_is_never_compared_with_itself() -> None:
    """Where it is the best of all, it is compared with the best of the larger ones."""
    found = settled("C11", tiny_gain=1.2)
    assert found["verdict"] == HOLDS
    assert found["details"]["BestSlope"] == "0.1"
    assert found["effect"] == pytest.approx(1.2, abs=0.05)


def test_cells_without_a_setting_that_counts_are_named() -> None:
    def trains(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["experiment"] == "slopes") & (runs["architecture"] == "cnn")
        return runs.assign(outcome=runs["outcome"].mask(here, "trained"))

    found = settled("C11", runs=trains)
    assert found["verdict"] == HOLDS
    assert found["details"]["WithoutSetting"] == "MNIST, CNN, SGD and CIFAR-10, CNN, SGD"


@pytest.mark.parametrize(("slope", "outcome"), [(0.0, "trained"), (0.1, "collapsed")])
def test_only_settings_in_which_relu_collapses_and_the_best_slope_trains_count(
    slope: float, outcome: str
) -> None:
    def changed(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["experiment"] == "slopes") & (runs["slope"] == slope) & (runs["replicate"] == 22)
        return runs.assign(outcome=runs["outcome"].mask(here, outcome))

    found = settled("C11", runs=changed)
    assert found[["verdict", "note"]].tolist() == [
        NOT_SETTLED,
        "there is no setting in which ReLU collapses and a slope trains",
    ]
