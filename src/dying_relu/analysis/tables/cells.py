"""The cells of every verdict, each with what a reader needs to judge it."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.numbers.macro import with_interval
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import long_tabular

NO_ROW = {"": "--", "Holds if": "--", "Cell": "There is none.", "Median": "--", "Agree": "--", "State": "--"}
"""What the table has where no rule has a cell."""

_SPACE = r"\addlinespace[2pt]"
_THRESHOLD = re.compile(
    r"olds if (?:(?!\. ).)*?\b((?:above|below|within) -?\d+(?:\.\d+)?(?: and -?\d+(?:\.\d+)?)?(?:%| points?)?)"
)


def table(study: StudyResults) -> str:
    """A row a cell of each finding and claim: the threshold, the median with its interval, the seeds that agree, and the state."""
    verdicts = claims.everything(study)
    rules = pd.concat([claims.on_findings(verdicts), claims.on_claims(verdicts)])
    rows = [row for rule in rules.to_dict("records") for row in _rows(rule)]
    return long_tabular(pd.DataFrame(rows or [NO_ROW]), r"@{}ll>{\raggedright\arraybackslash}p{2.1in}lll@{}")


def threshold(rule: str) -> str:
    r"""The threshold of a rule as LaTeX; empty if the rule's sentence on what holds names none.

    Args:
        rule: in words.

    >>> threshold("Each seed: a share. Holds if above 95%. Literal: above 0.")
    'above \\qty{95}{\\percent}'
    >>> threshold("A cell holds if the whole interval lies within -10 and 10 points.")
    'within $-$10 and 10 points'
    >>> threshold("Holds if all are equal. Literal: above 0.")
    ''
    """
    match = _THRESHOLD.search(rule)
    return latex.with_minus_signs(re.sub(r"(\S+)%", r"\\qty{\1}{\\percent}", match[1])) if match else ""


def median(cell: Mapping[str, Any], unit: str) -> str:
    r"""The median of a cell with its interval as LaTeX.

    Args:
        cell: of a verdict, as the table of verdicts has it, with None for what is not finite.
        unit: of the verdict.

    >>> median({"estimate": 0.5, "low": 0.25, "high": 0.75, "seeds": 20}, "number")
    '\\num{0.5} [\\num{0.25}, \\num{0.75}]'
    >>> median({"estimate": 2, "low": None, "high": None, "seeds": 5}, "number")
    '\\num{2} [$-\\infty$, $\\infty$]'
    >>> median({"estimate": None, "low": None, "high": None, "seeds": 20}, "number")
    '$\\infty$'
    """
    if not cell["seeds"]:
        return latex.NOT_MEASURED
    # Only a law's errors are ever infinite: a seed counts against it.
    if cell["estimate"] is None:
        return r"$\infty$"
    low, high = (
        end if cell[name] is None else cell[name] for name, end in (("low", -math.inf), ("high", math.inf))
    )
    return with_interval(cell["estimate"], low, high, unit)


def _rows(rule: Mapping[Any, Any]) -> Iterator[dict[str, str]]:
    """The rows of a finding or claim; the first one has its name and threshold, and a thin space above."""
    firsts = (_SPACE + latex.escape(rule["claim"]), threshold(rule["rule"]))
    for place, cell in enumerate(rule["cells"]):
        name, beyond = ("", "") if place else firsts
        yield {
            "": name,
            "Holds if": beyond,
            "Cell": latex.with_minus_signs(latex.escape(cell["name"])),
            "Median": median(cell, rule["unit"]),
            "Agree": f"{cell['agreeing']} of {cell['seeds']}",
            "State": cell["state"] if cell["state"] == cell["corrected"] else rf"{cell['state']}$^\ast$",
        }
