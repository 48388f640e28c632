"""The error rates and coverage of the intervals and tests, by simulation with the study's structure."""

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.inference import coverage
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular


def table(study: StudyResults) -> str:
    """A row a method: how often it errs or covers, and how often it should; of no study's data."""
    del study
    groups = {
        "some of 12 cells called beyond its threshold": coverage.false_somewhere(),
        "true number inside the interval": coverage.coverage(),
    }
    rows = [
        {
            "Share of repetitions": question if place == 0 else "",
            "Method": latex.escape(one.method) + ("" if one.is_used else " (not used)"),
            "Simulated": latex.percent(one.measured),
            "Nominal": latex.percent(one.nominal),
        }
        for question, performances in groups.items()
        for place, one in enumerate(performances)
    ]
    return tabular(pd.DataFrame(rows), "@{}llrr@{}")
