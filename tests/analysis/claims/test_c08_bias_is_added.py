"""C8: two updates in one line."""

import pandas as pd
from planted_study import settled

from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, NOT_SETTLED


def test_it_holds_trivially_and_not_literally() -> None:
    found = settled("C8")
    assert found[["verdict", "literal", "effect"]].tolist() == [HOLDS, DOES_NOT_HOLD, 0.0]
    assert found["details"]["Updates"] > 0


def test_weights_that_move_at_every_update_of_a_dead_unit_would_speak_for_the_formula() -> None:
    def moving(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(weight_norm=1.0 + units["step"])

    assert settled("C8", units=moving)["literal"] == HOLDS


def test_updates_that_were_not_recorded_leave_the_literal_reading_open() -> None:
    found = settled("C8", runs=lambda runs: runs[runs["experiment"] != "anatomy"])
    assert found[["verdict", "literal"]].tolist() == [HOLDS, NOT_SETTLED]


def test_a_cell_in_which_no_network_trained_is_open() -> None:
    def none_trains(runs: pd.DataFrame) -> pd.DataFrame:
        anatomy = runs[runs["experiment"] == "anatomy"]
        other = anatomy.assign(dataset="cifar10", outcome="collapsed", run="other-" + anatomy["run"])
        return pd.concat([runs, other], ignore_index=True)

    assert settled("C8", runs=none_trains)["literal"] == NOT_SETTLED
