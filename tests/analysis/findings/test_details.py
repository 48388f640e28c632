"""The further numbers that the paper quotes of each finding: those that were planted."""

import pandas as pd
import pytest
from planted_deaths import ADAM_CONSTANT, UNITS
from planted_findings import PLANTED, settled
from planted_networks import SEEDS

from dying_relu.analysis.inference.seeds import ONE_SIDE, highest_share

CELLS_OF_F1A = 2 * 3 * 2
"""Data sets, optimisers and rates."""


def test_deaths_without_a_mean_are_counted_unit_by_unit() -> None:
    networks = CELLS_OF_F1A * SEEDS
    found = settled("F1a")
    assert found["n"] == networks
    expected = {"Networks": networks, "Units": networks * UNITS, "NewlyDead": 0, "CutOff": 0}
    assert {name: found["details"][name] for name in expected} == expected
    assert found["details"]["UpperLimit"] == pytest.approx(highest_share(SEEDS, 1 - ONE_SIDE))
    assert settled("F1a", without_mean=0.1)["details"]["NewlyDead"] == networks * UNITS / 10


@pytest.mark.parametrize(("finding", "networks"), [("F1b", 4 * 3), ("F1c", 2 * 3), ("F1d", 2 * 2)])
def test_outcomes_are_shares_of_the_networks_that_count(finding: str, networks: int) -> None:
    def lost(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["replicate"] < 4) & ~runs["overflowed"]
        outcome = runs["outcome"].mask(here, "collapsed")
        return runs.assign(outcome=outcome.mask(runs["replicate"] == 4, "diverged"))

    found = settled(finding, runs=lost)
    assert found["n"] == networks * SEEDS
    assert found["details"] == {"CollapsedShare": 4 / SEEDS, "DivergedShare": 1 / SEEDS}


def test_the_part_of_the_bias_rests_on_all_units_that_fell() -> None:
    found = settled("F1e")
    settings = 2 * 4
    assert found["n"] == settings * SEEDS
    assert found["details"] == {"Units": settings * SEEDS * 8, "Settings": settings}


def test_the_law_is_described_by_its_errors_in_octaves() -> None:
    exact, loose = (settled("F2a", octaves=octaves)["details"] for octaves in (0.0, 0.6))
    assert exact["Settings"] == exact["WithOnset"][0] == 3 * 3 + 3
    assert exact["Constant"] == 56
    assert exact["MedianRatio"][0] == pytest.approx(1, abs=0.05)
    # From 28, in 80 components, to 0.035, in inverted images.
    assert exact["Span"][0] == pytest.approx(9.64, abs=0.4)
    # Two onsets of the fit are inside the grid: of no standard deviation.
    assert exact["FitError"] is None
    assert exact["Error"][0] < 0.15 < loose["Error"][0]
    assert exact["RateAlone"][0] == pytest.approx(3.5, abs=0.2)


def test_the_constant_and_the_exceptions_under_adam() -> None:
    found = settled("F2b", octaves=0.0)
    assert found["details"]["Constant"] == pytest.approx(ADAM_CONSTANT, rel=0.05)
    assert found["details"]["Exceptions"] == 0
    assert found["details"]["ExceptionNames"] == "none"
    assert found["details"]["FitError"] < 0.05
    some, twice = (settled("F2b", octaves=octaves)["details"]["FitError"] for octaves in (0.3, 0.6))
    assert twice == pytest.approx(2 * some, rel=0.1)
    assert some > 0.15


def test_the_errors_of_the_rivals_are_those_of_their_scales() -> None:
    details = settled("F2c", octaves=0.0)["details"]
    assert details["Law"][0] < 0.15
    # Of the spread alone, over settings whose standard deviations are 1, 2, 1/4 and 1.
    assert details["MeanAlone"][0] == pytest.approx(1.25, abs=0.2)
    assert details["SecondMoment"][0] > details["Law"][0]
    assert details["SpreadOverSecondMoment"][0] > details["Law"][0]


def test_overflows_are_shares_in_each_arm() -> None:
    found = settled("F3a", renewed_again=0.1)
    details = found["details"]
    assert details["Cells"] == 2 * 2 * 2 + 1
    for arm in ("Renewing", "Undoing", "Raising", "LeakyTwin", "ReluAtSpike"):
        assert details[arm][0] == pytest.approx(PLANTED.forbidden, abs=0.06)
    for arm in ("Untouched", "PlaceboOfRenewing", "PlaceboOfUndoing", "LeakyAtStep"):
        assert details[arm][0] == 0
    assert details["PlaceboAgain"][0] == pytest.approx(0.1, abs=0.06)
    # Eight arms of MLPs and four of CNNs.
    assert found["n"] == (8 * 8 + 4) * SEEDS


