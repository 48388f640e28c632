"""The verdict on each claim, its estimate and the further numbers that the text quotes."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.claims.c11_tiny_slope import POST_SLOPE
from dying_relu.analysis.numbers.macro import Macro, macro, with_interval, words
from dying_relu.analysis.study_results import StudyResults
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

_OF_ONE = {
    r"\b(1 of \d+) cells hold\b": r"\1 cells holds",
    r"\b1 fail\b": "1 fails",
    r"\b1 are open\b": "1 is open",
    r"\b1 more cells lack\b": "1 more cell lacks",
    r"\b(1 of \d+) seeds have\b": r"\1 seeds has",
}
"""Where a note counts one cell or seed, its verb in the plural -> in the singular."""


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros of all claims, from the study's ``claims.csv``."""
    table = claims.on_claims(settled(study))
    macros = {"VerdictSummary": summary(table), "PostSlope": macro(POST_SLOPE, "number")}
    for row in table.to_dict("records"):
        macros |= of_row(row, f"Claim{LETTERS[int(row['claim'][1:])]}")
    return macros


def settled(study: StudyResults) -> pd.DataFrame:
    """The verdicts on claims and findings that the study's ``claims.csv`` holds.

    Raises:
        DyingReluError: there are none, or they are damaged.
    """
    path = study.folder / "claims.csv"
    if not path.is_file():
        raise DyingReluError(f"no verdicts at {path}", remedy="settle the claims first: dying-relu claims")
    return claims.everything(study)


def of_row(row: Mapping[Any, Any], prefix: str) -> dict[str, Macro]:
    """Macros of a claim or a finding.

    Args:
        row: of the verdicts.
        prefix: of the macros' names.
    """
    rules = (*claims.ordered(), *claims.ordered_findings())
    details_of = next(rule.details for rule in rules if rule.id == row["claim"])
    # A mean over seeds that count against a law is infinite.
    measured = math.isfinite(row["effect"])
    macros = {
        f"{prefix}Measured": Macro(measured, "1" if measured else "0"),
        f"{prefix}Verdict": words(verdict(row)),
        f"{prefix}Literal": words(literal(row)),
        f"{prefix}Note": macro(note(row), "words"),
        f"{prefix}Estimate": Macro(row["effect"] if measured else None, estimate(row)),
    }
    details = row["details"]
    return macros | {f"{prefix}{name}": _detail(details.get(name), form) for name, form in details_of.items()}


def _detail(value: Any, form: str) -> Macro:
    """A number or words, or a number with its interval: estimate, low and high."""
    if not isinstance(value, list):
        return macro(value, form)
    effect, low, high = value
    return Macro(effect, with_interval(effect, low, high, form))


def verdict(row: Mapping[Any, Any]) -> str:
    """The verdict of a row, with its condition where it holds only under one.

    >>> verdict({"verdict": "holds only if", "condition": "in 3 of 4 cells"})
    'holds only in 3 of 4 cells'
    """
    return f"{row['verdict']} {row['condition']}".rstrip().replace("only if in ", "only in ")


def literal(row: Mapping[Any, Any]) -> str:
    """The verdict on the literal reading of a claim; its condition is not kept.

    >>> literal({"literal": "holds only if"}), literal({"literal": ""})
    ('holds only in some cells', 'the same')
    """
    return {"": "the same", claims.HOLDS_ONLY_IF: "holds only in some cells"}.get(
        row["literal"], row["literal"]
    )


def note(row: Mapping[Any, Any]) -> str:
    """The note of a row of verdicts, in which a verb has the number of what it counts.

    >>> note({"note": "1 of 3 cells hold, 1 fail, 1 are open"})
    '1 of 3 cells holds, 1 fails, 1 is open'
    >>> note({"note": "11 of 23 cells hold, 11 fail, 1 are open"})
    '11 of 23 cells hold, 11 fail, 1 is open'
    """
    text = str(row["note"])
    for plural, singular in _OF_ONE.items():
        text = re.sub(plural, singular, text)
    return text


def estimate(row: Mapping[Any, Any]) -> str:
    """The effect of a row of verdicts with its interval, as LaTeX."""
    if not math.isfinite(row["effect"]):
        return latex.NOT_MEASURED
    return with_interval(row["effect"], row["low"], row["high"], row["unit"])


def summary(table: pd.DataFrame) -> Macro:
    """The number of claims, or findings, with each verdict, as the predicate of a sentence.

    Args:
        table: a row a claim, or a finding.
    """
    groups = {verdict: list(table.loc[table["verdict"] == verdict, "claim"]) for verdict in claims.VERDICTS}
    clauses = [
        f"{latex.word(len(ids))} {predicate(verdict, len(ids))}" for verdict, ids in groups.items() if ids
    ]
    counts = {verdict: len(ids) for verdict, ids in groups.items()}
    return Macro(json.dumps(counts), latex.listed(clauses))


def predicate(verdict: str, count: int) -> str:
    """A verdict as the predicate of a sentence.

    Args:
        verdict: one of the four.
        count: number of claims that the sentence is about.

    >>> predicate("holds only if", 2), predicate("does not hold", 1), predicate("not settled", 3)
    ('hold only under a condition', 'does not hold', 'are not settled')
    """
    one = {
        claims.HOLDS: "holds",
        claims.HOLDS_ONLY_IF: "holds only under a condition",
        claims.DOES_NOT_HOLD: "does not hold",
        claims.NOT_SETTLED: "is not settled",
    }[verdict]
    return one if count == 1 else one.replace("holds", "hold").replace("does", "do").replace("is", "are")
