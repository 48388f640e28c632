"""All claims and findings at once: from the tables of a study to the table of verdicts, and back from its file."""

import json
import math
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from dying_relu import extensions
from dying_relu.analysis import entries
from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.verdict import CLAIMS, FINDINGS, Claim, Detail, Finding
from dying_relu.analysis.inference.decisions import Judged
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.study_results import StudyResults
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.files.atomic import atomic_path
from dying_relu.results import store
from dying_relu.results.origin import PARTS, described, of_verdicts

COLUMNS = [
    "claim",
    "statement",
    "verdict",
    "condition",
    "effect",
    "low",
    "high",
    "n",
    "unit",
    "experiment",
    "measure",
    "rule",
    "note",
    "literal",
    "literal_note",
    "cells",
    "details",
    *PARTS,
]


def ordered() -> list[Claim]:
    """The claims in the post's order, C1 first; those of extensions, too."""
    _load(entries.CLAIMS)
    return sorted(CLAIMS.values(), key=lambda claim: int(claim.id[1:]))


def ordered_findings() -> list[Claim]:
    """The findings in the plan's order, F1a first; those of extensions, too."""
    _load(entries.FINDINGS)
    return sorted(FINDINGS.values(), key=lambda finding: finding.id)


def _load(room: entries.Room) -> None:
    for name in room.names():
        room.load(name)
    extensions.load()


def settle(results_folder: Path, ids: Collection[str] | None = None) -> pd.DataFrame:
    """The verdicts on the claims and findings from the tables in ``results_folder``.

    Args:
        results_folder: of a study.
        ids: the claims and findings to settle; None: all.

    Returns:
        A row a claim, then a row a finding, with ``COLUMNS``: ``condition`` of a verdict that holds only under one, ``effect``, the
        mean over cells with its t interval ``low`` to ``high`` over seeds (NaN where there is none), ``n`` networks it rests on,
        ``literal``, the verdict of the literal reading, empty where that is not another one, ``cells`` as a JSON list and ``details``,
        further numbers the paper quotes, as a JSON object; then what the numbers follow from (:mod:`dying_relu.results.origin`),
        which a CSV file has no other place for.

    Raises:
        DyingReluError: a table is missing or damaged, or the tables are not of one study.
    """
    made_of = of_verdicts(store.origin_of_study(results_folder)) | {"code": entries.rules_digest()}
    return settled_by(Evidence(StudyResults(results_folder)), ids).assign(**described(made_of))[COLUMNS]


def settled_by(evidence: Evidence, ids: Collection[str] | None = None) -> pd.DataFrame:
    """Settle claims and findings by evidence that is already in memory.

    Args:
        evidence: of a study.
        ids: the claims and findings to settle; None: all.

    Returns:
        The table of :func:`settle` without the columns of the numbers' origin.
    """
    rules = [rule for rule in [*ordered(), *ordered_findings()] if ids is None or rule.id in ids]
    return pd.DataFrame([_row(rule, rule.finding(evidence)) for rule in rules])


def write(verdicts: pd.DataFrame, out: Path) -> None:
    """Write verdicts to a CSV file, with its checksum beside it.

    Args:
        verdicts: the table of :func:`settle`.
        out: file to write.
    """
    with atomic_path(out) as beside:
        verdicts.to_csv(beside, index=False)
    checksums.write_beside(out)


def verdicts(study: StudyResults) -> pd.DataFrame:
    """The verdicts on the claims that the study's ``claims.csv`` holds; see :func:`read`."""
    return on_claims(everything(study))


def findings(study: StudyResults) -> pd.DataFrame:
    """The verdicts on the findings that the study's ``claims.csv`` holds; see :func:`read`."""
    return on_findings(everything(study))


def on_claims(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of :func:`settle` that are on claims.

    Args:
        table: of :func:`settle` or :func:`read`.
    """
    return table[table["claim"].isin(CLAIMS)].reset_index(drop=True)


def on_findings(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of :func:`settle` that are on findings.

    Args:
        table: of :func:`settle` or :func:`read`.
    """
    return table[table["claim"].isin(FINDINGS)].reset_index(drop=True)


def everything(study: StudyResults) -> pd.DataFrame:
    """The verdicts on claims and findings that the study's ``claims.csv`` holds; see :func:`read`."""
    return study.remember("verdicts", lambda: read(study.folder / "claims.csv"))


def read(path: Path) -> pd.DataFrame:
    """The table of :func:`settle`, from the CSV file at ``path``.

    Raises:
        DyingReluError: there is no such file, it has changed, or it is not a table of the verdicts on all claims and findings.
    """
    checksums.check(path)
    try:
        table = pd.read_csv(
            path,
            keep_default_na=False,
            converters={"details": json.loads, "cells": json.loads},
            na_values=dict.fromkeys(("effect", "low", "high"), ""),
        )
    except FileNotFoundError as error:
        raise DyingReluError(
            f"no verdicts at {path}", remedy="run the study first: snakemake --cores all"
        ) from error
    except ValueError as error:
        raise _damaged(path, str(error), "a table of verdicts") from error
    if list(table.columns) != COLUMNS:
        raise _damaged(path, f"the columns {', '.join(table.columns)}", ", ".join(COLUMNS))
    known = [rule.id for rule in [*ordered(), *ordered_findings()]]
    if list(table["claim"]) != known:
        raise _damaged(path, f"verdicts on {', '.join(table['claim'])}", f"one on each of {', '.join(known)}")
    return table


def _damaged(path: Path, found: str, expected: str) -> DyingReluError:
    return DyingReluError(
        f"{path} does not hold the verdicts on all claims and findings",
        found=found,
        expected=expected,
        remedy="delete it and run the study again",
    )


def _row(claim: Claim, finding: Finding) -> dict[str, object]:
    effect, literal = finding.effect, finding.literal
    return {
        "claim": claim.id,
        "statement": claim.statement,
        "verdict": finding.verdict,
        "condition": finding.condition,
        "effect": effect.estimate if effect else None,
        "low": effect.low if effect else None,
        "high": effect.high if effect else None,
        "n": finding.runs,
        "unit": claim.unit,
        "experiment": claim.experiment,
        "measure": claim.measure,
        "rule": claim.rule,
        "note": finding.note,
        "literal": literal.verdict if literal else "",
        "literal_note": literal.note if literal else "",
        "cells": json.dumps([_cell(judged) for judged in finding.cells]),
        "details": json.dumps({name: _plain(value) for name, value in finding.details.items()}),
    }


def _cell(judged: Judged) -> dict[str, object]:
    """A cell as JSON: its name, its median (or share of seeds) with its exact interval, the seeds that agree, and its state."""
    interval = judged.interval
    return {
        "name": judged.cell.name,
        "estimate": _plain(interval.estimate),
        "low": _plain(interval.low),
        "high": _plain(interval.high),
        "agreeing": judged.agreeing,
        "seeds": interval.n,
        "state": judged.state,
        "corrected": judged.corrected,
    }


def _plain(value: Detail) -> object:
    """A detail as JSON has it: whole numbers without a point, null for what is not finite, an interval as estimate, low and high."""
    if isinstance(value, str):
        return value
    if isinstance(value, Interval):
        return [_plain(end) for end in (value.estimate, value.low, value.high)]
    number = float(value)
    return (int(number) if number.is_integer() else number) if math.isfinite(number) else None
