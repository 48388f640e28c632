"""A table of a study's runs, time and memory for people: ``dying-relu plan``."""

import json
import os
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dying_relu.plan import cost, memory
from dying_relu.plan.gpu import is_gpu
from dying_relu.plan.shard import Shard
from dying_relu.plan.study import Study


def show(study: Study, console: Console) -> None:
    """Print the experiments of a study with their size, and an estimate of the time and memory of its training.

    Args:
        study: planned.
        console: to print to.
    """
    table = Table(title=f"Study {study.name}", title_justify="left", show_footer=True)
    table.add_column("experiment", footer="all")
    table.add_column("question", ratio=1)
    for heading, footer in (
        ("networks", f"{len(study.runs):,}"),
        ("shards", f"{len(study.shards):,}"),
        ("core time", duration(sum(map(cost.seconds, study.shards)))),
        ("memory", gibibytes(max(map(memory.of_job, study.shards)))),
    ):
        table.add_column(heading, footer, justify="right", no_wrap=True)
    for name, shards in groupby(study.shards, key=lambda shard: shard.experiment):
        # Not as markup: rich would take "[/b]" for a mark of its own.
        table.add_row(name, Text(study.configuration.experiments[name].question), *_sums(list(shards)))
    console.print(table)
    console.print(_training(study), highlight=False)


def as_json(study: Study) -> str:
    """Write what :func:`show` prints for programs: of each experiment its networks, shards, core seconds, and bytes of its largest job.

    Args:
        study: planned.
    """
    experiments = {
        name: _totals(list(shards))
        for name, shards in groupby(study.shards, key=lambda shard: shard.experiment)
    }
    return json.dumps(
        {"study": study.name, "all": _totals(study.shards), "experiments": experiments}, indent=2
    )


def _totals(shards: Sequence[Shard]) -> dict[str, float]:
    return {
        "networks": sum(len(shard.runs) for shard in shards),
        "shards": len(shards),
        "core_seconds": round(sum(map(cost.seconds, shards)), 1),
        "memory_bytes": max(map(memory.of_job, shards)),
    }


def _sums(shards: list[Shard]) -> tuple[str, str, str, str]:
    totals = _totals(shards)
    networks, number = f"{totals['networks']:,}", f"{totals['shards']:,}"
    return networks, number, duration(totals["core_seconds"]), gibibytes(totals["memory_bytes"])


def _training(study: Study) -> str:
    cores = os.cpu_count() or 1
    most = sorted(map(memory.of_job, study.shards), reverse=True)
    if is_gpu(study.configuration.device):
        return f"Training runs on the GPU, one shard at a time, with up to {gibibytes(most[0])} of memory."
    times = [cost.seconds(shard) for shard in study.shards]
    wall = max(sum(times) / cores, *times)
    return (
        f"Training takes about {duration(wall)} on the {cores} cores of this machine, one shard a core, "
        f"with up to {gibibytes(sum(most[:cores]))} of memory. Estimates, right within a factor of two."
    )


def gibibytes(size: float) -> str:
    """Write a size.

    Args:
        size: in bytes.

    >>> gibibytes(1.5 * 2**30)
    '1.5 GiB'
    """
    return f"{size / 2**30:.1f} GiB"


def duration(seconds: float) -> str:
    """Write a time span in the unit that fits.

    >>> [duration(s) for s in (8.2, 95, 5000, 200_000)]
    ['8 s', '1.6 min', '1.4 h', '56 h']
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    value, unit = (seconds / 60, "min") if seconds < 3600 else (seconds / 3600, "h")
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
