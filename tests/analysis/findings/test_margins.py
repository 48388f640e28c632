"""Numbers near a margin: a cell's number is the mean or the median that the plan asks for, of the settings that it names."""

import pytest
from planted_findings import SD, evidence, settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS
from dying_relu.analysis.findings.law import scales


@pytest.mark.parametrize(
    ("error", "verdict"), [(0.095, HOLDS), (-0.09, HOLDS), (0.11, DOES_NOT_HOLD), (-0.11, DOES_NOT_HOLD)]
)
def test_the_part_of_the_bias_is_that_of_the_median_unit(error: float, verdict: str) -> None:
    """The part of the last unit that dies is larger by 0.014 than the median, that of the first smaller."""
    assert settled("F1e", bias_part_error=error)["verdict"] == verdict


def test_coverage_is_a_share_of_a_seeds_networks() -> None:
    """Half as many units again as expected are in the intervals of some networks of every seed."""
    found = settled("F6b", wake=1.5)
    assert found["verdict"] == DOES_NOT_HOLD
    assert 0.5 < found["effect"] < 0.85


@pytest.mark.parametrize(
    ("finding", "settings"),
    [
        ("F5a", ["SGD, rate 0.44", "Adam, rate 0.02", "Adam, rate 0.04"]),
        ("F5b", ["momentum, rate 0.1", "momentum, rate 0.13"]),
    ],
)
def test_when_units_die_is_asked_at_the_plans_rates_and_switches(finding: str, settings: list[str]) -> None:
    names = {cell["name"] for cell in settled(finding)["cells"]}
    assert names == {f"{setting}, {switch}" for setting in settings for switch in ("none", "low until 100")}


def test_the_twins_newly_dead_shares_are_averaged() -> None:
    assert settled("F3b")["details"]["NewlyDead"] == pytest.approx(0.063, abs=0.001)


def test_the_effect_of_few_living_units_is_the_mean_distance_to_the_margin() -> None:
    assert settled("F4a")["effect"] == pytest.approx((0.05 + 0.3) / 2, abs=0.002)


def test_a_mean_that_is_small_has_a_scale() -> None:
    known = evidence()
    found = scales(known, known.experiment("mean_biases"))
    assert found.loc[("mnist", "mlp", "components_1"), "sgd"] == pytest.approx(SD / 0.7**2)
