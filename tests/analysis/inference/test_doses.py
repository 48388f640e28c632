"""Doses and their effects."""

import numpy as np
import pandas as pd
import pytest

from dying_relu.analysis.inference.doses import crossing, crossings, exponents

RATES = np.array([0.001, 0.01, 0.1, 1.0])


def dose_response(half: float, seeds: int = 8, steepness: float = 4.0) -> pd.DataFrame:
    """Shares that reach one half at a dose, linearly in its logarithm; seeds differ in it a little."""
    rows = [
        {
            "optimiser": "sgd",
            "replicate": seed,
            "rate": rate,
            "outcome": "trained",
            "dead": np.clip(0.5 + np.log10(rate / (half * (1 + seed / 100))) / steepness, 0, 1),
        }
        for seed in range(seeds)
        for rate in RATES
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("half", [0.003, 0.01, 0.2])
def test_a_crossing_is_read_between_doses_in_each_seed(half: float) -> None:
    found = crossings(dose_response(half), ["optimiser"], "rate", "dead", 0.5).iloc[0]
    assert found["estimate"] == pytest.approx(1.035 * half, rel=1e-3)
    assert [found["low"], found["high"]] == pytest.approx([half, 1.07 * half], rel=1e-3)
    assert (found["n"], found["untrained"]) == (8, 0)


def test_a_crossing_outside_the_doses_is_not_made_up() -> None:
    assert crossing(RATES, np.array([0.6, 0.7, 0.8, 0.9]), 0.5) == 0
    assert crossing(RATES, np.array([0.1, 0.2, 0.3, 0.4]), 0.5) == np.inf
    low = crossings(dose_response(1e-9), ["optimiser"], "rate", "dead", 0.5).iloc[0]
    assert low[["estimate", "low", "high"]].tolist() == [0, 0, 0]


def test_a_network_that_did_not_train_is_no_evidence() -> None:
    runs = dose_response(0.03)
    lost = (runs["rate"] == 0.1) & (runs["replicate"] == 0)
    runs = runs.assign(outcome=runs["outcome"].mask(lost, "collapsed"), dead=runs["dead"].mask(lost, 1.0))
    found = crossings(runs, ["optimiser"], "rate", "dead", 0.5).iloc[0]
    assert found["untrained"] == 1
    assert found["high"] < 0.04
    nothing = crossings(runs.assign(outcome="diverged"), ["optimiser"], "rate", "dead", 0.5).iloc[0]
    assert np.isnan(nothing["estimate"])


def test_an_exponent_is_the_slope_between_logarithms() -> None:
    rows = [
        {
            "place": "x",
            "replicate": seed,
            "rate": rate,
            "outcome": "trained",
            "dead": (1 + seed / 50) * 30 * rate**2,
        }
        for seed in range(6)
        for rate in (0.01, 0.02, 0.04, 0.08)
    ]
    found = exponents(pd.DataFrame(rows), ["place"], "rate", "dead").iloc[0]
    assert found["estimate"] == pytest.approx(2)
    assert found["n"] == 4
    three = exponents(pd.DataFrame(rows).query("rate < 0.05"), ["place"], "rate", "dead").iloc[0]
    assert three["estimate"] == pytest.approx(2)
    few = exponents(pd.DataFrame(rows).query("rate < 0.03"), ["place"], "rate", "dead").iloc[0]
    assert np.isnan(few["estimate"])


def test_doses_without_an_effect_or_with_too_large_a_one_are_in_no_law() -> None:
    shares = {0.001: 0.0, 0.01: 0.003, 0.02: 0.012, 0.04: 0.048, 0.08: 0.192, 0.2: 0.5}
    rows = [
        {"place": "x", "replicate": seed, "rate": rate, "outcome": "trained", "dead": share}
        for seed in range(6)
        for rate, share in shares.items()
    ]
    found = exponents(pd.DataFrame(rows), ["place"], "rate", "dead").iloc[0]
    assert found["estimate"] == pytest.approx(2)
    assert found["n"] == 4


def test_settings_stand_in_order_and_one_without_a_level_is_one_too() -> None:
    parts = [dose_response(half).assign(slope=slope) for half, slope in ((0.2, 0.1), (0.01, np.nan))]
    both = pd.concat([*parts, dose_response(0.003).assign(slope=0.01)])
    found = crossings(both, ["slope"], "rate", "dead", 0.5)
    np.testing.assert_equal(found["slope"].to_numpy(), [0.01, 0.1, np.nan])
    assert found["estimate"].tolist() == pytest.approx([0.003105, 0.207, 0.01035], rel=1e-3)
    powers = exponents(both, ["slope"], "rate", "dead", most=2.0)
    np.testing.assert_equal(powers["slope"].to_numpy(), [0.01, 0.1, np.nan])


def test_a_level_that_no_run_has_is_no_setting() -> None:
    runs = dose_response(0.01).assign(optimiser=pd.Categorical(["sgd"] * 32, ["adam", "sgd"]))
    assert crossings(runs, ["optimiser"], "rate", "dead", 0.5)["optimiser"].tolist() == ["sgd"]
    assert exponents(runs, ["optimiser"], "rate", "dead", most=2.0)["optimiser"].tolist() == ["sgd"]


def test_a_seed_of_which_no_network_trained_leaves_no_dose_of_all_seeds() -> None:
    runs = dose_response(0.01)
    lost = runs.assign(outcome=runs["outcome"].mask(runs["replicate"] == 3, "diverged"))
    found = exponents(lost, ["optimiser"], "rate", "dead", most=2.0).iloc[0]
    assert np.isnan(found["estimate"])
    assert (found["n"], found["untrained"]) == (0, len(RATES))
