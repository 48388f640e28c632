"""Counts on all examples equal brute force in float64, network by network, in plain PyTorch."""

from dataclasses import replace

import pandas as pd
import plain
import pytest
import torch
from small_shard import shard_of
from torch import Tensor, nn
from torch.nn import functional

from dying_relu.data import Dataset
from dying_relu.plan.shard import Shard
from dying_relu.results import schemas
from dying_relu.stack.network import Network
from dying_relu.training.recorder import Recorder
from dying_relu.training.stack_training import StackTraining
from dying_relu.units import definitions

GRID = {"learning_rate": [0.02, 0.3, 1e25], "initial_bias": [0.0, -2.0, -60.0]}
"""Among them networks that train, that lose units, that overflow, and whose every unit is dead from the start."""


def finished(shard: Shard, data: Dataset) -> tuple[Recorder, Network]:
    training = StackTraining(shard, shard.runs, data)
    return training.finish(), training.trainer.network


class BruteForce:
    """One network on all examples at once, in float64: its logits, and each unit's outputs and derivatives."""

    def __init__(self, shard: Shard, network: Network, k: int, data: Dataset) -> None:
        self.plain = plain.network(
            shard.architecture, shard.runs[k], data.train_images.shape[1:], data.classes
        )
        plain.copy_parameters(network, k, self.plain)
        self.plain.double()
        modules = [module for module in self.plain if type(module) in ACTIVATIONS]
        self.seen: list[tuple[Tensor, Tensor]] = []
        for module in modules:
            module.register_forward_hook(lambda module, inputs, output: self._see(module, *inputs, output))

    def _see(self, module: nn.Module, z: Tensor, output: Tensor) -> None:
        with torch.enable_grad():
            leaf = z.detach().clone().requires_grad_()
            (gradient,) = torch.autograd.grad(ACTIVATIONS[type(module)](leaf).sum(), leaf)
        self.seen.append((output, gradient))

    def logits(self, images: Tensor) -> Tensor:
        self.seen.clear()
        with torch.no_grad():
            return self.plain(images.double())

    def dead(self, images: Tensor) -> list[Tensor]:
        """For each hidden layer (U,) bool."""
        self.logits(images)
        silent = [(output == 0) & (gradient == 0) for output, gradient in self.seen]
        # Examples first, then units, then positions, if there are any.
        return [flags.flatten(2).all(2).all(0) if flags.dim() > 2 else flags.all(0) for flags in silent]


ACTIVATIONS = {
    nn.ReLU: functional.relu,
    nn.LeakyReLU: lambda z: functional.leaky_relu(z, 0.01),
    nn.ELU: functional.elu,
}


@pytest.mark.parametrize("activation", ["relu", {"name": "leaky_relu", "slope": 0.01}, "elu"])
@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
def test_counts_and_answers_equal_brute_force_in_float64(
    architecture: str, activation, data: Dataset
) -> None:
    small = shard_of(architecture=[architecture], activation=[activation], **GRID)
    shard = replace(small, probe_train=60, probe_test=50, count_all="checkpoints")
    start = StackTraining(shard, shard.runs, data).trainer.network
    recorder, network = finished(shard, data)
    tables = recorder.tables()
    runs, layers = (
        tables["runs"].set_index("run"),
        tables["layers"].set_index(["run", "step", "probe"]).sort_index(kind="stable"),
    )
    assert runs["overflowed"].any()
    for k, run in enumerate(shard.runs):
        row = runs.loc[run.id]
        born = BruteForce(shard, start, k, data).dead(data.train_images)
        assert layers.loc[(run.id, 0, "train"), "dead_all"].tolist() == [int(flags.sum()) for flags in born]
        if row["overflowed"]:
            assert row[["train_loss", "test_accuracy", "dead_fraction"]].isna().all()
            continue
        brute = BruteForce(shard, network, k, data)
        dead = brute.dead(data.train_images)
        counted = layers.loc[(run.id, shard.steps, "train")]
        assert counted["dead_all"].tolist() == [int(flags.sum()) for flags in dead]
        new = [int((now & ~before).sum()) for now, before in zip(dead, born, strict=True)]
        assert counted["new_dead_all"].tolist() == new
        assert row["dead_fraction"] == torch.cat(dead).double().mean()
        splits = {
            "train": (data.train_images, data.train_labels),
            "test": (data.test_images, data.test_labels),
        }
        for split, (images, labels) in splits.items():
            logits = brute.logits(images)
            assert row[f"{split}_accuracy"] == pytest.approx(
                (logits.argmax(1) == labels).double().mean().item()
            )
            # A loss is a difference of logits of about 10, in single precision.
            assert row[f"{split}_loss"] == pytest.approx(
                functional.cross_entropy(logits, labels).item(), rel=1e-5, abs=1e-6
            )
        assert row["constant"] == (len(brute.logits(data.train_images).argmax(1).unique()) == 1)


