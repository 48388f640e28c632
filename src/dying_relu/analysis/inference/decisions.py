"""Decisions: a cell holds, fails or stays open, and several cells together make one of four verdicts.

A *cell* is a named setting with one number a seed. It **holds** if the exact test rejects that it does not meet its criterion, it
**fails** if the test rejects that it does, and is **open** otherwise, or where fewer than three quarters of the seeds have a value.
Several cells together **hold** if each holds and **do not hold** if each fails, which needs no correction: whoever says so is wrong only
if all cells err at once or the one that is false does (Berger, 1982). They **hold only if** a condition is met where, after Holm's
correction over the cells, at least one holds and at least one fails. All else is **not settled**.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from dying_relu.analysis.inference.criteria import Criterion, Rare
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.inference.means import mean_over_cells
from dying_relu.analysis.inference.seeds import ONE_SIDE, enough, holm, known

HOLDS = "holds"
HOLDS_ONLY_IF = "holds only if"
DOES_NOT_HOLD = "does not hold"
NOT_SETTLED = "not settled"
VERDICTS = (HOLDS, HOLDS_ONLY_IF, DOES_NOT_HOLD, NOT_SETTLED)

FAILS, OPEN = "fails", "open"
STATES = (HOLDS, FAILS, OPEN)


@dataclass(frozen=True)
class Cell:
    """A setting with one number a seed.

    Attributes:
        name: in words, such as "MNIST, MLP".
        numbers: (seeds,) a number a seed, NaN where it has none; the seeds of all cells of a decision are the same, in the same order.
        levels: the setting: factor -> level in words; of cells that are equal seed by seed, those of the first.
    """

    name: str
    numbers: tuple[float, ...]
    levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A cell with what its numbers say.

    Attributes:
        cell: the setting and its numbers.
        interval: the estimate (a median, or a share of seeds) with its exact interval; NaN where no seed has a value.
        agreeing: seeds that meet the criterion by themselves.
        state: one of ``STATES``, by the cell's own test.
        corrected: the state after Holm's correction over all cells of the decision.
    """

    cell: Cell
    interval: Interval
    agreeing: int
    state: str
    corrected: str

    @property
    def seeds(self) -> str:
        """The number of seeds that agree, in words: "18 of 20 seeds"."""
        return f"{self.agreeing} of {self.interval.n} seeds"


@dataclass(frozen=True)
class Decision:
    """The verdict of several cells.

    Attributes:
        verdict: one of ``VERDICTS``.
        condition: in words, where the verdict is ``HOLDS_ONLY_IF``; else empty.
        note: why nothing is settled, or what else a reader has to know; a clause without a full stop.
        cells: all of them, those that are equal seed by seed once.
        mean: the mean over cells with its t interval over seeds, which decides nothing.
    """

    verdict: str
    condition: str
    note: str
    cells: tuple[Judged, ...]
    mean: Interval


Condition = Callable[[Sequence[Judged], Sequence[Judged]], str]
"""(the cells that hold, the others) -> the condition under which it holds, in words."""


def decide(cells: Sequence[Cell], criterion: Criterion, condition: Condition | None = None) -> Decision:
    """Judge cells by a criterion, and combine them to a verdict.

    Args:
        cells: with the same seeds.
        criterion: of each cell.
        condition: puts the condition in words; None: the levels or names of the cells that hold.
    """
    # Of yes or no, cells of different networks are often equal.
    distinct = list(cells) if isinstance(criterion, Rare) else once(cells)
    judged = _judged(distinct, criterion)
    verdict = combined(judged)
    holding = [one for one in judged if one.corrected == HOLDS]
    rest = [one for one in judged if one.corrected != HOLDS]
    words = (condition or where)(holding, rest) if verdict == HOLDS_ONLY_IF else ""
    note = _open(judged) if verdict in (NOT_SETTLED, HOLDS_ONLY_IF) else ""
    return Decision(verdict, words, note, judged, mean_of(distinct))


def once(cells: Sequence[Cell]) -> list[Cell]:
    """The cells, those that are equal seed by seed merged into one: they are one observation.

    Args:
        cells: with the same seeds.

    Returns:
        In the order of ``cells``; a merged cell has the names of all, and the levels that all share.
    """
    merged: dict[object, list[Cell]] = {}
    for cell in cells:
        if not len(known(cell.numbers)):
            merged[cell.name] = [cell]  # Without numbers there is nothing to be equal.
            continue
        # Plus 0, because -0 is no other number.
        merged.setdefault((np.asarray(cell.numbers, dtype=float) + 0.0).tobytes(), []).append(cell)
    return [group[0] if len(group) == 1 else _merged(group) for group in merged.values()]


