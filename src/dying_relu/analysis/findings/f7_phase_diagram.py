"""F7: the line of the law in the phase diagram of rate and offset share."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, finding
from dying_relu.analysis.findings.law import scales
from dying_relu.analysis.findings.layers import with_new_dead
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import Cell, decide
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import finite
from dying_relu.analysis.thresholds import PAPER

BY = ["dataset"]


@finding(
    "F7a",
    "The law's line separates first layers that die in mass from those that do not",
    experiment="phase_diagram",
    measure="balanced accuracy of 'the rate is above the line' for mass death of the first layer",
    rule=f"MLPs under SGD, finite networks at all rates and offset shares, for each data set; the line: rate = {PAPER.sgd_constant:g} "
    "sd(z) / squared norm of mean(x), both of the network before its first step. Each seed: the mean of the share of networks above the "
    f"line among those whose first layer newly lost at least {PAPER.mass_death:.0%} of its units, and of the share below it among the "
    f"others. Holds if above {PAPER.line_separates:.0%}.",
    details={"Networks": "number", "MassDeaths": "number"},
)
def the_line_separates(evidence: Evidence) -> Finding:
    """Judge F7a."""
    limits = evidence.thresholds
    networks, cells, details = _separated(evidence, limits.sgd_constant, limits.mass_death)
    return Finding.of(decide(cells, Above(limits.line_separates)), networks, details=details)


@measured
def _separated(
    evidence: Evidence, constant: float, share: float
) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The networks, the balanced accuracy of the line, and how many died in mass."""
    runs = reported(evidence.relu("phase_diagram"))
    runs = runs[(runs["optimiser"] == "sgd") & (runs["architecture"] == "mlp")]
    if runs.empty:
        raise NotEnoughData("the experiment 'phase_diagram' has no MLPs under SGD")
    line = constant * scales(evidence, runs, ["run"])["sgd"]
    counted = with_new_dead(evidence, runs[finite(runs)], 1)
    counted = counted.assign(
        dies=counted["new_dead"] >= share, above=counted["learning_rate"] > counted["run"].map(line)
    )
    cells = cells_of(by_seed(counted, BY, _balanced_accuracy), runs, BY)
    return len(runs), cells, {"Networks": len(counted), "MassDeaths": int(counted["dies"].sum())}


def _balanced_accuracy(rows: pd.DataFrame) -> float:
    """The mean of sensitivity and specificity; NaN where all networks, or none, died in mass."""
    dies = rows["dies"]
    if dies.all() or not dies.any():
        return np.nan
    return float((rows.loc[dies, "above"].mean() + (~rows.loc[~dies, "above"]).mean()) / 2)
