"""The cost of measuring at checkpoints, beside the training that it interrupts: a stack of each shard of a study, timed.

Network by network that is little for large networks and much for small ones, and most where single units are recorded; what counts is
the whole study.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import torch

from dying_relu import data
from dying_relu.files.atomic import atomic_path
from dying_relu.plan import memory, study
from dying_relu.plan.shard import Run, Shard
from dying_relu.stack import allocator
from dying_relu.training import shard_job
from dying_relu.training.inputs import InputsByName
from dying_relu.training.recorder import Recorder
from dying_relu.training.stack_training import StackTraining
from dying_relu.training.trainer import Trainer

log = logging.getLogger(__name__)

DEFAULT_STUDY = Path("config/config.yaml")

PARTS: dict[str, tuple[type, str]] = {"measuring": (Recorder, "checkpoint"), "counting": (Recorder, "count")}
"""What interrupts the training: a column's name -> class and method that are timed. Each part has a column and a printed share
of its own; counting, on all training and test examples, is called within measuring and does not count in it."""

MEASURING = pa.DataFrameSchema(
    {
        "shard": pa.Column(str, unique=True),
        "stacks": pa.Column("int64", pa.Check.ge(1)),
        "networks_per_stack": pa.Column("int64", pa.Check.ge(1)),
        "records_units": pa.Column(bool),
        "training_s_per_stack": pa.Column(float, pa.Check.gt(0)),
        **{f"{part}_s_per_stack": pa.Column(float, pa.Check.ge(0)) for part in PARTS},
        "ratio": pa.Column(float, pa.Check.gt(0)),
    },
    strict=True,
    coerce=True,
    ordered=True,
    name="measuring",
)


def run(out: Path, path: Path = DEFAULT_STUDY) -> pd.DataFrame:
    """Time a stack of each shard of the study at ``path``, and write ``measuring.csv`` to the folder ``out``.

    The data sets must have been fetched (``snakemake data``).
    """
    torch.set_num_threads(1)
    allocator.keep_freed_memory()
    planned = study.load(path)
    cache = Path(planned.configuration.data.cache)
    rows: list[dict[str, Any]] = []
    # What is compiled is loaded when it is first called, once a job.
    for shard in {shard.architecture.kind: shard for shard in planned.shards}.values():
        next(_rows(shard, cache / f"{shard.dataset.name}.safetensors"))
    for shard in planned.shards:
        for row in _rows(shard, cache / f"{shard.dataset.name}.safetensors"):
            rows.append(row)
            log.info("%s: measuring takes %.1f %% of the time of training", row["shard"], 100 * row["ratio"])
    table = MEASURING.validate(pd.DataFrame(rows))
    with atomic_path(out / "measuring.csv") as beside:
        table.to_csv(beside, index=False)
    return table


def missing_images(path: Path = DEFAULT_STUDY) -> list[Path]:
    """The files with images that the study at ``path`` needs and that have not been fetched."""
    planned = study.load(path)
    cache = Path(planned.configuration.data.cache)
    files = (cache / f"{dataset}.safetensors" for dataset in planned.datasets)
    return [file for file in files if not file.is_file()]


def of_study(table: pd.DataFrame, part: str = "measuring") -> float:
    """The time of one of ``PARTS`` over that of all training, in the study whose shards are the rows of ``table``.

    >>> of_study(pd.DataFrame({"stacks": [1, 3], "training_s_per_stack": [10.0, 10.0], "measuring_s_per_stack": [2.0, 1.0]}))
    0.125
    """
    training, interrupted = (
        (table["stacks"] * table[f"{name}_s_per_stack"]).sum() for name in ("training", part)
    )
    return float(interrupted / training)


def shares(table: pd.DataFrame) -> str:
    """A line for each of ``PARTS``: its share of the study's training time."""
    return "\n".join(
        f"{part.capitalize()} takes {of_study(table, part):.1%} of the time of training." for part in PARTS
    )


def _rows(shard: Shard, file: Path) -> Iterator[dict[str, Any]]:
    """A row for each optimiser of a shard, of the first of its stacks."""
    wanted, cache = shard.dataset, memory.second_level_cache()
    examples = data.load(file, wanted.train, wanted.test, torch.device("cpu"))
    inputs = InputsByName(examples, shard.inputs)
    sizes = {name: memory.stack_size(shard, name, on_gpu=False, cache=cache) for name in shard.optimisers}
    stacks = list(shard_job.stacks(shard.runs, sizes))
    for optimiser in shard.optimisers:
        of_optimiser = [stack for stack in stacks if stack[0].optimiser == optimiser]
        if of_optimiser:
            yield _row(shard, optimiser, of_optimiser, inputs[of_optimiser[0][0].inputs])


def _row(shard: Shard, optimiser: str, stacks: list[list[Run]], examples: data.Dataset) -> dict[str, Any]:
    with ExitStack() as watches:
        seconds = {
            name: watches.enter_context(_stopwatch(*method))
            for name, method in {"training": (Trainer, "step"), **PARTS}.items()
        }
        StackTraining(shard, stacks[0], examples).finish()
    per_stack = {f"{name}_s_per_stack": sum(times) for name, times in seconds.items()}
    per_stack["measuring_s_per_stack"] -= per_stack["counting_s_per_stack"]
    return {
        "shard": f"{shard.name}-{optimiser}",
        "stacks": len(stacks),
        "networks_per_stack": len(stacks[0]),
        "records_units": shard.record_units,
        **per_stack,
        "ratio": per_stack["measuring_s_per_stack"] / per_stack["training_s_per_stack"],
    }


@contextmanager
def _stopwatch(owner: type, method: str) -> Iterator[list[float]]:
    """The seconds that every call of ``owner.method`` takes within the block."""
    original: Callable[..., object] = getattr(owner, method)
    seconds: list[float] = []

    @wraps(original)
    def timed(*arguments: object, **keywords: object) -> object:
        started = time.perf_counter()
        try:
            return original(*arguments, **keywords)
        finally:
            seconds.append(time.perf_counter() - started)

    setattr(owner, method, timed)
    try:
        yield seconds
    finally:
        setattr(owner, method, original)
