"""Rows have the columns of their schemas, and rows of networks that overflowed are left out or empty."""

from dataclasses import replace

import pytest
import torch
from small_shard import shard_of

from dying_relu.data import Dataset
from dying_relu.results import schemas
from dying_relu.training.recorder import Recorder
from dying_relu.training.rows import FLAGS, FLAGS_OF_UNITS
from dying_relu.training.stack_training import StackTraining
from dying_relu.units import definitions
from dying_relu.units.statistics import UnitStatistics


@pytest.fixture(scope="module")
def recorder(data: Dataset) -> Recorder:
    shard = replace(shard_of(learning_rate=[0.05, 1e25]), activity_counts=True)
    return StackTraining(shard, shard.runs, data).finish()


@pytest.mark.parametrize("name", schemas.TABLES)
def test_the_columns_are_those_of_the_schema_in_their_order(recorder: Recorder, name: str) -> None:
    assert list(recorder.tables()[name].columns) == list(schemas.TABLES[name].columns)


def test_a_network_that_overflowed_has_no_more_layers_and_units(recorder: Recorder) -> None:
    tables = recorder.tables()
    (overflowed,) = tables["runs"].loc[tables["runs"]["overflowed"], "run"]
    for name in ("layers", "units"):
        steps = tables[name].groupby("run")["step"].max()
        assert steps[overflowed] < steps.drop(overflowed).item()
    assert set(tables["checkpoints"].groupby("run").size()) == {len(recorder.stack.shard.checkpoints)}


def test_every_definition_of_a_unit_is_counted() -> None:
    z = torch.tensor([[1.0, 2.0], [-1.0, -2.0], [-1.0, 0.01]])
    statistics = UnitStatistics.of(z, z.relu(), (z > 0).float(), axis=-1)
    found = {name: flag(statistics).tolist() for name, flag in FLAGS.items()}
    assert (
        found["dead"] == found["inactive"] == found["saturated"] == found["dormant_0"] == [False, True, False]
    )
    assert found["dormant_0025"] == [False, True, True]
    assert found["nearly_dead"] == [False, False, False]
    assert set(found) == {"dead", "nearly_dead", "inactive", "saturated", *definitions.DORMANT_TAUS}
    assert set(FLAGS_OF_UNITS) <= set(FLAGS)