def test_twins_are_counted_in_pairs() -> None:
    found = settled("F3b")
    assert found["n"] == 2 * 4 * SEEDS
    assert found["details"]["Cells"] == 4
    assert found["details"]["NewlyDead"] == pytest.approx(0.063, abs=0.001)
    # Twins deviate each by itself.
    assert abs(found["details"]["Correlation"]) < 0.4


def test_the_outcomes_of_networks_that_died_in_mass() -> None:
    def lost(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["replicate"] < 5) & ~runs["overflowed"]
        return runs.assign(outcome=runs["outcome"].mask(here, "collapsed"))

    found = settled("F3c", runs=lost)
    assert found["n"] == 9 * SEEDS
    assert found["details"] == {"Cells": 9, "AtTheBest": 0, "Trained": 0.75, "Overflowed": 0}


def test_losses_with_few_living_units_are_named_by_width() -> None:
    found = settled("F4a")
    assert found["n"] == 9 * SEEDS
    for width in ("Thirty", "Hundred", "ThreeHundred"):
        assert found["details"][f"LossTenOf{width}"][0] == pytest.approx(0.05, abs=0.005)
        assert found["details"][f"LossTwoOf{width}"][0] == pytest.approx(0.4, abs=0.005)
    assert [cell["name"] for cell in found["cells"][:3]] == [
        "10 of 30 units",
        "2 of 30 units",
        "10 of 100 units",
    ]


def test_losses_to_the_damage_and_their_parts() -> None:
    dead, nearly = settled("F4b"), settled("F4c")
    loss = PLANTED.damage
    for found, parts in ((dead, {"Lack": PLANTED.strictly}), (nearly, {"Lack": PLANTED.nearly})):
        assert found["details"]["Damage"][0] == pytest.approx(loss, abs=0.005)
        assert found["details"]["Lack"][0] == pytest.approx(loss * parts["Lack"], abs=0.005)
        assert found["n"] == 3 * 3 * SEEDS
        assert [cell["name"] for cell in found["cells"]] == ["SGD, 0.44", "SGD, 0.48", "Adam, 0.03"]
    assert nearly["details"]["LackRandom"][0] == pytest.approx(loss * PLANTED.random, abs=0.005)
    assert nearly["details"]["Part"][0] == pytest.approx(PLANTED.nearly, abs=0.02)
    assert nearly["details"]["RandomPart"][0] == pytest.approx(PLANTED.random, abs=0.02)


def test_the_gain_by_renewing_is_what_is_left_of_the_loss() -> None:
    found = settled("F4d")
    assert found["details"]["RenewalGain"][0] == pytest.approx(PLANTED.damage - PLANTED.renewed, abs=0.005)
    assert found["n"] == 3 * 3 * SEEDS


def test_other_switches_are_printed_and_not_judged() -> None:
    fast, late = settled("F5a"), settled("F5b")
    assert (fast["n"], late["n"]) == (3 * 2 * SEEDS, 2 * 2 * SEEDS)
    assert (fast["details"]["Networks"], late["details"]["Networks"]) == (3 * 4 * SEEDS, 2 * 4 * SEEDS)
    assert fast["details"]["OtherSwitches"] == pytest.approx(0.8, abs=0.02)
    assert late["details"]["OtherSwitches"] == pytest.approx(0.2, abs=0.02)


def test_estimates_are_counted_by_unit_and_interval() -> None:
    ratios, intervals, misled = settled("F6a"), settled("F6b"), settled("F6c")
    networks = (4 + 4 + 1) * SEEDS
    assert ratios["n"] == intervals["n"] == networks
    assert misled["n"] == 4 * SEEDS
    assert intervals["details"] == {"Intervals": 2 * networks}
    # Thirty units active once, 144 others that all examples wake, and ten that none does.
    assert ratios["details"]["Units"] == pytest.approx(networks * (30 + 144 + 10), rel=0.02)
    assert ratios["details"]["AsMany"][0] == pytest.approx(1, abs=0.02)
    assert ratios["details"]["TenTimes"][0] == pytest.approx(1, abs=0.02)
    assert misled["details"]["Momentum"] is None or misled["details"]["Momentum"][0] is None
    assert misled["details"]["Adam"][0] == pytest.approx(144 / 154, abs=0.01)


def test_the_line_is_compared_with_the_best_constant_rate() -> None:
    details = settled("F7a")["details"]
    assert details["Networks"] == 2 * 4 * 4 * SEEDS
    assert details["BalancedAccuracy"] == pytest.approx(1, abs=0.01)
    assert details["ConstantRate"] < 0.9
    # Rates 10, 1 and, with the two larger offsets, 0.1 and 1.
    assert 0 < details["MassDeaths"] < details["Networks"]
