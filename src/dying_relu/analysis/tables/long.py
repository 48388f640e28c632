"""Dead units after long training."""

import math

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.inference.means import mean_interval
from dying_relu.analysis.outcomes import trained
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular

EXPERIMENTS = ("long", "long_cnn")
NUMBERS = {
    "Test accuracy": "test_accuracy",
    "Newly dead": "new_dead_fraction",
    "Nearly dead": "nearly_dead_fraction",
}
"""Heading -> column of the table of runs, in per cent."""
FEWEST = 3
"""Seeds with which an interval is printed: that of two goes far beyond what a share can be."""


def table(study: StudyResults) -> str:
    """A row a setting and rate: networks that trained, and the means of their accuracy, newly dead and nearly dead shares."""
    runs = study.table("runs")
    runs = runs[runs["experiment"].isin(EXPERIMENTS)]
    if runs.empty:
        return latex.escape("The study at hand has no long training.") + "\n"
    groups = runs.groupby([*SETTING, "learning_rate"], sort=False)
    rows = [_row(dict(zip([*SETTING, "learning_rate"], key, strict=True)), group) for key, group in groups]
    return tabular(pd.DataFrame(rows), "@{}lllrrlll@{}")


def _row(setting: dict[str, object], runs: pd.DataFrame) -> dict[str, str]:
    good = runs[trained(runs)]
    dataset, architecture, optimiser = (latex.escape(latex.name(str(setting[key]))) for key in SETTING)
    return {
        "Data": dataset,
        "Network": architecture,
        "Optimiser": optimiser,
        "Rate": latex.number(float(str(setting["learning_rate"]))),
        "Trained": f"{len(good)} of {len(runs)}",
    } | {f"{heading}, \\%": _mean(good[column]) for heading, column in NUMBERS.items()}


def _mean(values: pd.Series) -> str:
    if values.empty:
        return latex.NOT_MEASURED
    mean, low, high, _ = mean_interval(values.to_numpy(dtype=float))
    return latex.hundredths(mean, *((low, high) if len(values) >= FEWEST else (math.nan, math.nan)))
