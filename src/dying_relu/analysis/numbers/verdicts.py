"""The verdict on each claim, its estimate and the further numbers that the text quotes."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.claims.c11_tiny_slope import POST_SLOPE
from dying_relu.analysis.claims.verdict import MIN_REPLICATES
from dying_relu.analysis.numbers.macro import Macro, macro, with_interval, words
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.thresholds import PAPER
from dying_relu.errors import DyingReluError

LETTERS = dict(
    enumerate(
        [
            "One",
            "Two",
            "Three",
            "Four",
            "Five",
            "Six",
            "Seven",
            "Eight",
            "Nine",
            "Ten",
            "Eleven",
            "Twelve",
            "Thirteen",
            "Fourteen",
            "Fifteen",
            "Sixteen",
            "Seventeen",
            "Eighteen",
            "Nineteen",
            "Twenty",
        ],
        start=1,
    )
)
"""Names of macros cannot hold digits: claim C6 is ClaimSix."""


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros of all claims, from the study's ``claims.csv``."""
    path = study.folder / "claims.csv"
    if not path.is_file():
        raise DyingReluError(f"no verdicts at {path}", remedy="settle the claims first: dying-relu claims")
    table = claims.verdicts(study)
    macros = _summary(table) | _thresholds()
    for row in table.to_dict("records"):
        macros |= _claim(row)
    return macros


def _claim(row: Mapping[Any, Any]) -> dict[str, Macro]:
    claim = next(claim for claim in claims.ordered() if claim.id == row["claim"])
    prefix = f"Claim{LETTERS[int(claim.id[1:])]}"
    measured = not pd.isna(row["effect"])
    macros = {
        f"{prefix}Measured": Macro(measured, "1" if measured else "0"),
        f"{prefix}Verdict": words(row["verdict"]),
        f"{prefix}Note": macro(row["note"], "words"),
        f"{prefix}Estimate": Macro(row["effect"] if measured else None, estimate(row)),
    }
    details = row["details"]
    return macros | {
        f"{prefix}{name}": _detail(details.get(name), form) for name, form in claim.details.items()
    }


def _detail(value: Any, form: str) -> Macro:
    """A number or words, or a number with its interval: estimate, low and high."""
    if not isinstance(value, list):
        return macro(value, form)
    effect, low, high = value
    return Macro(effect, with_interval(effect, low, high, form))


def estimate(row: Mapping[Any, Any]) -> str:
    """The effect of a row of verdicts with its interval, as LaTeX."""
    if pd.isna(row["effect"]):
        return latex.NOT_MEASURED
    return with_interval(row["effect"], row["low"], row["high"], row["unit"])


def _summary(table: pd.DataFrame) -> dict[str, Macro]:
    """How many claims have which verdict, and which they are, as the predicate of a sentence."""
    predicates = {
        claims.SUPPORTED: "supported",
        claims.LIMITED: "supported with a limit",
        claims.REFUTED: "refuted",
        claims.NOT_ENOUGH_DATA: "left open for want of data",
    }
    groups = {verdict: list(table.loc[table["verdict"] == verdict, "claim"]) for verdict in claims.VERDICTS}
    clauses = [
        f"{latex.word(len(ids))} {'is' if len(ids) == 1 else 'are'} {predicates[verdict]} "
        f"({latex.listed(ids)})"
        for verdict, ids in groups.items()
        if ids
    ]
    counts = {verdict: len(ids) for verdict, ids in groups.items()}
    return {"VerdictSummary": Macro(json.dumps(counts), latex.listed(clauses))}


def _thresholds() -> dict[str, Macro]:
    return {
        "MinReplicates": macro(MIN_REPLICATES, "number"),
        "ForeverShare": macro(PAPER.forever, "percent"),
        "LargePart": macro(PAPER.large_part, "percent"),
        "MattersPoints": macro(PAPER.matters, "points"),
        "DoomedShare": macro(PAPER.doomed, "percent"),
        "AccuracyMatters": macro(PAPER.accuracy_matters, "points"),
        "PostSlope": macro(POST_SLOPE, "number"),
    }
