"""The job of one shard: train its runs in stacks, measure them at the checkpoints, write their tables."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import pandas as pd
import torch

from dying_relu.data import Dataset, load
from dying_relu.errors import DyingReluError
from dying_relu.files import atomic
from dying_relu.files.locks import exclusive
from dying_relu.plan import memory
from dying_relu.plan.shard import STACKED_FACTORS, Run, Shard
from dying_relu.results import schemas, store
from dying_relu.results.origin import of_shard
from dying_relu.stack import allocator, precision
from dying_relu.training import device
from dying_relu.training.inputs import InputsByName
from dying_relu.training.resume import SAVE_EVERY, State, StateFile, conditions, packed, unpacked
from dying_relu.training.stack_training import StackTraining

log = logging.getLogger(__name__)

Tables = dict[str, list[pd.DataFrame]]
"""Table name -> the rows of each finished stack."""


def train_from_file(
    shard: Shard, file: Path, directory: Path, threads: int = 1, save_every: float = SAVE_EVERY
) -> None:
    """Train a shard on the examples in a data set's file, with the device and the threads that it asks for; see :func:`train`.

    Args:
        shard: what to train.
        file: the data set's, which :func:`~dying_relu.data.load` reads.
        directory: of the tables.
        threads: of this process, from now on.
        save_every: seconds from one save of the state to the next.
    """
    torch.set_num_threads(threads)
    allocator.keep_freed_memory()
    size = shard.dataset
    data = load(file, size.train, size.test, device.choose(shard.device))
    train(shard, data, directory, save_every)


def train(shard: Shard, data: Dataset, directory: Path, save_every: float = SAVE_EVERY) -> None:
    """Train every run of a shard and write the tables of :mod:`~dying_relu.results.schemas`.

    The folder appears when all is done and not before. Until then the state of training is saved beside it; a job that finds one
    goes on from there and ends with the bits of an undisturbed one.

    Args:
        shard: what to train.
        data: its data set with standardised images, on the device to train on.
        directory: the folder of the tables.
        save_every: seconds from one save of the state to the next.

    Raises:
        DyingReluError: ``data`` is another data set than the shard's, or this machine lacks the precision.
    """
    _require_its_own(data, shard)
    # At once: an edit of the code while this trains is not what is trained with.
    made_of = of_shard(shard, data)
    place = data.train_images.device
    precision.require(shard.precision, place)
    cache = memory.second_level_cache()
    sizes = {name: memory.stack_size(shard, name, place.type != "cpu", cache) for name in shard.optimisers}
    lock, state = (directory.with_name(f"{directory.name}.{kind}") for kind in ("lock", "state"))
    with exclusive(lock):
        atomic.remove_leftovers(directory)
        file = StateFile(state, conditions(shard, made_of, place, sizes), save_every)
        tables = _train_stacks(shard, data, list(stacks(shard.runs, sizes)), file)
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
    """Train one stack after the other, from where ``file`` says that another job was."""
    state = file.load()
    done: Tables = {name: [] for name in schemas.TABLES}
    for name, rows in state.get("done", {}).items():
        done[name].append(unpacked(rows))
    first = int(state.get("stack", 0))
    inputs = InputsByName(data, shard.inputs)
    for number, runs in enumerate(waiting[first:], start=first):
        started = time.perf_counter()
        stack = StackTraining(shard, runs, inputs[runs[0].inputs])
        if running := state.pop("running", None):
            stack.restore(running)
        for _ in stack.steps():
            if file.is_due():
                file.save({"stack": torch.tensor(number), "done": _packed(done), "running": stack.state()})
        for name, table in stack.recorder.tables().items():
            done[name].append(table)
        log.info("stack %d: %d runs in %.1f s", number + 1, len(runs), time.perf_counter() - started)
    return done


def _packed(done: Tables) -> State:
    return {name: packed(_concatenate(name, rows)) for name, rows in done.items()}


def stacks(runs: Sequence[Run], sizes: Mapping[str, int]) -> Iterator[list[Run]]:
    """Group runs that are trained together: alike in the factors that a stack shares, and no more than are fast together.

    Args:
        runs: sorted by these factors.
        sizes: optimiser's name -> largest number of networks.
    """
    for _, group in groupby(runs, key=attrgetter(*STACKED_FACTORS)):
        alike = list(group)
        size = sizes[alike[0].optimiser]
        yield from (alike[start : start + size] for start in range(0, len(alike), size))


def _concatenate(name: str, rows: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in rows if not table.empty]
    if filled:
        return pd.concat(filled, ignore_index=True)
    return pd.DataFrame(columns=list(schemas.TABLES[name].columns))
