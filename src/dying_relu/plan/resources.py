"""Time and memory of jobs: as they were measured, and as the next one is given them on a cluster.

A job writes them itself, into a small table as Snakemake writes for rules with a ``benchmark``: memory in it is in MiB, and "-" stands for
what is not known. Snakemake looks at a job from time to time, misses short ones, and would look at the command that waits for a fork
of the warm process (:mod:`dying_relu.commands.warm`).
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.plan import cost, memory
from dying_relu.plan.shard import Shard

MARGIN = 1.25
"""Of memory: an allocator does not give the same job the same number of pages each time."""


class Usage(NamedTuple):
    """Time and memory of a job."""

    seconds: float
    mebibytes: float
    """At its largest; NaN if it was not measured."""


@contextmanager
def measured(path: Path | None) -> Iterator[None]:
    """Write to ``path`` what the block took, when it is done: its seconds, and the largest memory of this process until then.

    Args:
        path: file to write, for :func:`usage`; None to measure nothing.
    """
    started = time.perf_counter()
    yield
    if path is not None:
        seconds = time.perf_counter() - started
        with atomic_path(path) as scratch:
            scratch.write_text(f"s\tmax_rss\n{seconds:.4f}\t{_largest_memory()}\n", encoding="utf-8")


def _largest_memory() -> str:
    try:
        # Not that of resource.getrusage, to which the largest of the process that started this one counts.
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        # Only Linux has it.
        return "-"
    (kibibytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return f"{int(kibibytes) / 2**10:.2f}"


def usage(path: Path) -> Usage:
    """Read the measurement of a job at ``path``."""
    try:
        row = pd.read_csv(path, sep="\t", na_values="-", usecols=["s", "max_rss"]).astype(float).iloc[0]
    except (OSError, ValueError, IndexError) as error:
        raise DyingReluError(
            f"{path} is not a measurement of a job",
            found=str(error),
            remedy="delete it and run snakemake again",
        ) from error
    return Usage(row["s"], row["max_rss"])


def training(folder: Path) -> dict[str, float | None] | None:
    """Sum up the number, seconds and largest memory of the jobs that were measured in ``folder``; None if none was."""
    jobs = pd.DataFrame([usage(path) for path in sorted(folder.glob("*.tsv"))])
    if jobs.empty:
        return None
    largest = jobs["mebibytes"].max()
    return {
        "jobs": len(jobs),
        "seconds": float(jobs["seconds"].sum()),
        "largest_memory_mebibytes": None if math.isnan(largest) else float(largest),
    }


def mebibytes_for(shard: Shard, measured: Path) -> int:
    """Estimate the memory to ask for: as expected, or as measured the last time if that was more.

    Args:
        shard: of the job.
        measured: file of its last measurement, which may be missing.
    """
    expected = memory.of_job(shard) / 2**20
    needed = usage(measured).mebibytes if measured.is_file() else math.nan
    return math.ceil(expected if math.isnan(needed) else max(expected, MARGIN * needed))


def minutes_for(shard: Shard, measured: Path) -> int:
    """Estimate the time to ask for: as expected, or as measured the last time if that was more, on a slower processor.

    Args:
        shard: of the job.
        measured: file of its last measurement, which may be missing.
    """
    seconds = cost.seconds(shard)
    if measured.is_file():
        seconds = max(seconds, usage(measured).seconds)
    return cost.minutes_at_most(seconds)
