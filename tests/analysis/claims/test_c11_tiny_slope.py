"""C11: how small a slope may be."""

import pandas as pd
import pytest
from claim_changes import accurate, by_slope
from small_evidence import Change, diverge, settled

from dying_relu.analysis.claims import NOT_ENOUGH_DATA, REFUTED, SUPPORTED


@pytest.mark.parametrize(
    ("tiny", "verdict"),
    [(0.7, SUPPORTED), (0.55, SUPPORTED), (0.45, REFUTED), (0.2, REFUTED), (0.1, REFUTED)],
)
def test_c11_asks_whether_a_tiny_slope_gains_half_of_what_the_best_gains(tiny: float, verdict: str) -> None:
    found = settled("C11", runs=by_slope({1e-4: tiny, 1e-3: 0.3, 1e-2: 0.8, 0.1: 0.8, 0.3: 0.75, 1.0: 0.7}))
    assert found[["verdict", "note"]].tolist() == [verdict, ""]
    assert found["effect"] == pytest.approx((tiny - 0.2) / 0.6)
    assert found["details"]["Gain"] == pytest.approx(0.6)
    assert found["details"]["BestSlope"] == "0.01"
    assert found["details"]["SmallestEnough"] == ("0.0001" if tiny > 0.5 else "0.01")


def test_c11_names_the_best_slope_of_every_setting_and_the_mean_gain() -> None:
    """On CIFAR-10 a large slope gains twice as much."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        mnist = by_slope({1e-4: 0.25, 1e-2: 0.5, 0.3: 0.4})(runs)["test_accuracy"]
        cifar = by_slope({1e-4: 0.25, 1e-2: 0.4, 0.3: 0.8})(runs)["test_accuracy"]
        return runs.assign(test_accuracy=mnist.where(runs["dataset"] == "mnist", cifar))

    found = settled("C11", runs=change)["details"]
    assert found["BestSlope"] == "0.01 and 0.3"
    assert found["Gain"] == pytest.approx((0.3 + 0.6) / 2)
    assert found["SmallestEnough"] == "0.01"


def test_c11_asks_only_where_there_is_something_to_rescue() -> None:
    """On CIFAR-10 no slope is more than a point better than ReLU; there a tiny one gains nothing of it."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        mnist = by_slope({1e-4: 0.6, 1e-2: 0.8})(runs)["test_accuracy"]
        cifar = by_slope({1e-4: 0.2, 1e-2: 0.205})(runs)["test_accuracy"]
        return runs.assign(test_accuracy=mnist.where(runs["dataset"] == "mnist", cifar))

    found = settled("C11", runs=change)
    assert found["verdict"] == SUPPORTED
    assert found["effect"] == pytest.approx(4 / 6)
    assert found["details"]["Gain"] == pytest.approx(0.6)
    assert found["n"] == 84


def test_c11_pairs_replicates_and_scores_divergence() -> None:
    """Replicates differ much, all gain alike; where a tiny slope diverges it answers as a constant does."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        runs = by_slope({1e-4: 0.5, 1e-2: 0.6})(runs)
        return runs.assign(test_accuracy=runs["test_accuracy"] + runs["replicate"] / 10)

    found = settled("C11", runs=change)
    assert found[["effect", "low", "high"]].tolist() == pytest.approx([0.75] * 3)
    lost = settled(
        "C11", runs=lambda t: diverge(change(t), t["slope"].eq(1e-4) & t["experiment"].eq("slopes"))
    )
    assert lost["effect"] == pytest.approx((0.1 - 0.3) / 0.4)


def test_a_tiny_slope_that_rescues_supports_c11() -> None:
    def rescued(runs: pd.DataFrame) -> pd.DataFrame:
        tiny = (runs["activation"] == "leaky_relu") & (runs["slope"] < 0.005)
        return runs.assign(test_accuracy=runs["test_accuracy"].mask(tiny, 0.9))

    found = settled("C11", runs=rescued)
    assert (found["verdict"], found["effect"]) == (SUPPORTED, pytest.approx(1, abs=0.01))


def without(activation: str, slope: float | None = None) -> Change:
    return lambda t: t[(t["activation"] != activation) | (slope is not None and t["slope"] != slope)]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (accurate(lambda t: 0.9), "no slope is surely better than ReLU, so that there is nothing to rescue"),
        (
            by_slope({1e-4: 0.2, 1e-2: 0.209}),
            "no slope is surely better than ReLU, so that there is nothing to rescue",
        ),
        (without("leaky_relu", 1e-4), "no network has slope 0.0001"),
        (without("leaky_relu"), "ReLU and leaky ReLU are needed"),
        (without("relu"), "ReLU and leaky ReLU are needed"),
    ],
)
def test_c11_says_what_is_missing(change: Change, note: str) -> None:
    found = settled("C11", runs=change)
    assert found[["verdict", "note"]].tolist() == [NOT_ENOUGH_DATA, note]


def test_no_slope_but_the_best_may_be_enough() -> None:
    """And if replicates disagree about which is, none is on average."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        mnist = by_slope({1e-2: 0.8})(runs)["test_accuracy"]
        cifar = by_slope({0.3: 0.8, 1e-2: 0.1})(runs)["test_accuracy"]
        return runs.assign(test_accuracy=mnist.where(runs["dataset"] == "mnist", cifar))

    found = settled("C11", runs=change)["details"]
    assert "SmallestEnough" not in found
    assert found["BestSlope"] == "0.01 and 0.3"
