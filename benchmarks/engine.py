"""All contestants, in turn, round after round.

What is compared is measured side by side: within a round the contestants of a case follow each other, beginning with the
products of matrices that are their yardstick, and every other round goes backward. Ratios are taken within a round and
then their median over the rounds, so that a machine that is slower for a while is slower for all.
"""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pandas as pd

from benchmarks import machine, tables
from benchmarks.cases import CASES
from benchmarks.contestants import GEMM, JOBS, Contestant, Scope, contestants, peak
from benchmarks.jobs import Jobs
from benchmarks.methods.base import PRECISIONS
from benchmarks.workers import Team
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path

log = logging.getLogger(__name__)

BUSY = 0.5
"""Load average from which on a warning is given."""


class Runner(Protocol):
    """What measures a contestant."""

    def prepare(self, contestant: Contestant) -> None:
        """Do beforehand what should not be timed."""

    def measure(self, contestant: Contestant, seconds: float) -> float:
        """Samples per second."""

    def close(self) -> None:
        """End what was started."""


@dataclass
class Block:
    """Contestants that are compared with each other, measured one right after the other."""

    name: str
    contestants: list[Contestant]


@dataclass
class Runners:
    """The runner of each contestant; processes are shared by contestants that need the same kind."""

    scope: Scope
    started: dict[tuple[object, ...], Runner] = field(default_factory=dict)

    def of(self, contestant: Contestant) -> Runner:
        """The runner of ``contestant``, started if need be."""
        # Precisions apart: a setting of the whole process may belong to one.
        kind = (contestant.method, contestant.precision, contestant.device, contestant.layout)
        if kind not in self.started:
            jobs = contestant.method == JOBS
            self.started[kind] = Jobs(self.scope.job_samples) if jobs else Team(contestant)
        return self.started[kind]

    def close(self) -> None:
        """End them all."""
        for runner in self.started.values():
            runner.close()


def run(scope: Scope, out: Path, precisions: Sequence[str] = ()) -> pd.DataFrame:
    """Measure, and write ``engine.csv``, ``engine_rounds.csv`` and ``machine.json`` to the folder ``out``.

    Args:
        scope: how much.
        out: folder to write to.
        precisions: keys of ``PRECISIONS``; by default float32, and bf16 if its products are faster here.
    """
    if unknown := set(precisions) - set(PRECISIONS):
        raise DyingReluError("unknown precision", found=", ".join(unknown), expected=" or ".join(PRECISIONS))
    if os.getloadavg()[0] > BUSY:
        log.warning("this machine is busy with something else; what is measured now is not what it can do")
    with ExitStack() as ending:
        runners = Runners(scope)
        ending.callback(runners.close)
        blocks = [
            block
            for device in machine.devices()
            for block in _blocks(scope, device, precisions or _fast_precisions(device, runners))
        ]
        measured = _rounds(blocks, runners)
    table = tables.summary(measured)
    tables.write(table, out / "engine.csv")
    with atomic_path(out / "engine_rounds.csv") as beside:
        measured.to_csv(beside, index=False)
    with atomic_path(out / "machine.json") as beside:
        beside.write_text(json.dumps(machine.describe(), indent=1) + "\n", encoding="utf-8")
    return table


def _fast_precisions(device: str, runners: Runners) -> list[str]:
    """float32, and what is faster than it where products of matrices are concerned."""
    fastest = {}
    for precision in PRECISIONS:
        rates = []
        for contestant in peak(device, machine.cores(), [precision]):
            runner = runners.of(contestant)
            runner.prepare(contestant)
            rates.append(runner.measure(contestant, runners.scope.seconds) * contestant.case.flops_per_sample)
        fastest[precision] = max(rates)
        log.info("products of %s matrices on %s: %.0f GFLOP/s", precision, device, fastest[precision] / 1e9)
    return [name for name, rate in fastest.items() if name == "float32" or rate > fastest["float32"]]


def _blocks(scope: Scope, device: str, precisions: Sequence[str]) -> Iterator[Block]:
    cores = machine.cores()
    yield Block(GEMM, peak(device, cores, list(PRECISIONS)))
    for name in scope.cases:
        yield Block(name, contestants(CASES[name], scope, device, cores, precisions))


def _rounds(blocks: Sequence[Block], runners: Runners) -> pd.DataFrame:
    scope = runners.scope
    for contestant in _unique(blocks):
        runners.of(contestant).prepare(contestant)
    rows = []
    for number in range(scope.rounds):
        backward = number % 2 == 1
        for block in reversed(blocks) if backward else blocks:
            for contestant in reversed(block.contestants) if backward else block.contestants:
                if contestant.method != JOBS or number < scope.job_rounds:
                    rate = runners.of(contestant).measure(contestant, scope.seconds)
                    log.info("round %d of %d: %s: %.0f samples/s", number + 1, scope.rounds, contestant, rate)
                    rows.append(tables.row(number, block.name, contestant, rate))
    return pd.DataFrame(rows)


def _unique(blocks: Iterable[Block]) -> Iterable[Contestant]:
    """Each contestant once, those with the same processes in a row."""
    return dict.fromkeys(contestant for block in blocks for contestant in block.contestants)
