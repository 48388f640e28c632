"""The verdict on each claim, in words that need no other page."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.claims.c11_tiny_slope import POST_SLOPE
from dying_relu.analysis.numbers.agreement import agreement
from dying_relu.analysis.numbers.verdicts import estimate, literal, verdict
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular
from dying_relu.analysis.thresholds import PAPER


class Wording(NamedTuple):
    """A claim in a reader's words.

    Attributes:
        says: what the post says.
        asked: what was measured, and the threshold beyond which the claim holds.
    """

    says: str
    asked: str


WORDINGS = {
    "C1": Wording(
        "A ReLU returns its input if that is positive, and 0 otherwise",
        "Largest deviation of the trained function",
    ),
    "C2": Wording(
        "A dead unit outputs 0 for any input",
        f"Units dead on all training examples: share dead on all test examples, too (above {100 * PAPER.nearly_all:g} %)",
    ),
    "C3": Wording(
        "After negative input a unit is unlikely to recover",
        f"Units silent on all training examples: share active at the next checkpoint (below {100 * PAPER.unlikely:g} %)",
    ),
    "C4": Wording(
        "A dead unit is dead for ever and plays no role",
        f"Units dead at some checkpoint: share alive at the end (below {100 * PAPER.forever:g} %); and removing them changes nothing",
    ),
    "C5": Wording(
        "A large part of a network may end up doing nothing",
        f"Units newly dead in networks that trained, at the setting with most deaths (above {100 * PAPER.large_part:g} %)",
    ),
    "C6": Wording(
        "Too high a learning rate kills",
        f"Dead share at the highest useful rate minus that at the lowest (above {100 * PAPER.matters:g} points)",
    ),
    "C7": Wording(
        "A large negative bias kills",
        f"Dead share at initial bias -4 minus that at 0 (above {100 * PAPER.matters:g} points)",
    ),
    "C8": Wording(
        "An update adds the bias to the weight",
        "Trivial, as gradient descent has two updates; updates of dead units that move their weights",
    ),
    "C9": Wording(
        "A rate too high makes weights negative, which kills",
        "Share of negative weights: its change in the update that kills, minus that of living units "
        f"(above {100 * PAPER.more_negative:g} point)",
    ),
    "C10": Wording(
        "Leaky ReLU is the most effective remedy",
        "Accuracy of leaky ReLU minus that of the best other remedy, each at its own best rate "
        f"(above {-100 * PAPER.accuracy_matters:g} point)",
    ),
    "C11": Wording(
        f"A slope of {POST_SLOPE:g} is enough",
        f"Of what the best slope gains where ReLU collapses: the part that {POST_SLOPE:g} gains (above {100 * PAPER.enough_gain:g} %)",
    ),
    "C12": Wording(
        "PReLU learns its slope",
        f"Distance of the learned slope from where it began (above {PAPER.slope_moves:g})",
    ),
    "C13": Wording(
        "A lower rate often helps",
        f"Settings that lose units: share in which a tenth of the rate leaves fewer dead (above {100 * PAPER.often:g} %)",
    ),
}
"""Of the post's claims; a claim of an extension has its own words."""


def table(study: StudyResults) -> str:
    """A row a claim: what the post says, what was asked, the estimate with its interval, the seeds that agree, and the verdict."""
    rows = [_row(row) for row in claims.verdicts(study).to_dict("records")]
    column = r">{\raggedright\arraybackslash}p"
    return tabular(
        pd.DataFrame(rows),
        rf"@{{}}l{column}{{1.2in}}{column}{{1.7in}}{column}{{0.9in}}{column}{{0.75in}}{column}{{1.18in}}@{{}}",
    )


def _row(row: Mapping[Any, Any]) -> dict[str, str]:
    wording = WORDINGS.get(row["claim"], Wording(row["statement"], row["measure"]))
    return {
        "": row["claim"],
        "The post says": latex.escape(wording.says),
        "Asked": latex.with_minus_signs(latex.escape(wording.asked)),
        "Estimate (interval)": estimate(row),
        "Agree": latex.escape(agreement(row["cells"])) if row["cells"] else "--",
        "Verdict": _verdict(row),
    }


def _verdict(row: Mapping[Any, Any]) -> str:
    """The verdict, with that of the literal reading where it is another one."""
    words = verdict(row).removesuffix(row["condition"]).strip()
    shown = rf"\textbf{{{words}}} {latex.with_minus_signs(latex.escape(row['condition']))}".rstrip()
    if row["literal"] and row["literal"] != row["verdict"]:
        return f"{shown}; literally: {literal(row)}"
    return shown
