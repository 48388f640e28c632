"""Remedies side by side."""

from pathlib import Path

import pandas as pd

from dying_relu import results
from dying_relu.analysis import formatting
from dying_relu.analysis.remedies import side_by_side
from dying_relu.analysis.tables.tabular import tabular


def remedies(results_folder: Path, configuration_path: Path) -> str:
    """A row a remedy: at the lowest and the highest rate the dead fraction, the test accuracy and the diverged runs.

    Means over the other factors and replicates; diverged runs are counted and are in no mean.
    """
    runs = side_by_side(results.read("runs", results_folder / "runs.parquet"))
    if runs.empty:
        return formatting.escape("The study has no experiment remedies.") + "\n"
    rows = [_row(str(remedy), group, runs) for remedy, group in runs.groupby("remedy", observed=True)]
    return tabular(pd.DataFrame(rows, columns=pd.MultiIndex.from_tuples(list(rows[0]))), "@{}lrrrrrr@{}")


def _row(remedy: str, runs: pd.DataFrame, everything: pd.DataFrame) -> dict[tuple[str, str], str]:
    cells = {("", "Remedy"): formatting.escape(remedy)}
    rates = everything["learning_rate"]
    for rate in sorted({rates.min(), rates.max()}):
        at, head = runs[runs["learning_rate"] == rate], f"learning rate {formatting.number(rate)}"
        cells[head, "dead"] = formatting.percent(at["dead_fraction"].mean())
        cells[head, "accuracy"] = formatting.percent(at["test_accuracy"].mean())
        cells[head, "diverged"] = f"{formatting.number(at['diverged'].sum())} of {formatting.number(len(at))}"
    return cells
