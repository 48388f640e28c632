"""Counts of the examples on which units are active against brute force, as a table with its laws."""

from dataclasses import replace

import pytest
import torch
from small_shard import shard_of

from dying_relu.data import Dataset
from dying_relu.results import schemas
from dying_relu.training import activity
from dying_relu.training.models import as_inputs
from dying_relu.training.stack_training import StackTraining


@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
def test_counts_equal_brute_force(architecture: str, data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "EXAMPLES", (50, 110, 400, 5500))
    small = shard_of(architecture=[architecture], initial_bias=[0.0, -2.0], learning_rate=[0.05, 1e25])
    shard = replace(small, activity_counts=True, probe_train=100)
    training = StackTraining(shard, shard.runs, data)
    table = schemas.ACTIVITY.validate(training.finish().tables()["activity"])
    overflowed = training.recorder.history.overflowed
    assert sorted(table["examples"].unique()) == [50, 110, 400]
    assert set(table["run"]) == {run.id for run, lost in zip(shard.runs, overflowed, strict=True) if not lost}
    counts = table.set_index(["run", "layer", "examples", "unit"])["active"].sort_index()
    network = training.trainer.network
    for hidden, z in network.trace(as_inputs(shard.architecture, data.train_images)):
        if hidden is None:
            continue
        # (K, U, N)
        active = z > 0 if z.dim() == 3 else (z > 0).flatten(3).any(3).movedim(2, 1)
        for k, run in enumerate(shard.runs):
            for number in (50, 110, 400) if not overflowed[k] else ():
                expected = active[k, :, :number].sum(1).tolist()
                assert counts.loc[(run.id, hidden.name, number)].tolist() == expected


def test_units_that_were_born_dead_say_so(data: Dataset) -> None:
    shard = replace(shard_of(initial_bias=[-60.0]), activity_counts=True)
    table = StackTraining(shard, shard.runs, data).finish().tables()["activity"]
    assert table["born_dead"].all()
    assert table["active"].eq(0).all()
    assert torch.tensor(table["examples"].unique()).tolist() == [400]


def test_nothing_is_counted_unless_it_is_asked_for(data: Dataset) -> None:
    shard = shard_of()
    assert StackTraining(shard, shard.runs, data).finish().tables()["activity"].empty
