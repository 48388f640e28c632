"""The verdicts that another threshold changes."""

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.sensitivity import other_thresholds
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular

NO_ROW = {"": "--", "Threshold": "No verdict changes.", "Moved": "--", "Verdict": "--", "Becomes": "--"}
"""What the table has where every verdict stays."""


def table(study: StudyResults) -> str:
    """A row a verdict that changes: the threshold, its value in the paper and the one instead, and the verdicts by both."""
    verdicts = other_thresholds(study)
    changed = verdicts[verdicts["changed"]]
    order = changed["claim"].map(_place).sort_values(kind="stable").index
    rows = [_row(row) for row in changed.loc[order].to_dict("records")]
    return tabular(pd.DataFrame(rows or [NO_ROW]), "@{}lllll@{}")


def _place(claim: str) -> tuple[str, int, str]:
    """Claims in their order, then findings in theirs."""
    digits = "".join(letter for letter in claim if letter.isdigit())
    return claim[0], int(digits), claim


def _row(row: dict[object, object]) -> dict[str, str]:
    return {
        "": latex.escape(str(row["claim"])),
        "Threshold": latex.escape(latex.named(str(row["threshold"]))),
        "Moved": f"{latex.number(float(str(row['paper'])))} to {latex.number(float(str(row['value'])))}",
        "Verdict": latex.escape(str(row["by_paper"])),
        "Becomes": latex.escape(str(row["verdict"])),
    }
