"""What changes with the definition of death, and with the number of examples that it is judged on."""

from pathlib import Path

import pandas as pd

from dying_relu import configuration, results
from dying_relu.analysis import formatting, sensitivity
from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED
from dying_relu.analysis.tables.tabular import tabular

SHORT = {SUPPORTED: "yes", LIMITED: "limited", REFUTED: "no", NOT_ENOUGH_DATA: "?"}
EXPERIMENT = "recovery"
"""Whose units are recorded one by one on a probe set that is its training set."""


def definitions(results_folder: Path, configuration_path: Path) -> str:
    """A row a definition of death, a column a claim: the verdict in short, bold where it is not that of the first row."""
    verdicts = sensitivity.verdicts(results_folder)
    ours = verdicts.iloc[0]
    cells = verdicts.apply(
        lambda row: [_cell(verdict, ours[claim]) for claim, verdict in row.items()],
        axis=1,
        result_type="expand",
    )
    cells.columns = verdicts.columns
    cells.insert(0, "Counted as dead", [formatting.escape(name) for name in verdicts.index])
    return tabular(cells, "@{}l" + "l" * len(ours) + "@{}")


def _cell(verdict: str, ours: str) -> str:
    return SHORT[verdict] if verdict in (ours, NOT_ENOUGH_DATA) else rf"\textbf{{{SHORT[verdict]}}}"


def examples(results_folder: Path, configuration_path: Path) -> str:
    """The share of units expected to look dead on n examples, at the end of the ReLU runs of ``recovery``, by initial bias."""
    settings = configuration.load(configuration_path)
    runs = results.read("runs", results_folder / "runs.parquet")
    runs = runs[(runs["experiment"] == EXPERIMENT) & (runs["activation"] == "relu") & ~runs["diverged"]]
    units = results.read("units", results_folder / "units.parquet")
    units = units.merge(runs[["run", "initial_bias", "steps"]], on="run")
    ends = units[(units["step"] == units["steps"]) & units["layer"].str.startswith("linear")]
    if ends.empty:
        return (
            formatting.escape(f"The study has no units of linear layers in an experiment {EXPERIMENT}.")
            + "\n"
        )
    experiment = settings.experiments[EXPERIMENT]
    probe_set = experiment.probe_train or settings.measuring.train
    rows = []
    for bias in ends["initial_bias"].unique():
        shares = sensitivity.dead_by_number_of_examples(
            ends.loc[ends["initial_bias"] == bias, "active_share"], probe_set
        )
        looks_dead = {f"on {n}": formatting.percent(share) for n, share in shares.to_dict().items()}
        rows.append({"Initial bias": formatting.number(bias)} | looks_dead)
    table = pd.DataFrame(rows)
    return tabular(table, "@{}l" + "r" * (len(table.columns) - 1) + "@{}")
