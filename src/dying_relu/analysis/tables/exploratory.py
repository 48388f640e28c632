"""Experiments without a hypothesis: what was compared, and the median seeds."""

import math

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.exploratory import Comparison, Level, comparisons
from dying_relu.analysis.inference.seeds import known, median_interval
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular

NO_ROW = {"Experiment": "--", "Compared": "No such experiment was run.", "Median seed, \\%": "--"}
"""What the table has of a study without these experiments."""


def table(study: StudyResults) -> str:
    """A row a comparison: the experiment, the measure and setting, and the median seed of every level with its exact interval."""
    every = comparisons(Evidence(study))
    rows = [_row(one, before) for before, one in zip([None, *every], every, strict=False)]
    column = r">{\raggedright\arraybackslash}p"
    return tabular(pd.DataFrame(rows or [NO_ROW]), rf"@{{}}l{column}{{1.9in}}{column}{{3.2in}}@{{}}")


def _row(one: Comparison, before: Comparison | None) -> dict[str, str]:
    again = before is not None and one.experiment == before.experiment
    cells = (f"{latex.escape(level.words)}: {median(level)}" for level in one.levels)
    return {
        "Experiment": "" if again else rf"\texttt{{{latex.escape(one.experiment)}}}",
        "Compared": latex.escape(one.words),
        "Median seed, \\%": "; ".join(cells),
    }


def median(level: Level) -> str:
    r"""The median seed in per cent with its exact interval, and how many seeds it rests on where some have no finite network.

    Args:
        level: of a comparison.

    >>> median(Level("raw", (0.1,) * 19 + (float("nan"),)))
    '\\num{10} (19 of 20 seeds)'
    """
    values = known(level.numbers)
    if not len(values):
        return "all overflowed"
    middle, *ends, seeds = median_interval(values)
    low, high = (end if math.isfinite(end) else math.nan for end in ends)
    of_all = "" if seeds == len(level.numbers) else f" ({seeds} of {len(level.numbers)} seeds)"
    return latex.hundredths(middle, low, high) + of_all
