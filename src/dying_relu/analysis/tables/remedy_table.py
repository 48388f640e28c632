"""Activations side by side, in the experiment ``remedies``."""

from pathlib import Path

import pandas as pd

from dying_relu import results
from dying_relu.analysis import formatting
from dying_relu.analysis.tables.tabular import tabular


def remedies(results_folder: Path, configuration_path: Path) -> str:
    """A row an activation: at the lowest and the highest rate the dead fraction, the test accuracy and the diverged runs.

    Means over the other factors and replicates; diverged runs are counted and are in no mean.
    """
    runs = results.read("runs", results_folder / "runs.parquet")
    runs = runs[runs["experiment"] == "remedies"]
    if runs.empty:
        return formatting.escape("The study has no experiment remedies.") + "\n"
    rows = [_row(activation, group) for activation, group in runs.groupby("activation", sort=False)]
    columns = pd.MultiIndex.from_tuples(list(rows[0]))
    return _with_spans(pd.DataFrame(rows, columns=columns), runs)


def _row(activation: str, runs: pd.DataFrame) -> dict[tuple[str, str], str]:
    cells = {("", "Activation"): formatting.escape(formatting.name(activation))}
    for end in ("low", "high"):
        rate = runs["learning_rate"].min() if end == "low" else runs["learning_rate"].max()
        at = runs[runs["learning_rate"] == rate]
        cells[end, "dead"] = formatting.percent(at["dead_fraction"].mean())
        cells[end, "accuracy"] = formatting.percent(at["test_accuracy"].mean())
        cells[end, "diverged"] = f"{formatting.number(at['diverged'].sum())} of {formatting.number(len(at))}"
    return cells


def _with_spans(table: pd.DataFrame, runs: pd.DataFrame) -> str:
    """``table`` with a first head row that names the two rates above their columns."""
    low, high = (
        formatting.number(rate) for rate in (runs["learning_rate"].min(), runs["learning_rate"].max())
    )
    flat = table.set_axis([name for _, name in table.columns], axis=1)
    spans = rf" & \multicolumn{{3}}{{c}}{{learning rate {low}}} & \multicolumn{{3}}{{c}}{{learning rate {high}}} \\"
    head = f"\\toprule\n{spans}\n\\cmidrule(lr){{2-4}}\\cmidrule(l){{5-7}}\n"
    named = pd.DataFrame(flat.to_numpy(), columns=[f"{name}{' ' * i}" for i, name in enumerate(flat.columns)])
    return tabular(named, "@{}lrrrrrr@{}").replace("\\toprule\n", head, 1)
