"""C3: recovery of silent units."""

import numpy as np
import pandas as pd
import pytest
from planted_study import settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, NOT_SETTLED


@pytest.mark.parametrize(("share", "verdict"), [(0.0, HOLDS), (0.3, HOLDS), (0.7, DOES_NOT_HOLD)])
def test_a_silent_unit_is_unlikely_to_be_active_at_the_next_checkpoint(share: float, verdict: str) -> None:
    found = settled("C3", wakes=share)
    assert found["verdict"] == verdict
    assert found["effect"] == pytest.approx(share, abs=0.05)
    # Units wake at the last checkpoint.
    assert found["details"]["AtTheEnd"][0] == pytest.approx(share, abs=0.05)


def test_the_literal_reading_is_about_one_example() -> None:
    def woken(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(woken_examples=units["woken_examples"].where(units["step"] == 0, 0.8))

    found = settled("C3", units=woken)
    assert found[["verdict", "literal"]].tolist() == [HOLDS, DOES_NOT_HOLD]
    assert found["details"]["PerExample"][0] == pytest.approx(0.8)


def test_units_that_were_not_counted_on_all_examples_settle_nothing() -> None:
    found = settled(
        "C3", units=lambda units: units.assign(dead_all=pd.array([pd.NA] * len(units), "boolean"))
    )
    assert found["verdict"] == NOT_SETTLED
    assert "no recorded units" in found["note"]


def test_a_case_of_a_unit_that_is_active_elsewhere_is_counted_by_its_examples() -> None:
    """Units that are dead sleep on every example, the others on seven of ten."""
    found = settled("C3")
    asleep = {"dead": 1.0, "alive": 0.7}
    # Of the two intervals between checkpoints half of the units begin one of them dead.
    share = 3 * asleep["alive"] / (3 * asleep["alive"] + asleep["dead"])
    assert np.isclose(found["details"]["AliveElsewhere"][0], share)


def test_how_many_minibatches_a_channel_sleeps_on_is_not_known() -> None:
    def channels(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(layer=units["layer"].str.replace("linear", "conv"))

    details = settled("C3", units=channels)["details"]
    assert details["PerMinibatch"][0] is None
    assert details["PerExample"][0] is not None
