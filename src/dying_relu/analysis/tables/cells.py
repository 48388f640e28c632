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
_UNITS = {"percent": r"\,\%", "points": " points"}
_THRESHOLD = re.compile(
    r"olds if (?:(?!\. ).)*?\b(?P<sides>above|below|within) "
    r"(?P<numbers>-?\d+(?:\.\d+)?(?: and -?\d+(?:\.\d+)?)?)(?P<unit>%| points?|)"
)


def table(study: StudyResults) -> str:
    """A row a cell of each finding and claim: the threshold, the median with its interval, the seeds that agree, and the state."""
    verdicts = claims.everything(study)
    rules = pd.concat([claims.on_findings(verdicts), claims.on_claims(verdicts)])
    rows = [row for rule in rules.to_dict("records") for row in _rows(rule)]
    return long_tabular(pd.DataFrame(rows or [NO_ROW]), r"@{}ll>{\raggedright\arraybackslash}p{2.1in}lll@{}")


def threshold(rule: str, unit: str) -> str:
    r"""The threshold of a rule in the unit of its cells as LaTeX; empty if the rule's sentence on what holds names none.

    Args:
        rule: in words; a bare number in it is no percentage.
        unit: of the verdict: "percent", "points" or "number".

    >>> threshold("Each seed: a share. Holds if above 95%. Literal: above 0.", "percent")
    'above \\num{95}\\,\\%'
    >>> threshold("A cell holds if the whole interval lies within -0.1 and 0.1.", "points")
    'within \\num{-10} and \\num{10} points'
    >>> threshold("Holds if all are equal. Literal: above 0.", "number")
    ''
    """
    match = _THRESHOLD.search(rule)
    if not match:
        return ""
    factor = 100 if unit in _UNITS and not match["unit"] else 1
    numbers = [factor * float(number) for number in match["numbers"].split(" and ")]
    printed = " and ".join(rf"\num{{{number:g}}}" for number in numbers)
    # "1 point", but "10 points".
    after = match["unit"] if match["unit"].startswith(" point") else _UNITS.get(unit, "")
    return f"{match['sides']} {printed}{after}"


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
    firsts = (_SPACE + latex.escape(rule["claim"]), threshold(rule["rule"], rule["unit"]))
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
