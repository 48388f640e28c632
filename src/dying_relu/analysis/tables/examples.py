"""Death by the number of examples that it is judged on."""

import pandas as pd

from dying_relu.analysis import latex, sensitivity
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.latex import with_minus_signs
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular

EXPERIMENT = "recovery"
"""Its units are recorded one by one on a probe set that is its training set."""


def table(study: StudyResults) -> str:
    """The death that n random examples would show of the units of linear layers in the ReLU runs of ``recovery``.

    The share that looks dead at the end of training, by initial bias; of those that look dead at a checkpoint, the share that looks
    alive at the next (C3); and the share that looks dead before the first update without a bias (C9).
    """
    evidence = Evidence(study)
    try:
        units, since = _linear(evidence.relu_units(EXPERIMENT)), _linear(evidence.since(EXPERIMENT))
    except NotEnoughData as reason:
        return latex.escape(f"Not measured: {reason}.") + "\n"
    experiment = study.configuration.experiments[EXPERIMENT]
    probe_set = experiment.probe_train or study.configuration.measuring.train
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
    cells = pd.DataFrame(rows)
    return tabular(cells, "@{}l" + "r" * (len(cells.columns) - 1) + "@{}")


def _linear(units: pd.DataFrame) -> pd.DataFrame:
    linear = units[units["layer"].str.startswith("linear")]
    if linear.empty:
        raise NotEnoughData(f"the experiment {EXPERIMENT!r} has no units of linear layers")
    return linear