def _merged(cells: Sequence[Cell]) -> Cell:
    first = cells[0].levels
    shared = {
        factor: level
        for factor, level in first.items()
        if all(cell.levels.get(factor) == level for cell in cells)
    }
    return Cell(" = ".join(cell.name for cell in cells), cells[0].numbers, shared)


def combined(judged: Sequence[Judged]) -> str:
    """The verdict of several cells; of none, ``NOT_SETTLED``.

    Args:
        judged: all cells of a decision.
    """
    states = {one.state for one in judged}
    if states == {HOLDS}:
        return HOLDS
    if states == {FAILS}:
        return DOES_NOT_HOLD
    if {HOLDS, FAILS} <= {one.corrected for one in judged}:
        return HOLDS_ONLY_IF
    return NOT_SETTLED


def mean_of(cells: Sequence[Cell]) -> Interval:
    """The mean over cells with its t interval over seeds; see :func:`~dying_relu.analysis.inference.means.mean_over_cells`.

    Args:
        cells: with the same seeds.
    """
    return mean_over_cells(pd.DataFrame({place: cell.numbers for place, cell in enumerate(cells)}))


def where(holding: Sequence[Judged], rest: Sequence[Judged]) -> str:
    """The condition that tells cells that hold from the others: one factor's levels, or else the cells' names or number.

    Args:
        holding: the cells that hold.
        rest: the others, of which some may be open.

    >>> def judged(**levels): return Judged(Cell("", (), levels), Interval(0, 0, 0, 0), 0, OPEN, OPEN)
    >>> where([judged(network="CNN", data="A")], [judged(network="MLP", data="A"), judged(network="MLP", data="B")])
    'the network is CNN'
    """
    for factor in holding[0].cell.levels if holding else ():
        levels = dict.fromkeys(one.cell.levels.get(factor) for one in holding)
        if None not in levels and not any(one.cell.levels.get(factor) in (*levels, None) for one in rest):
            return f"the {factor} is {' or '.join(map(str, levels))}"
    if len(holding) <= 2:
        return f"in {' and '.join(one.cell.name for one in holding)}"
    return f"in {len(holding)} of {len(holding) + len(rest)} cells"


def _judged(cells: Sequence[Cell], criterion: Criterion) -> tuple[Judged, ...]:
    tested = [enough(cell.numbers) for cell in cells]
    p_holds = [criterion.p_holds(cell.numbers) if ok else 1.0 for cell, ok in zip(cells, tested, strict=True)]
    p_fails = [criterion.p_fails(cell.numbers) if ok else 1.0 for cell, ok in zip(cells, tested, strict=True)]
    # Cells that nobody can test are no part of the family.
    holm_holds, holm_fails = (_corrected(p, tested) for p in (p_holds, p_fails))
    return tuple(
        Judged(
            cell,
            criterion.interval(cell.numbers)
            if len(known(cell.numbers))
            else Interval(np.nan, np.nan, np.nan, 0),
            criterion.agreeing(cell.numbers),
            _state(p_holds[place] <= ONE_SIDE, p_fails[place] <= ONE_SIDE),
            _state(holm_holds[place], holm_fails[place]),
        )
        for place, cell in enumerate(cells)
    )


def _corrected(p_values: Sequence[float], tested: Sequence[bool]) -> np.ndarray:
    rejected = np.zeros(len(p_values), dtype=bool)
    rejected[np.flatnonzero(tested)] = holm(np.asarray(p_values)[np.flatnonzero(tested)])
    return rejected


def _state(holds: bool, fails: bool) -> str:
    return HOLDS if holds else FAILS if fails else OPEN


def _open(judged: Sequence[Judged]) -> str:
    """The open cells, and those that lack values, as a clause."""
    lacking = [one for one in judged if not enough(one.cell.numbers)]
    parts = [
        f"{one.cell.name}: only {one.interval.n} of {len(one.cell.numbers)} seeds have a value"
        for one in lacking[:2]
    ]
    if len(lacking) > 2:
        parts.append(f"{len(lacking) - 2} more cells lack values")
    counts = [sum(one.state == state for one in judged) for state in STATES]
    parts.append(f"{counts[0]} of {len(judged)} cells hold, {counts[1]} fail, {counts[2]} are open")
    return "; ".join(parts)
