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
from benchmarks.cases import Case
from benchmarks.contestants import GEMM, JOBS, OURS, Contestant, Layout, Scope, contestants, peak
from benchmarks.earlier import EarlierTeam, Tree
from benchmarks.jobs import Jobs
from benchmarks.methods import METHODS
from benchmarks.methods.base import PRECISIONS, NotPossible
from benchmarks.workers import Team
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path

log = logging.getLogger(__name__)

BUSY = 0.5
"""Load average from which on a warning is given."""


class Runner(Protocol):
    """What measures a contestant."""

    def prepare(self, contestant: Contestant) -> None:
        """Do beforehand what should not be timed.

        Raises:
            NotPossible: this machine lacks what the method needs.
        """

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
    earlier: Tree | None = None
    started: dict[tuple[object, ...], Runner] = field(default_factory=dict)

    def of(self, contestant: Contestant) -> Runner:
        """The runner of ``contestant``, started if need be."""
        # Precisions apart: a setting of the whole process may belong to one.
        kind = (contestant.method, contestant.precision, contestant.device, contestant.layout)
        if kind not in self.started:
            self.started[kind] = self._start(contestant)
        return self.started[kind]

    def _start(self, contestant: Contestant) -> Runner:
        if contestant.method == JOBS:
            return Jobs(self.scope.job_samples)
        if self.earlier and contestant.method == self.earlier.method:
            return EarlierTeam(self.earlier, contestant.layout)
        return Team(contestant)

    def close(self) -> None:
        """End them all."""
        for runner in self.started.values():
            runner.close()


@dataclass
class Comparison:
    """The result of a run.

    Attributes:
        table: as ``tables.ENGINE``.
        not_run: as ``tables.NOT_RUN``: what this machine could not run, and why.
    """

    table: pd.DataFrame
    not_run: pd.DataFrame


def run(scope: Scope, out: Path, precisions: Sequence[str] = (), against: Path | None = None) -> Comparison:
    """Measure, and write ``engine.csv``, ``engine_rounds.csv``, ``engine_not_run.csv`` and ``machine.json`` to ``out``.

    Args:
        scope: how much.
        out: folder to write to.
        precisions: keys of ``PRECISIONS``; by default float32, and bf16 if its products are faster here.
        against: another source tree, whose engine is measured beside the present one on the CPU.
    """
    if unknown := set(precisions) - set(PRECISIONS):
        raise DyingReluError("unknown precision", found=", ".join(unknown), expected=" or ".join(PRECISIONS))
    if os.getloadavg()[0] > BUSY:
        log.warning("this machine is busy with something else; what is measured now is not what it can do")
    with ExitStack() as ending:
        runners = Runners(scope, Tree(against) if against else None)
        ending.callback(runners.close)
        blocks = [
            block
            for device in machine.devices()
            for block in _blocks(runners, device, precisions or _fast_precisions(device, runners))
        ]
        not_run = _prepare(blocks, runners)
        measured = _rounds(blocks, runners)
    table = tables.summary(measured)
    tables.write_not_run(not_run, out / "engine_not_run.csv")
    tables.write(table, out / "engine.csv")
    with atomic_path(out / "engine_rounds.csv") as beside:
        measured.to_csv(beside, index=False)
    with atomic_path(out / "machine.json") as beside:
        beside.write_text(json.dumps(machine.describe(), indent=1) + "\n", encoding="utf-8")
    return Comparison(table, not_run)


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


def _blocks(runners: Runners, device: str, precisions: Sequence[str]) -> Iterator[Block]:
    cores, scope = machine.cores(), runners.scope
    yield Block(GEMM, peak(device, cores, list(PRECISIONS)))
    cases = [Case(name) for name in scope.cases]
    earlier = (
        runners.earlier.contestants(cases, Layout(cores, 1)) if runners.earlier and device == "cpu" else {}
    )
    for case in cases:
        present = contestants(case, scope, device, cores, precisions)
        if case.name in earlier:
            # Right before the present engine.
            place = next(i for i, contestant in enumerate(present) if contestant.method == OURS)
            present.insert(place, earlier[case.name])
        yield Block(case.name, present)


def _prepare(blocks: Sequence[Block], runners: Runners) -> pd.DataFrame:
    """Get all contestants ready, and take those out of their blocks that this machine cannot run.

    Returns:
        A row for each of those, as ``tables.NOT_RUN``.
    """
    reasons: dict[Contestant, str] = {}
    for contestant in _unique(blocks):
        try:
            if contestant.method in METHODS:
                METHODS[contestant.method].require()
            runners.of(contestant).prepare(contestant)
        except NotPossible as reason:
            log.warning("not run: %s: %s", contestant, reason)
            reasons[contestant] = str(reason)
    for block in blocks:
        block.contestants = [contestant for contestant in block.contestants if contestant not in reasons]
    return tables.not_run(reasons)


def _rounds(blocks: Sequence[Block], runners: Runners) -> pd.DataFrame:
    scope = runners.scope
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
