"""One shard: train its runs in stacks, measure them at the checkpoints, write their tables."""

import logging
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from dying_relu import memory, precision, results
from dying_relu.configuration import Architecture
from dying_relu.configuration import Optimiser as OptimiserSettings
from dying_relu.data import Dataset
from dying_relu.initialisation import random_stream
from dying_relu.models import as_inputs, build
from dying_relu.recording import Recorder
from dying_relu.recycling import recycle
from dying_relu.stack.clipping import Clipped
from dying_relu.stack.loss import cross_entropy
from dying_relu.stack.optimisers import SGD, Adam, Momentum, Optimiser
from dying_relu.study import Run, Shard

log = logging.getLogger(__name__)


def train(shard: Shard, data: Dataset, directory: Path) -> None:
    """Train every run of ``shard`` on ``data`` and write the four tables of :mod:`~dying_relu.results` to ``directory``.

    The folder appears when all is done and not before.
    """
    device = data.train_images.device
    precision.require(shard.precision, device)
    size = memory.stack_size(shard, device.type != "cpu", memory.second_level_cache())
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in results.TABLES}
    for number, runs in enumerate(stacks(shard.runs, size), start=1):
        started = time.perf_counter()
        recorder = train_stack(shard, runs, data)
        for name, table in recorder.tables().items():
            tables[name].append(table)
        log.info("stack %d: %d runs in %.1f s", number, len(runs), time.perf_counter() - started)
    with results.atomic_path(directory) as folder:
        folder.mkdir()
        for name, rows in tables.items():
            results.write(name, _concatenate(name, rows), folder / f"{name}.parquet")


def stacks(runs: Sequence[Run], size: int) -> Iterator[list[Run]]:
    """``runs`` in groups to be trained together: equal activations, at most ``size`` networks."""
    for _, group in groupby(runs, key=lambda run: run.activation):
        alike = list(group)
        yield from (alike[start : start + size] for start in range(0, len(alike), size))


def train_stack(shard: Shard, runs: Sequence[Run], data: Dataset) -> Recorder:
    """Train ``runs``, which share an activation, as one stack; returns what was recorded at the checkpoints."""
    trainer = Trainer(shard.architecture, shard.optimiser, runs, data, shard.batch_size, shard.seed)
    recorder = Recorder(shard, runs, trainer.network, data)
    for step in range(shard.steps + 1):
        if step in shard.checkpoints:
            recorder.checkpoint(step)
        if step < shard.steps:
            with precision.products_in(shard.precision):
                losses = trainer.step()
            recorder.mark_diverged(losses.isfinite(), step)
    return recorder


class Trainer:
    """A stack of networks, its optimiser and the minibatches that all its networks share.

    Args:
        architecture, optimiser: settings.
        runs: a network each; they share the activation.
        data: the training examples, on the device where the networks shall live.
        batch_size: examples in a minibatch.
        seed: the replicate's seed.
    """

    def __init__(
        self,
        architecture: Architecture,
        optimiser: OptimiserSettings,
        runs: Sequence[Run],
        data: Dataset,
        batch_size: int,
        seed: int,
    ) -> None:
        self.device = data.train_images.device
        image = data.train_images.shape[1:]
        self.runs, self.settings, self.seed, self.steps = runs, optimiser, seed, 0
        self.network = build(architecture, runs, image, data.classes, seed, self.device)
        self.optimiser = optimiser_of(optimiser, runs, self.device)
        self.examples = as_inputs(architecture, data.train_images)
        self.labels = data.train_labels
        self.minibatches = minibatch_order(len(self.labels), batch_size, seed)

    def step(self) -> Tensor:
        """Train every network on the next minibatch; returns their losses (K,) before the update."""
        self._recycle()
        self._warm_up()
        chosen = next(self.minibatches).to(self.device)
        logits = self.network.forward(self.examples.index_select(0, chosen))
        loss = cross_entropy(logits, self.labels[chosen])
        self.network.backward(loss.gradient, self.optimiser)
        self.steps += 1
        return loss.loss

    def _recycle(self) -> None:
        """Every so many steps, before an update: a checkpoint counts the units that training left, not the ones just renewed."""
        every = self.settings.recycle_every
        if every and self.steps and self.steps % every == 0:
            seed = self.seed + self.steps
            recycle(self.network, self.runs, self.optimiser, self.examples, self.labels, seed)

    def _warm_up(self) -> None:
        """Raise the learning rates linearly; the first step has the first of the warm-up's equal parts."""
        warm_up = self.settings.warm_up_steps
        if self.steps < warm_up:
            self.optimiser.set_rates(learning_rates(self.runs, self.device) * ((self.steps + 1) / warm_up))


def minibatch_order(examples: int, batch_size: int, seed: int) -> Iterator[Tensor]:
    """Indices of one minibatch after another, for ever: each epoch in a new random order, its incomplete rest dropped."""
    stream = random_stream(seed, "minibatches")
    while True:
        order = torch.randperm(examples, generator=stream)
        yield from order[: examples // batch_size * batch_size].split(batch_size)


def optimiser_of(settings: OptimiserSettings, runs: Sequence[Run], device: torch.device) -> Optimiser:
    """The optimiser that ``settings`` describe, with each run's own learning rate."""
    rate, decay = learning_rates(runs, device), settings.weight_decay
    optimiser: Optimiser
    if settings.kind == "adam":
        optimiser = Adam(rate, settings.beta1, settings.beta2, settings.epsilon, decay)
    elif settings.momentum:
        optimiser = Momentum(rate, settings.momentum, decay)
    else:
        optimiser = SGD(rate, decay)
    return Clipped(optimiser, settings.clip_norm) if settings.clip_norm else optimiser


def learning_rates(runs: Sequence[Run], device: torch.device) -> Tensor:
    """(K,) float32."""
    return torch.tensor([run.learning_rate for run in runs], dtype=torch.float32, device=device)


def _concatenate(name: str, rows: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in rows if not table.empty]
    if filled:
        return pd.concat(filled, ignore_index=True)
    return pd.DataFrame(columns=list(results.TABLES[name].columns))
