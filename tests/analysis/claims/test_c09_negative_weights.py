"""C9: negative weights."""

import numpy as np
import pandas as pd
import pytest
from small_evidence import Change, SmallEvidence, settled

from dying_relu.analysis.claims import NOT_ENOUGH_DATA, REFUTED, SUPPORTED


def born_dead(share: float) -> Change:
    """Such a share of the units is dead all the time."""

    def change(units: pd.DataFrame) -> pd.DataFrame:
        dead = units["unit"] < share * 12
        return units.assign(dead=dead, inactive=dead, mean_abs_activation=0.0)

    return change


@pytest.mark.parametrize(
    ("share", "verdict", "note"),
    [
        (0.25, REFUTED, "the sign of the pre-activation decides, not that of a weight"),
        (0.5, NOT_ENOUGH_DATA, "the interval includes both many and few"),
        (0.75, SUPPORTED, ""),
    ],
)
def test_c9_asks_how_many_units_are_dead_from_the_start(share: float, verdict: str, note: str) -> None:
    found = settled("C9", units=born_dead(share))
    assert found[["verdict", "note"]].tolist() == [verdict, note]
    assert found["effect"] == pytest.approx(share)


def test_networks_that_start_alike_are_counted_once() -> None:
    """Two data sets, two architectures, three replicates of 24 units, whatever the optimiser and the rate."""
    found = settled("C9")
    assert found["details"]["Units"] == 2 * 2 * 3 * 24
    assert found["n"] == 2 * 2 * 3


def test_c9_asks_networks_with_bias_zero_before_the_first_update() -> None:
    """At other biases, and after the first update, all units are dead."""
    biased = set(SmallEvidence().runs.query("initial_bias != 0")["run"])

    def change(units: pd.DataFrame) -> pd.DataFrame:
        dead = (units["step"] > 0) | units["run"].isin(biased)
        return units.assign(dead=dead, inactive=dead, mean_abs_activation=0.0)

    found = settled("C9", units=change)
    assert (found["effect"], found["details"]["Units"]) == (0, 288)
    nowhere = settled("C9", runs=lambda t: t.assign(initial_bias=t["initial_bias"] - 1))
    assert nowhere["note"] == "the experiment 'recovery' has no initial bias of 0"


def test_c9_pools_over_data_sets_and_architectures() -> None:
    """One network of the four is dead as a whole."""
    here = set(SmallEvidence().runs.query("dataset == 'mnist' and architecture == 'cnn'")["run"])

    def change(units: pd.DataFrame) -> pd.DataFrame:
        dead = units["run"].isin(here)
        return units.assign(dead=dead, inactive=dead, mean_abs_activation=0.0)

    assert settled("C9", units=change)[["effect", "low", "high"]].tolist() == [0.25] * 3


@pytest.mark.parametrize(
    ("first", "deeper", "said"),
    [
        (0.3, 0.3, "first layer and deeper layers"),
        (0.3, 0.0, "first layer"),
        (0.04, 0.06, "deeper layers"),
        (0.04, 0.04, ""),
        (-0.3, -0.3, ""),
    ],
)
def test_negative_weights_of_units_that_die_are_reported(first: float, deeper: float, said: str) -> None:
    def turned(units: pd.DataFrame) -> pd.DataFrame:
        excess = np.where(units["depth"] == 1, first, deeper) * units["dead"]
        return units.assign(negative_weights=0.5 + excess)

    found = settled("C9", units=turned)
    assert found["verdict"] == REFUTED
    more = f"; yet dead units have more negative weights ({said})" if said else ""
    assert found["note"] == f"the sign of the pre-activation decides, not that of a weight{more}"
    assert found["details"]["DeadFirst"] == pytest.approx([first] * 3, abs=1e-6)
    assert found["details"]["DeadDeeper"] == pytest.approx([deeper] * 3, abs=1e-6)


def test_dead_units_are_compared_with_living_ones_of_their_layer_at_the_end() -> None:
    """Layers differ much, and so do other checkpoints; within a layer, at the end, all units are alike but for the dead."""

    def change(units: pd.DataFrame) -> pd.DataFrame:
        last = units.groupby("run")["step"].transform("max")
        network = units["run"].str[-2:].astype(int) % 10 / 20
        share = (network + 0.1 * units["dead"]).where(units["step"] == last, 1.0 * units["dead"])
        return units.assign(negative_weights=share)

    found = settled("C9", units=change)["details"]
    assert found["DeadFirst"] == pytest.approx([0.1] * 3, abs=1e-6)
    assert found["DeadDeeper"] == pytest.approx([0.1] * 3, abs=1e-6)


def test_the_update_that_kills_is_asked_how_it_turned_the_weights() -> None:
    found = settled("C9", units=lambda t: t.assign(negative_weights=0.5 + 0.25 * t["dead"]))
    assert found["details"]["AtDeath"] == pytest.approx([0.25] * 3)
    still = settled("C9", units=lambda t: t.assign(dead=False))["details"]
    assert set(still) == {"Units"}
