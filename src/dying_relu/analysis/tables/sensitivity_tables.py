"""What changes with the definition of death, and with the number of examples that it is judged on."""

from pathlib import Path

import pandas as pd

from dying_relu import configuration
from dying_relu.analysis import latex, sensitivity
from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.latex import with_minus_signs
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
    cells.insert(0, "Counted as dead", [latex.escape(name) for name in verdicts.index])
    return tabular(cells, "@{}l" + "l" * len(ours) + "@{}")


def _cell(verdict: str, ours: str) -> str:
    return SHORT[verdict] if verdict in (ours, NOT_ENOUGH_DATA) else rf"\textbf{{{SHORT[verdict]}}}"


def examples(results_folder: Path, configuration_path: Path) -> str:
    """What n random examples would show of the units of linear layers in the ReLU runs of ``recovery``.

    The share that looks dead at the end of training, by initial bias; of those that look dead at a checkpoint, the share that looks
    alive at the next (C3); and the share that looks dead before the first update without a bias (C9).
    """
    evidence = Evidence(results_folder)
    try:
        units, since = _linear(evidence.relu_units(EXPERIMENT)), _linear(evidence.since(EXPERIMENT))
    except NotEnoughData as reason:
        return latex.escape(f"Not measured: {reason}.") + "\n"
    settings = configuration.load(configuration_path)
    experiment = settings.experiments[EXPERIMENT]
    probe_set = experiment.probe_train or settings.measuring.train
    ends = units[units["step"] == units["steps"]]
    shares = {
        f"bias {bias:g}": sensitivity.dead_by_number_of_examples(group["active_share"], probe_set)
        for bias, group in ends.groupby("initial_bias", sort=False)
    }
    shares["revived"] = sensitivity.revived_by_number_of_examples(since, probe_set)
    born = units[(units["step"] == 0) & (units["initial_bias"] == 0)]
    if len(born):
        shares["born dead"] = sensitivity.dead_by_number_of_examples(born["active_share"], probe_set)
    rows = [
        {"Dead on": with_minus_signs(name)}
        | {f"{n}": latex.percent(share) for n, share in row.to_dict().items()}
        for name, row in shares.items()
    ]
    table = pd.DataFrame(rows)
    return tabular(table, "@{}l" + "r" * (len(table.columns) - 1) + "@{}")


def _linear(units: pd.DataFrame) -> pd.DataFrame:
    linear = units[units["layer"].str.startswith("linear")]
    if linear.empty:
        raise NotEnoughData(f"the experiment {EXPERIMENT!r} has no units of linear layers")
    return linear
