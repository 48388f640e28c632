"""What a network costs beside its training, in studies of 100 to 10,000 networks: planning, the DAG, the tables.

The last stage runs the whole workflow on networks so small that there is little else to pay for.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pandera.pandas as pa

from benchmarks import machine, studies
from dying_relu.files.atomic import atomic_path
from dying_relu.plan import cost, study
from dying_relu.plan.shard import Shard
from dying_relu.plan.study import Study
from dying_relu.results import aggregate as aggregation
from dying_relu.results import schemas, store
from dying_relu.results.origin import Origin

log = logging.getLogger(__name__)

ARCHITECTURES = {
    "mlp": {"kind": "mlp", "widths": [128, 128]},
    "cnn": {"kind": "cnn", "channels": [16, 32], "widths": [64]},
}
TINY = {"tiny": {"kind": "mlp", "widths": [32]}}
EXAMPLES = {"mnist": 10_000, "cifar10": 10_000}
FEW_EXAMPLES = {"mnist": 512}
STAGES = ("plan", "DAG", "aggregate", "whole study of tiny networks")

SCALING = pa.DataFrameSchema(
    {
        "networks": pa.Column("int64", pa.Check.ge(1)),
        "shards": pa.Column("int64", pa.Check.ge(1)),
        "stage": pa.Column(str, pa.Check.isin(STAGES)),
        "seconds": pa.Column(float, pa.Check.gt(0)),
        "ms_per_network": pa.Column(float, pa.Check.gt(0)),
    },
    unique=["networks", "stage"],
    strict=True,
    coerce=True,
    ordered=True,
    name="scaling",
)


class Size(NamedTuple):
    """The size of a study's grid: each point on two data sets and two architectures, or four times the rates."""

    rates: int
    biases: int
    replicates: int

    @property
    def networks(self) -> int:
        """Networks in the study."""
        return 4 * self.rates * self.biases * self.replicates


SIZES = (Size(5, 5, 1), Size(5, 5, 3), Size(10, 5, 5), Size(15, 5, 10), Size(50, 5, 10))


def run(out: Path, sizes: tuple[Size, ...] = SIZES, repetitions: int = 3) -> pd.DataFrame:
    """Measure, and write ``scaling.csv`` to the folder ``out``; medians of ``repetitions``, the training once."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="scaling-") as folder:
            for stage, shards, seconds in _stages(size, Path(folder), repetitions):
                rows.append([size.networks, shards, stage, seconds, 1000 * seconds / size.networks])
                log.info("%d networks, %d shards: %s %.2f s", size.networks, shards, stage, seconds)
    table = SCALING.validate(pd.DataFrame(rows, columns=list(SCALING.columns)))
    with atomic_path(out / "scaling.csv") as beside:
        table.to_csv(beside, index=False)
    return table


def _stages(size: Size, folder: Path, repetitions: int) -> Iterator[tuple[str, int, float]]:
    """(stage, shards, seconds) of a study of ``size``."""
    cores = machine.cores()
    configuration = studies.grid(
        f"networks{size.networks}", ARCHITECTURES, EXAMPLES, (size.rates, size.biases), size.replicates
    )
    path = studies.write(configuration, folder)
    planned = study.load(path)
    shards = len(planned.shards)
    yield "plan", shards, _median(lambda: study.load(path), repetitions)
    yield "DAG", shards, _median(lambda: studies.train(path, cores, "--dry-run", "--quiet"), repetitions)
    write_shards(planned, folder / "shards")
    yield (
        "aggregate",
        shards,
        _median(lambda: aggregation.aggregate(planned, folder / "shards", folder), repetitions),
    )
    tiny = studies.grid(
        f"tiny{size.networks}", TINY, FEW_EXAMPLES, (4 * size.rates, size.biases), size.replicates
    )
    studies.make_images("mnist", folder)
    path = studies.write(tiny, folder)
    shards = len(study.load(path).shards)
    yield STAGES[-1], shards, _median(lambda: studies.train(path, cores), 1)


def _median(action: Callable[[], object], repetitions: int) -> float:
    return statistics.median(_seconds(action) for _ in range(repetitions))


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def write_shards(planned: Study, folder: Path) -> None:
    """Tables as training would write them, with made-up numbers, in a folder for each shard."""
    for shard in planned.shards:
        for name, table in _tables(shard).items():
            store.write(name, table, folder / shard.name / f"{name}.parquet", _origin(shard))


def _origin(shard: Shard) -> Origin:
    return {
        "configuration": shard.fingerprint,
        "code": "none",
        "data": {shard.dataset.name: "none"},
        "libraries": {},
    }


def _tables(shard: Shard) -> dict[str, pd.DataFrame]:
    runs = pd.DataFrame([asdict(run) for run in shard.runs]).rename(columns={"id": "run"})
    size = cost.size(shard.architecture, shard.dataset.name)
    runs = runs.assign(
        shard=shard.name,
        slope=0.0,
        loss_function=shard.loss_function,
        batch_size=shard.batch_size,
        steps=shard.steps,
        train_examples=shard.dataset.train,
        test_examples=shard.dataset.test,
        precision=shard.precision,
        stack_size=1,
        hidden_units=size.units,
        parameters=size.parameters,
        outcome=schemas.TRAINED,
        overflowed=False,
        constant=False,
        overflow_step=pd.Series(pd.NA, runs.index, dtype="Int64"),
        mean_slope=0.0,
    )
    steps = pd.DataFrame(product(runs["run"], shard.checkpoints), columns=["run", "step"])
    layers = pd.DataFrame(
        [
            (f"linear{depth}", depth, probe)
            for depth in range(1, size.layers + 1)
            for probe in ("train", "test")
        ],
        columns=["layer", "depth", "probe"],
    )
    rows = {
        "runs": runs,
        "checkpoints": steps.assign(overflowed=False),
        "layers": steps.merge(layers, how="cross").assign(
            units=128, slope=0.0, dead_all=np.nan, new_dead_all=np.nan
        ),
        "units": pd.DataFrame(),
        "activity": pd.DataFrame(),
    }
    return {name: _filled(table, list(schemas.TABLES[name].columns)) for name, table in rows.items()}


def _filled(table: pd.DataFrame, columns: list[Any]) -> pd.DataFrame:
    """``table`` with ``columns``; what it lacks is zero."""
    missing = {column: 0.0 for column in columns if column not in table}
    return table.assign(**missing)[columns]