def test_units_that_look_dead_on_the_probe_set_are_woken_by_others(data: Dataset) -> None:
    shard = replace(shard_of(initial_bias=[-1.5], learning_rate=[0.05, 0.1]), probe_train=5)
    runs = finished(shard, data)[0].tables()["runs"]
    assert (runs["dead_fraction"] < runs["dead_fraction_probe"]).all()


def test_a_probe_set_of_all_examples_counts_the_same_units(data: Dataset) -> None:
    shard = replace(shard_of(initial_bias=[-3.0]), probe_train=400, probe_test=300)
    recorder, _ = finished(shard, data)
    tables = recorder.tables()
    (run,) = tables["runs"].to_dict("records")
    assert run["dead_fraction"] == run["dead_fraction_probe"]
    (last,) = tables["checkpoints"].query("step == 40").to_dict("records")
    for metric in ("train_loss", "train_accuracy", "test_loss", "test_accuracy"):
        assert run[metric] == last[metric]


@pytest.mark.parametrize("count_all", ["end", "checkpoints"])
def test_units_are_counted_on_all_examples_where_that_was_asked_for(count_all: str, data: Dataset) -> None:
    shard = replace(shard_of(initial_bias=[-2.0]), count_all=count_all)
    tables = finished(shard, data)[0].tables()
    layers = tables["layers"].query("probe == 'train'")
    counted = set(layers.loc[layers["dead_all"].notna(), "step"])
    assert counted == (set(shard.checkpoints) if count_all == "checkpoints" else {0, shard.steps})
    assert set(tables["units"].loc[tables["units"]["dead_all"].notna(), "step"]) == counted
    schemas.LAYERS.validate(tables["layers"])
    by_unit = tables["units"].query("step == 40").groupby("layer")["dead_all"].sum()
    by_layer = layers.query("step == 40").set_index("layer")["dead_all"]
    pd.testing.assert_series_equal(by_unit, by_layer, check_dtype=False, check_names=False)


def test_outcomes_are_those_of_the_definition(data: Dataset) -> None:
    """Diverged by an overflow, collapsed since every unit is dead, and trained."""
    shard = shard_of(**GRID)
    runs = finished(shard, data)[0].tables()["runs"].set_index(["learning_rate", "initial_bias"])
    assert set(runs["outcome"]) == set(definitions.OUTCOMES)
    assert runs.loc[(0.02, 0.0), "outcome"] == "trained"
    assert runs.loc[(0.02, -60.0), ["outcome", "constant"]].tolist() == ["collapsed", True]
    assert runs.loc[(1e25, 0.0), "outcome"] == "diverged"
    assert (runs["peak_loss"] >= runs["initial_loss"]).all()
    assert runs["peak_loss"].eq(float("inf")).equals(runs["overflowed"])


def test_losses_of_minibatches_are_the_first_and_the_largest(data: Dataset) -> None:
    shard = shard_of(learning_rate=[0.05, 0.3])
    training = StackTraining(shard, shard.runs, data)
    losses = []
    for step in training.steps():
        before = training.recorder.history.peak_loss.clone()
        losses.append(before) if step else None
    runs = training.recorder.tables()["runs"]
    peaks = torch.stack(losses).double()
    assert (peaks.diff(dim=0) >= 0).all()
    assert runs["peak_loss"].tolist() == peaks[-1].tolist()
    assert runs["initial_loss"].tolist() == peaks[0].tolist()
