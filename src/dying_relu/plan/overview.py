"""A table of a study's runs, time and memory for people: ``dying-relu plan``."""

import os
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
        ("runs", f"{len(study.runs):,}"),
        ("shards", f"{len(study.shards):,}"),
        ("core time", duration(sum(map(cost.seconds, study.shards)))),
    ):
        table.add_column(heading, footer, justify="right", no_wrap=True)
    for name, shards in groupby(study.shards, key=lambda shard: shard.experiment):
        # Not as markup: rich would take "[/b]" for a mark of its own.
        table.add_row(name, Text(study.configuration.experiments[name].question), *_sums(list(shards)))
    console.print(table)
    console.print(_training(study), highlight=False)


def _sums(shards: list[Shard]) -> tuple[str, str, str]:
    runs = sum(len(shard.runs) for shard in shards)
    return f"{runs:,}", f"{len(shards):,}", duration(sum(map(cost.seconds, shards)))


def _training(study: Study) -> str:
    cores = os.cpu_count() or 1
    most = sorted(map(memory.of_job, study.shards), reverse=True)
    if is_gpu(study.configuration.device):
        return (
            f"Training runs on the GPU, one shard at a time, with up to {most[0] / 2**30:.1f} GiB of memory."
        )
    times = [cost.seconds(shard) for shard in study.shards]
    wall = max(sum(times) / cores, *times)
    return (
        f"Training takes about {duration(wall)} on the {cores} cores of this machine, one shard a core, "
        f"with up to {sum(most[:cores]) / 2**30:.1f} GiB of memory. Estimates, right within a factor of two."
    )


def duration(seconds: float) -> str:
    """Write a time span in the unit that fits.

    >>> [duration(s) for s in (8.2, 95, 5000, 200_000)]
    ['8 s', '1.6 min', '1.4 h', '56 h']
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    value, unit = (seconds / 60, "min") if seconds < 3600 else (seconds / 3600, "h")
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
