"""What jobs took, as Snakemake measured it, and what the next one is given on a cluster.

Snakemake writes a small table for each job of a rule with a ``benchmark``; memory in it is in MiB, "-" stands for what was too short
to be measured.
"""

import math
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dying_relu.errors import DyingReluError
from dying_relu.plan import cost, memory
from dying_relu.plan.shard import Shard

MARGIN = 1.25
"""Of memory: an allocator does not give the same job the same number of pages each time."""


class Took(NamedTuple):
    """What a job took."""

    seconds: float
    mebibytes: float
    """At its largest; NaN if the job was too short for Snakemake to look."""


def took(path: Path) -> Took:
    """What the job took whose measurement is at ``path``."""
    try:
        row = pd.read_csv(path, sep="\t", na_values="-", usecols=["s", "max_rss"]).astype(float).iloc[0]
    except (OSError, ValueError, IndexError) as error:
        raise DyingReluError(
            f"{path} is not a measurement of a job",
            found=str(error),
            remedy="delete it and run snakemake again",
        ) from error
    return Took(row["s"], row["max_rss"])


def training(folder: Path) -> dict[str, float | None] | None:
    """Number, seconds and largest memory of the jobs that were measured in ``folder``; None if none was."""
    jobs = pd.DataFrame([took(path) for path in sorted(folder.glob("*.tsv"))])
    if jobs.empty:
        return None
    largest = jobs["mebibytes"].max()
    return {
        "jobs": len(jobs),
        "seconds": float(jobs["seconds"].sum()),
        "largest_memory_mebibytes": None if math.isnan(largest) else float(largest),
    }


def mebibytes_for(shard: Shard, measured: Path) -> int:
    """Memory to ask for: what ``shard`` is expected to need, or what it needed the last time (``measured``) if that was more."""
    expected = memory.of_job(shard) / 2**20
    needed = took(measured).mebibytes if measured.is_file() else math.nan
    return math.ceil(expected if math.isnan(needed) else max(expected, MARGIN * needed))


def minutes_for(shard: Shard, measured: Path) -> int:
    """Time to ask for: what ``shard`` is expected to take, or took the last time (``measured``) if that was more, on a slower processor."""
    seconds = cost.seconds(shard)
    if measured.is_file():
        seconds = max(seconds, took(measured).seconds)
    return cost.minutes_at_most(seconds)
