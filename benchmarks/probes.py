"""Which dead units the probe and others find in the same models, and what they cost beside a plain forward pass.

The others count dead units layer by layer and do not name them, so counts are compared: of a layer with d dead units a method that
reports r has found min(r, d) and invented max(r - d, 0). Each gets the data as its documentation says.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import torch

from benchmarks.probe_cases import Case, Counts, cases
from benchmarks.probe_methods import ONE_BATCH, installed_methods
from dying_relu.files.atomic import atomic_path

PROBES = pa.DataFrameSchema(
    {
        "model": pa.Column(str),
        "method": pa.Column(str),
        "dead": pa.Column("int64", pa.Check.ge(0)),
        "found": pa.Column(float, pa.Check.ge(0), nullable=True),
        "invented": pa.Column(float, pa.Check.ge(0), nullable=True),
        "plain_ms": pa.Column(float, pa.Check.gt(0)),
        "times_plain": pa.Column(float, pa.Check.gt(0), nullable=True),
        "rounds": pa.Column("int64", pa.Check.ge(1)),
    },
    unique=["model", "method"],
    strict=True,
    coerce=True,
    ordered=True,
    name="probes",
)
"""Found, invented and times_plain are missing where a method fails on a model."""


def plain(case: Case, batches: int) -> None:
    """A forward pass over the first ``batches``."""
    with torch.no_grad():
        for batch in case.batches[:batches]:
            case.model(batch)


def run(out: Path, rounds: int = 9, chosen: tuple[str, ...] = ()) -> pd.DataFrame:
    """Measure, and write ``probes.csv`` to the folder ``out``; medians of ratios within a round, all methods in turn."""
    every = cases()
    methods = installed_methods()
    rows = [row for name in chosen or every for row in _rows(name, every[name], rounds, methods)]
    table = PROBES.validate(pd.DataFrame(rows, columns=list(PROBES.columns)))
    with atomic_path(out / "probes.csv") as scratch:
        table.to_csv(scratch, index=False)
    return table


def _rows(
    name: str, case: Case, rounds: int, methods: dict[str, Callable[[Case], Counts]]
) -> list[list[object]]:
    counts = {method: _counts(name, method, find, case) for method, find in methods.items()}
    plains: list[float] = []
    ratios: dict[str, list[float]] = {method: [] for method in methods}
    for _ in range(rounds):
        for method, find in methods.items():
            batches = 1 if method in ONE_BATCH else len(case.batches)
            alone = _seconds(partial(plain, case, batches))
            plains.append(alone / batches)
            if counts[method] is not None:
                ratios[method].append(_seconds(partial(find, case)) / alone)
    dead = int(sum(case.truth.values()))
    milliseconds = 1000 * statistics.median(plains)
    return [
        [
            name,
            method,
            dead,
            *((None, None) if (reported := counts[method]) is None else _score(reported, case.truth)),
            milliseconds,
            statistics.median(times) if times else None,
            rounds,
        ]
        for method, times in ratios.items()
    ]


def _counts(name: str, method: str, find: Callable[[Case], Counts], case: Case) -> Counts | None:
    """What a method reports; None, and a line, if it fails."""
    try:
        return find(case)
    except Exception as error:  # noqa: BLE001 - of packages that are not ours
        print(f"{method} fails on {name}: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
        return None


def _score(reported: Counts, truth: Counts) -> tuple[float, float]:
    """How many were found, and how many invented."""
    found = sum(min(reported.get(layer, 0), dead) for layer, dead in truth.items())
    return found, sum(max(count - truth.get(layer, 0), 0) for layer, count in reported.items())


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def markdown(table: pd.DataFrame) -> str:
    """The table of README.md, a row a model and method."""
    lines = [
        "| model | method | dead | found | invented | times a plain forward pass |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    rows: list[dict[Any, Any]] = table.to_dict("records")
    for row in rows:
        failed = pd.isna(row["found"])
        result = (
            "fails | |"
            if failed
            else f"{row['found']:.0f} | {row['invented']:.0f} | {row['times_plain']:.2f}"
        )
        lines.append(f"| {row['model']} | {row['method']} | {row['dead']} | {result} |")
    return "\n".join(lines)
