"""One shard: train its runs in stacks, measure them at the checkpoints, write their tables."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from dying_relu.data import Dataset, load
from dying_relu.errors import DyingReluError
from dying_relu.files import atomic
from dying_relu.files.locks import exclusive
from dying_relu.plan import memory
from dying_relu.plan.shard import Run, Shard
from dying_relu.results import schemas, store
from dying_relu.results.origin import of_shard
from dying_relu.stack import allocator, precision
from dying_relu.training import device
from dying_relu.training.recorder import Recorder
from dying_relu.training.resume import SAVE_EVERY, State, StateFile, conditions, packed, unpacked
from dying_relu.training.trainer import Trainer

log = logging.getLogger(__name__)

Tables = dict[str, list[pd.DataFrame]]
"""Table name -> the rows of each finished stack."""
Save = Callable[[Callable[[], State]], None]
"""Takes a function that makes the state, since to make it costs more than to look at the clock."""


def train_from_file(
    shard: Shard, file: Path, directory: Path, threads: int = 1, save_every: float = SAVE_EVERY
) -> None:
    """All of a shard's job: :func:`train` with the examples, the device and the threads that it asks for.

    Args:
        shard: what to train.
        file: the data set's, which :func:`~dying_relu.data.load` reads.
        directory: of the tables.
        threads: of this process, from now on.
        save_every: seconds.
    """
    torch.set_num_threads(threads)
    allocator.keep_freed_memory()
    wanted = shard.dataset
    data = load(file, wanted.train, wanted.test, device.choose(shard.device), shard.pixels)
    train(shard, data, directory, save_every)


def train(shard: Shard, data: Dataset, directory: Path, save_every: float = SAVE_EVERY) -> None:
    """Train every run of ``shard`` on ``data`` and write the four tables of :mod:`~dying_relu.results.schemas` to ``directory``.

    The folder appears when all is done and not before. Until then the state of training is saved beside it every
    ``save_every`` seconds; a job that finds one goes on from there and ends with the bits of an undisturbed one.

    Raises:
        DyingReluError: ``data`` is another data set than the shard's, or this machine lacks the precision.
    """
    _require_its_own(data, shard)
    # At once: an edit of the code while this trains is not what is trained with.
    made_of = of_shard(shard, data)
    where = data.train_images.device
    precision.require(shard.precision, where)
    size = memory.stack_size(shard, where.type != "cpu", memory.second_level_cache())
    beside = {kind: directory.with_name(f"{directory.name}.{kind}") for kind in ("lock", "state")}
    with exclusive(beside["lock"]):
        atomic.remove_leftovers(directory)
        file = StateFile(beside["state"], conditions(shard, made_of, where, size), save_every)
        tables = _train_stacks(shard, data, list(stacks(shard.runs, size)), file)
        whole = {name: _concatenate(name, rows) for name, rows in tables.items()}
        store.write_folder(whole, directory, made_of)
        file.remove()


def _require_its_own(data: Dataset, shard: Shard) -> None:
    """Raise an error if the tables would say that they are of one data set, and be of another."""
    if data.name != shard.dataset.name:
        raise DyingReluError(
            f"shard {shard.name} was given the wrong data set",
            found=data.name,
            expected=shard.dataset.name,
            remedy=f"give it the file of {shard.dataset.name}",
        )


def _train_stacks(shard: Shard, data: Dataset, waiting: list[list[Run]], file: StateFile) -> Tables:
    state = file.load()
    done: Tables = {name: [] for name in schemas.TABLES}
    for name, rows in state.get("done", {}).items():
        done[name].append(unpacked(rows))
    first = int(state.get("stack", 0))
    for number, runs in enumerate(waiting[first:], start=first):
        started = time.perf_counter()
        recorder = train_stack(shard, runs, data, state.get("running"), partial(_offer, file, number, done))
        state = {}
        for name, table in recorder.tables().items():
            done[name].append(table)
        log.info("stack %d: %d runs in %.1f s", number + 1, len(runs), time.perf_counter() - started)
    return done


def _offer(file: StateFile, number: int, done: Tables, running: Callable[[], State]) -> None:
    """Save where a shard is: its finished stacks, and the one in training."""
    file.offer(
        lambda: {
            "stack": torch.tensor(number),
            "done": {name: packed(_concatenate(name, rows)) for name, rows in done.items()},
            "running": running(),
        }
    )


def stacks(runs: Sequence[Run], size: int) -> Iterator[list[Run]]:
    """``runs`` in groups to be trained together: of one replicate, equal activations, at most ``size`` networks."""
    for _, group in groupby(runs, key=lambda run: (run.seed, run.activation)):
        alike = list(group)
        yield from (alike[start : start + size] for start in range(0, len(alike), size))


def train_stack(
    shard: Shard,
    runs: Sequence[Run],
    data: Dataset,
    state: dict[str, Any] | None = None,
    save: Save = lambda make: None,
) -> Recorder:
    """Train ``runs``, which share replicate and activation, as one stack; returns what was recorded at the checkpoints.

    Args:
        shard: how they are trained and measured.
        runs: a network each.
        data: examples to train and to measure on.
        state: where another training of these runs was before a step; by default they start from their initial weights.
        save: called before every step with a function that returns the state.
    """
    trainer = Trainer(shard.architecture, shard.optimiser, runs, data, shard.batch_size)
    recorder = Recorder(shard, runs, trainer.network, data)
    if state:
        trainer.restore(state["trainer"])
        recorder.restore(state["recorder"])
        log.info("going on from step %d of %d", trainer.steps, shard.steps)
    for step in range(trainer.steps, shard.steps + 1):
        save(lambda: {"trainer": trainer.state(), "recorder": recorder.state()})
        if step in shard.checkpoints:
            recorder.checkpoint(step)
        if step < shard.steps:
            with precision.products_in(shard.precision):
                losses = trainer.step()
            recorder.mark_diverged(losses.isfinite(), step)
    return recorder


def _concatenate(name: str, rows: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in rows if not table.empty]
    if filled:
        return pd.concat(filled, ignore_index=True)
    return pd.DataFrame(columns=list(schemas.TABLES[name].columns))
