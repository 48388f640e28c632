"""A study of a million networks, without training it: what each stage costs in time and memory, and where the design breaks first.

Every stage is the command that a person types, in a process of its own, whose largest memory the system tells. The tables are
made up, as in :mod:`benchmarks.scaling`; they are too many for the largest study, whose aggregation follows from the
others: its memory does not grow and its time does, in proportion.
"""

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pandera.pandas as pa

from benchmarks import studies
from benchmarks.jobs import ROOT
from benchmarks.scaling import ARCHITECTURES, EXAMPLES, Size, write_shards
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.plan import cost, study

log = logging.getLogger(__name__)

SIZES = (Size(50, 5, 10), Size(100, 25, 10), Size(250, 100, 10))
"""10,000, 100,000 and 1,000,000 networks."""
MOST_TABLES = 10_000
"""Larger studies are not given tables: to write them takes longer than to put them together."""

MILLION = pa.DataFrameSchema(
    {
        "networks": pa.Column("int64", pa.Check.ge(1)),
        "shards": pa.Column("int64", pa.Check.ge(1)),
        "core_hours": pa.Column(float, pa.Check.gt(0)),
        "stage": pa.Column(str, pa.Check.isin(["plan", "DAG", "aggregate"])),
        "seconds": pa.Column(float, pa.Check.gt(0)),
        "memory_mebibytes": pa.Column(float, pa.Check.gt(0)),
        "megabytes_written": pa.Column(float, pa.Check.ge(0)),
    },
    unique=["networks", "stage"],
    strict=True,
    coerce=True,
    ordered=True,
    name="million",
)


class Spent(NamedTuple):
    """What a command took."""

    seconds: float
    memory_mebibytes: float


def run(out: Path, sizes: tuple[Size, ...] = SIZES) -> pd.DataFrame:
    """Measure every stage, and write ``million.csv`` to the folder ``out``. Core-hours of training are the plan's estimate."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="million-") as folder:
            for row in _stages(size, Path(folder)):
                rows.append(row)
                log.info("%d networks: %s took %.1f s and %.0f MiB", size.networks, *row[3:6])
    table = MILLION.validate(pd.DataFrame(rows, columns=list(MILLION.columns)))
    with atomic_path(out / "million.csv") as beside:
        table.to_csv(beside, index=False)
    return table


def _stages(size: Size, folder: Path) -> Iterator[list[object]]:
    grid = (size.rates, size.biases)
    name = f"networks{size.networks}"
    path = studies.write(studies.grid(name, ARCHITECTURES, EXAMPLES, grid, size.replicates), folder)
    planned = study.load(path)
    hours = sum(cost.seconds(shard) for shard in planned.shards) / 3600
    about = [size.networks, len(planned.shards), hours]
    configured = ["--config", str(path)]
    yield [*about, "plan", *measured(["dying_relu.cli", "plan", *configured], folder), 0.0]
    dry_run = ["snakemake", "train", "--snakefile", str(ROOT / "Snakefile"), "--configfile", str(path)]
    yield [*about, "DAG", *measured([*dry_run, "--cores", "2", "--dry-run", "--quiet"], folder), 0.0]
    if size.networks <= MOST_TABLES:
        write_shards(planned, folder / "shards")
        command = ["dying_relu.cli", "aggregate", *configured, "--shards", "shards", "--out", "tables"]
        spent = measured(command, folder)
        yield [*about, "aggregate", *spent, _bytes(folder / "tables") / 1e6]


def measured(command: list[str], folder: Path) -> Spent:
    """Run a Python module with arguments in ``folder``; its time and its largest resident memory."""
    code = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    started = time.perf_counter()
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": code},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        # Not process.wait(), which does not tell the memory.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise DyingReluError(f"{command[0]} failed", found=said.read()[-2000:].strip())
    kibibytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Spent(time.perf_counter() - started, kibibytes / 1024)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
