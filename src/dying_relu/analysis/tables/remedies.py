"""Remedies side by side: the changes of each against ReLU, in the settings that both were trained in."""

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.inference.means import mean_over_cells
from dying_relu.analysis.inference.summaries import pairs
from dying_relu.analysis.outcomes import trained, untrained
from dying_relu.analysis.remedies import BASELINE, side_by_side
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular

Cells = dict[tuple[str, str], str]
CASE = [*SETTING, "initial_bias"]


def table(study: StudyResults) -> str:
    """A row a remedy, at the highest rate: settings, changes of dead fraction and accuracy against ReLU, and pairs not trained.

    Changes are means over settings of differences of twins; of the accuracy, those in the worst and in the best setting stand beside the
    mean. Pairs of which a network did not train are counted and are in no mean. The first row is ReLU itself.
    """
    runs = side_by_side(study.table("runs"))
    if runs.empty:
        return latex.escape("The study has no experiment remedies.") + "\n"
    rate = runs["learning_rate"].max()
    runs = runs[runs["learning_rate"] == rate].sort_values("remedy", kind="stable").astype({"remedy": str})
    head = f"at learning rate {latex.number(rate)}, change in points"
    rows = [_itself(runs[runs["remedy"] == BASELINE], head)]
    dead = pairs(runs, CASE, "remedy", BASELINE, "dead_fraction")
    accuracy = pairs(runs, CASE, "remedy", BASELINE, "test_accuracy")
    # Both hold the same pairs, in the same order.
    rows += [
        _changes(str(remedy), group, accuracy.loc[group.index], head)
        for remedy, group in dead.groupby("remedy", sort=False)
    ]
    return tabular(pd.DataFrame(rows, columns=pd.MultiIndex.from_tuples(list(rows[0]))), "@{}lrlllr@{}")


def _itself(relu: pd.DataFrame, head: str) -> Cells:
    by_setting = relu.groupby(CASE)["test_accuracy"].mean()
    ends = [latex.percent(end) for end in (by_setting.min(), by_setting.max())]
    return {
        ("", "Remedy"): BASELINE,
        ("", "Settings"): latex.number(len(by_setting)),
        (head, "dead units"): latex.percent(relu["dead_fraction"].mean()),
        (head, "accuracy"): latex.percent(relu["test_accuracy"].mean()),
        (head, "accuracy by setting"): _range(ends),
        ("", "Not trained"): _untrained(relu),
    }


def _changes(remedy: str, dead: pd.DataFrame, accuracy: pd.DataFrame, head: str) -> Cells:
    both = accuracy[trained(accuracy)]
    by_setting = both.groupby(CASE)["difference"].mean()
    ends = [latex.hundredths(end, end, end) for end in (by_setting.min(), by_setting.max())]
    return {
        ("", "Remedy"): latex.escape(remedy),
        ("", "Settings"): latex.number(len(dead[CASE].drop_duplicates())),
        (head, "dead units"): _mean(dead[trained(dead)]),
        (head, "accuracy"): _mean(both),
        (head, "accuracy by setting"): _range(ends),
        ("", "Not trained"): _untrained(accuracy),
    }


def _range(ends: list[str]) -> str:
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _mean(paired: pd.DataFrame) -> str:
    """Over settings, with its t interval over seeds."""
    if paired.empty:
        return latex.NOT_MEASURED
    by_seed = paired.pivot_table(index="replicate", columns=CASE, values="difference")
    return latex.hundredths(*mean_over_cells(by_seed)[:3])


def _untrained(runs: pd.DataFrame) -> str:
    return f"{latex.number(untrained(runs).sum())} of {latex.number(len(runs))}"
