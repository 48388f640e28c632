"""The learning rate that kills half of the units."""

import math

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.inference.doses import crossings
from dying_relu.analysis.outcomes import finite
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular

LEVEL = 0.5
"""Share of the hidden units."""


def table(study: StudyResults) -> str:
    """A row for each data set, architecture and optimiser: the rate with its interval; ReLU, initial bias 0.

    Each seed's rate is read between those at which its network trains, so that where the network collapses first no rate is found.
    """
    runs = study.table("runs")
    runs = runs[runs["experiment"].isin(["causes", "optimisers"]) & (runs["activation"] == "relu")]
    runs = runs[runs["initial_bias"] == 0]
    if runs.empty:
        return latex.escape("The study has no ReLU networks with initial bias 0.") + "\n"
    # Both experiments may have the same network.
    runs = runs.drop_duplicates([*SETTING, "learning_rate", "replicate"])
    found = crossings(runs, SETTING, "learning_rate", "dead_fraction", LEVEL)
    runs_of = runs.groupby(SETTING)["learning_rate"].agg(runs="size", edge="max").reset_index()
    runs = runs.assign(finite=finite(runs))
    safe = runs[runs.groupby([*SETTING, "learning_rate"])["finite"].transform("all")]
    highest = safe.groupby(SETTING)["learning_rate"].max().rename("highest").reset_index()
    found = found.merge(highest, on=SETTING, how="left").merge(runs_of, on=SETTING)
    rows = [_row(row) for row in found.to_dict("records")]
    return tabular(pd.DataFrame(rows), "@{}lllrrrr@{}")


def _row(row: dict) -> dict[str, str]:
    return {
        "Data": latex.escape(latex.name(row["dataset"])),
        "Network": latex.escape(latex.name(row["architecture"])),
        "Optimiser": latex.escape(latex.name(row["optimiser"])),
        "Half dead from": _rate(row["estimate"]),
        "Interval": _interval(row["low"], row["high"]),
        "Highest finite rate": _highest(row),
        "Not trained": f"{latex.number(row['untrained'])} of {latex.number(row['runs'])}",
    }


def _highest(row: dict) -> str:
    """At the edge of the grid nobody knows whether a higher rate is safe, too."""
    rate = latex.number(row["highest"])
    return rf"$\ge$ {rate}" if row["highest"] == row["edge"] else rate


def _interval(low: float, high: float) -> str:
    # Where no seed reaches the level, the estimate has said so.
    return "---" if math.isinf(low) or math.isnan(low) else f"{_rate(low)} to {_rate(high)}"


def _rate(rate: float) -> str:
    if math.isnan(rate):
        return latex.NOT_MEASURED
    if math.isinf(rate):
        return "not reached"
    return latex.number(rate) if rate else "the lowest"
