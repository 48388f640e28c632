"""Spells of death and how long they last."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dying_relu.analysis.inference.survival import band, spells, still_dead

STEPS = (0, 1, 2, 4, 8)


def units(*lives: str) -> pd.DataFrame:
    """A row a unit and checkpoint; ``lives``: a letter a checkpoint, d for dead."""
    return pd.DataFrame(
        [
            {
                "run": "r",
                "layer": "linear1",
                "unit": unit,
                "step": step,
                "dead": state == "d",
                "replicate": unit,
            }
            for unit, life in enumerate(lives)
            for step, state in zip(STEPS, life, strict=True)
        ]
    )


def test_a_spell_lasts_from_the_first_death_to_the_first_revival() -> None:
    found = spells(units("aaaaa", "daaaa", "adddd", "addad", "aaaad", "ddddd"))
    assert found.set_index("unit")[["duration", "revived", "born_dead"]].to_dict("index") == {
        1: {"duration": 1.0, "revived": True, "born_dead": True},
        2: {"duration": 7.0, "revived": False, "born_dead": False},
        3: {"duration": 3.0, "revived": True, "born_dead": False},
        5: {"duration": 8.0, "revived": False, "born_dead": True},
    }


def test_without_censoring_it_is_the_share_that_lasts_longer() -> None:
    ended = pd.DataFrame({"duration": [1.0, 2.0, 2.0, 5.0], "revived": True})
    assert still_dead(ended, np.array([0.5, 1.0, 2.0, 5.0])) == pytest.approx([1, 0.75, 0.25, 0])


def test_a_censored_spell_counts_for_as_long_as_it_was_seen() -> None:
    """The textbook product: at 2 one of three ends, at 5 one of one."""
    found = pd.DataFrame({"duration": [2.0, 3.0, 5.0], "revived": [True, False, True]})
    assert still_dead(found, np.array([2.0, 4.0, 5.0])) == pytest.approx([2 / 3, 2 / 3, 0])


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=30))
def test_the_curve_falls_from_one_and_its_band_holds_it_for_one_replicate(
    found: list[tuple[int, bool]],
) -> None:
    table = pd.DataFrame(found, columns=["duration", "revived"]).assign(replicate=0)
    steps = np.arange(0, 21)
    curve = still_dead(table, steps)
    assert curve[0] == 1
    assert (np.diff(curve) <= 1e-12).all()
    low, high = band(table, steps)
    assert low == pytest.approx(curve)
    assert high == pytest.approx(curve)


def test_the_band_of_spells_that_ended_is_the_interval_of_a_share_over_seeds() -> None:
    lasts = np.array([1.0] * 7 + [9.0] * 5)
    table = pd.DataFrame({"duration": lasts, "revived": True, "replicate": range(12)})
    low, high = band(table, np.array([5.0]))
    share = (lasts > 5).astype(float)
    expected = stats.t.interval(0.95, 11, share.mean(), stats.sem(share))
    assert (low[0], high[0]) == pytest.approx(expected)


def test_two_seeds_have_a_band() -> None:
    """Of two seeds that differ altogether it is all there is."""
    table = pd.DataFrame({"duration": [1.0, 9.0], "revived": True, "replicate": [0, 1]})
    low, high = band(table, np.array([5.0]))
    assert (low[0], high[0]) == (0, 1)
