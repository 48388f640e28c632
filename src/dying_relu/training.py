"""One shard: train its runs in stacks, measure them at the checkpoints, write their tables."""

import logging
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from dying_relu import results
from dying_relu.configuration import Optimiser as OptimiserSettings
from dying_relu.data import Dataset
from dying_relu.initialisation import random_stream
from dying_relu.models import as_inputs, build
from dying_relu.recording import Recorder
from dying_relu.stack.loss import cross_entropy
from dying_relu.stack.optimisers import SGD, Adam, Momentum, Optimiser
from dying_relu.study import Run, Shard

log = logging.getLogger(__name__)

STACK_SIZE = {"mlp": 16, "cnn": 1}
"""Networks per stack: as many as keep their weights and activations in a core's cache (measured; see benchmarks)."""


def train(shard: Shard, data: Dataset, directory: Path) -> None:
    """Train every run of ``shard`` on ``data`` and write the four tables of :mod:`~dying_relu.results` to ``directory``.

    The folder appears when all is done and not before.
    """
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in results.TABLES}
    for number, runs in enumerate(stacks(shard), start=1):
        started = time.perf_counter()
        recorder = train_stack(shard, runs, data)
        for name, table in recorder.tables().items():
            tables[name].append(table)
        log.info("stack %d: %d runs in %.1f s", number, len(runs), time.perf_counter() - started)
    with results.atomic_path(directory) as folder:
        folder.mkdir()
        for name, rows in tables.items():
            results.write(name, _concatenate(name, rows), folder / f"{name}.parquet")


def stacks(shard: Shard) -> Iterator[list[Run]]:
    """The shard's runs in groups to be trained together: equal activations, at most ``STACK_SIZE`` networks."""
    size = STACK_SIZE[shard.architecture.kind]
    for _, group in groupby(shard.runs, key=lambda run: run.activation):
        runs = list(group)
        yield from (runs[start : start + size] for start in range(0, len(runs), size))


def train_stack(shard: Shard, runs: Sequence[Run], data: Dataset) -> Recorder:
    """Train ``runs``, which share an activation, as one stack; returns what was recorded at the checkpoints."""
    device = data.train_images.device
    image, classes = data.train_images.shape[1:], data.classes
    network = build(shard.architecture, runs, image, classes, shard.seed, device)
    optimiser = optimiser_of(shard.optimiser, runs, device)
    recorder = Recorder(shard, runs, network, data)
    examples = as_inputs(shard.architecture, data.train_images)
    minibatches = minibatch_order(len(examples), shard.batch_size, shard.seed)
    for step in range(shard.steps + 1):
        if step in shard.checkpoints:
            recorder.checkpoint(step)
        if step < shard.steps:
            chosen = next(minibatches).to(device)
            loss = cross_entropy(network.forward(examples.index_select(0, chosen)), data.train_labels[chosen])
            recorder.mark_diverged(loss.loss.isfinite(), step)
            network.backward(loss.gradient, optimiser)
    return recorder


def minibatch_order(examples: int, batch_size: int, seed: int) -> Iterator[Tensor]:
    """Indices of one minibatch after another, for ever: each epoch in a new random order, its incomplete rest dropped."""
    stream = random_stream(seed, "minibatches")
    while True:
        order = torch.randperm(examples, generator=stream)
        yield from order[: examples // batch_size * batch_size].split(batch_size)


def optimiser_of(settings: OptimiserSettings, runs: Sequence[Run], device: torch.device) -> Optimiser:
    """The optimiser that ``settings`` describe, with each run's own learning rate."""
    rate = torch.tensor([run.learning_rate for run in runs], dtype=torch.float32, device=device)
    if settings.kind == "adam":
        return Adam(rate, settings.beta1, settings.beta2, settings.epsilon)
    if settings.momentum:
        return Momentum(rate, settings.momentum)
    return SGD(rate)


def _concatenate(name: str, rows: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in rows if not table.empty]
    if filled:
        return pd.concat(filled, ignore_index=True)
    return pd.DataFrame(columns=list(results.TABLES[name].columns))
