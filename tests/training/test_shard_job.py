"""What a shard leaves behind: laws that every trained network obeys, whatever was learned."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_shard import shard_of, tables

from dying_relu.data import Dataset
from dying_relu.errors import DyingReluError
from dying_relu.training.shard_job import train
from dying_relu.training.trainer import minibatch_order

FRACTIONS = {
    "dead_fraction": "dead_all",
    "dead_fraction_probe": "dead",
    "new_dead_fraction": "new_dead_all",
    "nearly_dead_fraction": "nearly_dead",
    "inactive_fraction": "inactive",
}
"""Column of the runs -> of the layers at the end."""


@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
def test_networks_learn_and_tables_agree_with_each_other(
    architecture: str, data: Dataset, tmp_path: Path
) -> None:
    shard = shard_of(architecture=[architecture], activation=["relu", "gelu"], learning_rate=[0.05, 0.1])
    written = tables(shard, data, tmp_path)
    runs, layers, units = written["runs"], written["layers"], written["units"]
    assert list(runs["run"]) == [run.id for run in shard.runs]
    loss = written["checkpoints"].groupby("run")["train_loss"]
    assert (loss.last() < loss.first()).all()
    assert set(written["checkpoints"]["step"]) == set(shard.checkpoints)
    last = layers[(layers["step"] == shard.steps) & (layers["probe"] == "train")].groupby("run")
    total = last[["units", *FRACTIONS.values()]].sum()
    for fraction, count in FRACTIONS.items():
        expected = runs.set_index("run")[fraction].loc[total.index]
        pd.testing.assert_series_equal(
            total[count] / total["units"], expected, check_names=False, check_dtype=False
        )
    assert (
        runs["dead_on_both_fraction"] <= runs[["dead_fraction_probe", "dead_fraction_test"]].min(axis=1)
    ).all()
    counted = units[units["step"] == shard.steps].groupby("run")["dead"].sum()
    assert (counted == total["dead"]).all()


def test_a_large_negative_bias_kills_every_unit_for_ever_and_nothing_below_the_output_moves(
    data, tmp_path
) -> None:
    written = tables(shard_of(initial_bias=[-1000.0]), data, tmp_path)
    run = written["runs"].iloc[0]
    assert (run["dead_fraction"], run["born_dead_fraction"], run["revived_fraction"]) == (1.0, 1.0, 0.0)
    moved = written["units"].groupby(["layer", "unit"])[["bias", "weight_norm"]].nunique()
    assert (moved == 1).all(axis=None)


def test_units_dead_in_the_first_layer_under_sgd_never_revive(data, tmp_path) -> None:
    written = tables(shard_of(initial_bias=[-60.0], learning_rate=[0.3]), data, tmp_path)
    first = written["layers"].query("layer == 'linear1' and probe == 'train'")
    assert first["dead"].iloc[0] > 0
    assert first["revived"].sum() == 0


def test_tanh_units_never_die(data, tmp_path) -> None:
    written = tables(shard_of(activation=["tanh"], initial_bias=[-1000.0]), data, tmp_path)
    assert written["layers"]["dead"].sum() == 0


def test_an_overflow_is_a_divergence_with_its_step(data, tmp_path) -> None:
    written = tables(shard_of(learning_rate=[0.01, 1e25]), data, tmp_path)
    runs = written["runs"].set_index("learning_rate")
    assert runs["overflowed"].to_dict() == {0.01: False, 1e25: True}
    assert runs["outcome"].to_dict() == {0.01: "trained", 1e25: "diverged"}
    assert runs.loc[1e25, "peak_loss"] == float("inf")
    step = runs.loc[1e25, "overflow_step"]
    assert 0 < step < 40
    assert runs.loc[1e25].filter(like="fraction").isna().all()
    assert runs.loc[1e25, ["train_loss", "test_accuracy"]].isna().all()
    layers, checkpoints = (
        table[table["run"] == runs.loc[1e25, "run"]] for table in (written["layers"], written["checkpoints"])
    )
    assert (layers["step"] <= step).all()
    assert checkpoints.loc[checkpoints["step"] > step, "overflowed"].all()


def test_a_run_does_not_depend_on_its_shard(data, tmp_path) -> None:
    many = tables(
        shard_of(learning_rate=[0.01, 0.05, 0.1], initial_bias=[0.0, -1.0]), data, tmp_path / "many"
    )
    one = tables(shard_of(learning_rate=[0.05], initial_bias=[-1.0]), data, tmp_path / "one")
    for name in ("runs", "layers", "units", "checkpoints"):
        same = many[name].set_index("run").loc[one[name]["run"].unique()]
        where = [column for column in ("shard", "stack_size") if column in same]
        pd.testing.assert_frame_equal(
            same.drop(columns=where), one[name].set_index("run").drop(columns=where), check_exact=True
        )


@pytest.mark.parametrize("optimiser", ["sgd_clipped", "adam_recycled"])
@pytest.mark.parametrize("architecture", ["mlp", "mlp_batch_norm", "cnn_layer_norm"])
def test_a_run_with_remedies_does_not_depend_on_other_initialisations_in_its_shard(
    architecture: str, optimiser: str, data, tmp_path
) -> None:
    same = {"architecture": [architecture], "optimiser": [optimiser], "initial_bias": [-3.0]}
    many = tables(shard_of(**same, initialisation=["default", "he", "lecun"]), data, tmp_path / "many")
    one = tables(shard_of(**same, initialisation=["he"]), data, tmp_path / "one")
    for name in ("runs", "layers", "units", "checkpoints"):
        alike = many[name].set_index("run").loc[one[name]["run"].unique()]
        where = [column for column in ("shard", "stack_size") if column in alike]
        pd.testing.assert_frame_equal(
            alike.drop(columns=where), one[name].set_index("run").drop(columns=where), check_exact=True
        )


def test_units_are_counted_before_they_are_recycled(data, tmp_path) -> None:
    """Or a study whose last step is a multiple of ``recycle_every`` would find no dead units, whatever training did."""
    change = {"optimiser": ["adam_recycled"], "initial_bias": [-1000.0], "learning_rate": [1e-6]}
    at_the_end = tables(replace(shard_of(**change), steps=10, checkpoints=(0, 10)), data, tmp_path / "a")
    afterwards = tables(replace(shard_of(**change), steps=11, checkpoints=(0, 10, 11)), data, tmp_path / "b")
    assert at_the_end["runs"]["dead_fraction"].item() == 1.0
    counted = afterwards["layers"].query("probe == 'train'").groupby("step")[["dead", "units"]].sum()
    dead = counted["dead"] / counted["units"]
    assert dead.loc[10] == 1.0
    assert dead.loc[11] < 0.5


def test_same_shard_same_bits(data, tmp_path) -> None:
    shard = shard_of(optimiser=["adam"], activation=["prelu"], learning_rate=[0.01])
    first, second = tables(shard, data, tmp_path / "a"), tables(shard, data, tmp_path / "b")
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name], check_exact=True)
    assert first["layers"].query("step == 40")["slope"].ne(0.25).all()


def test_minibatches_cover_an_epoch_once_and_depend_on_the_seed_only() -> None:
    batches = minibatch_order(100, 32, seed=1)
    epoch = torch.cat([next(batches) for _ in range(3)])
    assert len(epoch.unique()) == 96
    assert torch.equal(next(minibatch_order(100, 32, seed=1)), epoch[:32])
    assert not torch.equal(next(minibatch_order(100, 32, seed=2)), epoch[:32])


def test_another_data_set_than_the_shards_is_refused(data, tmp_path) -> None:
    shard = shard_of()
    with pytest.raises(DyingReluError, match="wrong data set: found cifar10; expected mnist"):
        train(shard, replace(data, name="cifar10"), tmp_path / shard.name)
    assert list(tmp_path.iterdir()) == []


def test_networks_whose_squares_overflow_and_whose_loss_does_not_have_rows(
    data: Dataset, tmp_path: Path
) -> None:
    """Pre-activations of 1e20 have squares beyond single precision."""
    shard = shard_of(learning_rate=[1e10, 1e12])
    layers = tables(replace(shard, steps=1, checkpoints=(0, 1)), data, tmp_path)["layers"]
    assert np.isinf(layers["pre_activation_sd"]).any()
    assert layers["dead"].notna().all()
