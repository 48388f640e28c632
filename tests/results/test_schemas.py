"""Each law of the tables is broken by a row that contradicts it, and by no sound one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dying_relu.results import schemas
from dying_relu.results.store import checked
from dying_relu.training.activity import EXAMPLES
from dying_relu.units import definitions

LAYER = {
    "run": "a", "step": 5, "layer": "linear1", "depth": 1, "probe": "train", "units": 10,
    "dead": 4, "nearly_dead": 2, "inactive": 5, "saturated": 4, "dormant_0": 4, "dormant_0025": 6, "dormant_01": 7,
    "died": 1, "revived": 0, "active_share": 0.3, "slope": 0.0, "dead_all": 3, "new_dead_all": 2,
    "offset_share": 0.3, "input_mean_norm": 1.0, "input_mean_norm_1": 2.0, "pre_activation_sd": 1.0, "effective_bias": -1.0,
}  # fmt: skip
ACTIVITY = {
    "run": "a", "layer": "linear1", "depth": 1, "unit": 0, "examples": 500, "active": 3, "born_dead": False,
}  # fmt: skip


def rows(sound: dict, **changes) -> pd.DataFrame:
    return pd.DataFrame([sound | changes])[list(sound)]


def faults(name: str, table: pd.DataFrame) -> str:
    try:
        checked(name, table, Path(name))
    except Exception as error:  # noqa: BLE001
        return str(error)
    return ""


@pytest.mark.parametrize(
    "changes", [{}, {"dead_all": np.nan, "new_dead_all": np.nan}, {"offset_share": np.nan}]
)
def test_a_sound_row_of_layers_is_accepted(changes: dict) -> None:
    assert not faults("layers", rows(LAYER, **changes))


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"dead_all": 5}, "dead_all <= dead"),
        ({"new_dead_all": 4}, "new_dead_all <= dead_all"),
        ({"new_dead_all": np.nan}, "dead_all iff new_dead_all"),
        ({"probe": "test"}, "dead on all only on the training probe set"),
        ({"nearly_dead": 7}, "dead and nearly dead are apart"),
        ({"offset_share": 1.5}, "offset_share"),
        ({"inactive": 3}, "dead <= inactive"),
    ],
)
def test_a_row_of_layers_that_contradicts_itself_is_refused(changes: dict, broken: str) -> None:
    assert broken in faults("layers", rows(LAYER, **changes))


@pytest.mark.parametrize(
    ("changes", "broken"),
    [({}, ""), ({"active": 501}, "active <= examples"), ({"examples": 0, "active": 0}, "examples")],
)
def test_the_laws_of_activity(changes: dict, broken: str) -> None:
    assert broken in faults("activity", rows(ACTIVITY, **changes))


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        (lambda run: {"outcome": "trained", "constant": True}, "what is constant has not trained"),
        (lambda run: {"outcome": "died"}, "outcome"),
        (lambda run: {"initial_loss": run["peak_loss"] + 1}, "initial_loss <= peak_loss"),
        (
            lambda run: {"dead_fraction": 1.0, "dead_fraction_probe": 0.5},
            "dead_fraction <= dead_fraction_probe",
        ),
        (lambda run: {"dead_fraction": 0.0, "new_dead_fraction": 0.5}, "new_dead_fraction <= dead_fraction"),
    ],
)
def test_the_laws_of_runs(changes, broken: str, small_study: Path) -> None:
    runs = pd.read_parquet(small_study / "runs.parquet").query("outcome == 'trained'").iloc[:1]
    assert not faults("runs", runs)
    assert broken in faults("runs", runs.assign(**changes(runs.iloc[0])))


def test_a_run_that_overflowed_has_diverged(small_study: Path) -> None:
    runs = pd.read_parquet(small_study / "runs.parquet").query("overflowed").iloc[:1]
    assert not faults("runs", runs)
    assert "what overflowed has diverged" in faults("runs", runs.assign(outcome="collapsed"))


def test_outcomes_are_called_as_in_their_definition() -> None:
    assert (schemas.DIVERGED, schemas.COLLAPSED, schemas.TRAINED) == definitions.OUTCOMES


def test_numbers_of_examples_are_those_that_are_counted() -> None:
    description = schemas.ACTIVITY.columns["examples"].description
    assert ", ".join(map(str, EXAMPLES)) in description
