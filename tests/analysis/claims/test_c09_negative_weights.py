"""C9: updates that kill, and negative weights."""

import pandas as pd
import pytest
from planted_study import evidence, settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF, NOT_SETTLED


@pytest.mark.parametrize(("turn", "verdict"), [(0.02, HOLDS), (0.005, DOES_NOT_HOLD), (-0.05, DOES_NOT_HOLD)])
def test_an_update_that_kills_has_to_turn_weights_negative(turn: float, verdict: str) -> None:
    found = settled("C9", turn=turn)
    assert found["verdict"] == verdict
    assert found["details"]["First"][0] == pytest.approx(turn, abs=1e-6)


def test_first_and_deeper_layers_are_never_averaged_to_a_verdict() -> None:
    """Killing updates turn weights negative where inputs are never negative, and positive in the first layer."""

    def by_layer(units: pd.DataFrame) -> pd.DataFrame:
        deeper = units["dead"] & (units["depth"] == 2)
        return units.assign(negative_weights=units["negative_weights"] + 0.2 * deeper)

    found = settled("C9", turn=-0.05, units=by_layer)
    assert found[["verdict", "condition"]].tolist() == [HOLDS_ONLY_IF, "in the deeper layers"]
    assert {cell["name"] for cell in found["cells"]} >= {"deeper layers"}


def test_what_happens_to_living_units_at_the_same_time_is_subtracted() -> None:
    def everywhere(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(negative_weights=units["negative_weights"] + 0.01 * units["step"])

    assert settled("C9", turn=0.0, units=everywhere)["verdict"] == DOES_NOT_HOLD


def test_without_deaths_nothing_is_settled() -> None:
    def spared(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(dead=False, dead_all=False)

    found = settled("C9", units=spared)
    assert found[["verdict", "note"]].tolist() == [NOT_SETTLED, "no recorded unit dies in training"]


def test_literally_units_that_die_had_more_negative_weights_before() -> None:
    def marked(units: pd.DataFrame) -> pd.DataFrame:
        dies = units["unit"] % 2 == 0
        return units.assign(negative_weights=units["negative_weights"] + 0.1 * dies)

    assert settled("C9", units=marked)["literal"] == HOLDS


def test_a_cell_in_which_no_network_trained_is_open() -> None:
    def none_trains(runs: pd.DataFrame) -> pd.DataFrame:
        lost = (runs["experiment"] == "anatomy") & (runs["inputs"] == "raw")
        return runs.assign(outcome=runs["outcome"].mask(lost, "collapsed"))

    found = settled("C9", runs=none_trains)
    assert found["verdict"] == NOT_SETTLED
    assert {cell["name"]: cell["state"] for cell in found["cells"]}["first layer, raw inputs"] == "open"


def test_a_condition_names_every_cell_that_holds() -> None:
    """In the first layer of raw inputs killing updates turn weights positive."""
    raw = evidence().runs.query("inputs == 'raw'")["run"]

    def positive(units: pd.DataFrame) -> pd.DataFrame:
        here = units["run"].isin(raw) & units["dead"] & (units["depth"] == 1)
        return units.assign(negative_weights=units["negative_weights"] - 0.2 * here)

    found = settled("C9", units=positive)
    assert found["verdict"] == HOLDS_ONLY_IF
    assert found["condition"] == "in the first layer, standardised inputs and the deeper layers"
