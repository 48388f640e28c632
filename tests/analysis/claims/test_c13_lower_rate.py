"""C13: a tenth of the rate."""

import pandas as pd
import pytest
from planted_study import HIGH, settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, NOT_SETTLED


@pytest.mark.parametrize(("rise", "verdict"), [(0.1, HOLDS), (0.02, DOES_NOT_HOLD), (-0.2, DOES_NOT_HOLD)])
def test_a_tenth_of_the_rate_has_to_spare_five_points(rise: float, verdict: str) -> None:
    assert settled("C13", rise=rise)["verdict"] == verdict


def test_settings_in_which_no_unit_dies_are_only_in_the_literal_reading() -> None:
    """Units die, and are spared by a lower rate, under Adam only: in two of seven settings."""
    found = settled(
        "C13",
        dead=lambda network: 0.4 if network["optimiser"] == "adam" else 0.0,
        rise=lambda network: 0.3 if network["optimiser"] == "adam" else 0.0,
    )
    assert found[["verdict", "literal"]].tolist() == [HOLDS, DOES_NOT_HOLD]
    assert (found["details"]["Settings"], found["details"]["AllSettings"]) == (8, 28)
    assert found["details"]["ByBias"] == "100 % at bias 0, 100 % at bias -2"


def test_without_deaths_nothing_is_settled() -> None:
    found = settled("C13", dead=0.0, rise=0.0)
    assert found[["verdict", "note"]].tolist() == [
        NOT_SETTLED,
        "in no setting do units die at the high rate",
    ]


def test_networks_that_collapsed_count_and_those_that_overflowed_do_not() -> None:
    assert settled("C13", runs=lambda runs: runs.assign(outcome="collapsed"))["verdict"] == HOLDS

    def overflowed(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["learning_rate"] == 0.3) & (runs["replicate"] < 20)
        shares = [name for name in runs if name.endswith(("_fraction", "_fraction_test", "_fraction_probe"))]
        changed = runs.assign(**{name: runs[name].mask(here) for name in shares})
        return changed.assign(
            overflowed=here,
            outcome=runs["outcome"].mask(here, "diverged"),
            overflow_step=runs["overflow_step"].mask(here, 5),
        )

    found = settled("C13", runs=overflowed)
    assert found["verdict"] == HOLDS
    assert found["details"]["Settings"] == 28


def test_the_settings_that_are_helped_are_counted_by_bias() -> None:
    found = settled("C13", rise=lambda network: 0.3 if network["optimiser"] == "adam" else 0.0)
    assert found["details"]["ByBias"] == "33 % at bias 0, 33 % at bias -2, 0 % at bias -4"


def test_a_fall_by_five_points_is_enough() -> None:
    def falls_to(low: float) -> pd.Series:
        def change(runs: pd.DataFrame) -> pd.DataFrame:
            high = runs["learning_rate"] == runs["optimiser"].map(HIGH)
            dead = pd.Series(low, runs.index).mask(high, 0.05)
            return runs.assign(dead_fraction=dead, dead_fraction_probe=dead, new_dead_fraction=dead)

        return settled("C13", runs=change)

    assert falls_to(0.0)["verdict"] == HOLDS
    assert falls_to(0.001)["verdict"] == DOES_NOT_HOLD
