"""F7: the line of the law in the phase diagram of rate and offset share."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, finding
from dying_relu.analysis.findings.law import scales
from dying_relu.analysis.findings.layers import with_new_dead
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import decide
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import finite
from dying_relu.analysis.thresholds import PAPER

BY = ["dataset"]


@finding(
    "F7a",
    "The law's line separates first layers that die in mass from those that do not",
    experiment="phase_diagram",
    measure="balanced accuracy of 'the rate is above the line' for mass death of the first layer, above the least one that counts",
    unit="points",
    rule=f"MLPs under SGD, finite networks at all rates and offset shares, for each data set; the line: rate = {PAPER.sgd_constant:g} "
    "sd(z) / squared norm of mean(x), both of the network before its first step. Each seed: the mean of the share of networks above the "
    f"line among those whose first layer newly lost at least {PAPER.mass_death:.0%} of its units, and of the share below it among the "
    f"others; less the larger of {PAPER.line_separates:.0%} and of the same of the constant rate that separates this seed's networks best. "
    "Holds if above 0.",
    details={
        "Networks": "number",
        "MassDeaths": "number",
        "BalancedAccuracy": "percent",
        "ConstantRate": "percent",
    },
)
def the_line_separates(evidence: Evidence) -> Finding:
    """Judge F7a."""
    limits = evidence.thresholds
    runs, accuracies, details = _separated(evidence, limits.sgd_constant, limits.mass_death)
    margins = accuracies["line"] - accuracies["constant"].clip(lower=limits.line_separates)
    return Finding.of(decide(cells_of(margins, runs, BY), Above(0.0)), len(runs), details=details)


@measured
def _separated(
    evidence: Evidence, constant: float, share: float
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Detail]]:
    """The networks, the balanced accuracies of the ``line`` and the best ``constant`` rate by cell and seed, and the details."""
    runs = reported(evidence.relu("phase_diagram"))
    runs = runs[(runs["optimiser"] == "sgd") & (runs["architecture"] == "mlp")]
    if runs.empty:
        raise NotEnoughData("the experiment 'phase_diagram' has no MLPs under SGD")
    line = constant * scales(evidence, runs, ["run"])["sgd"]
    counted = with_new_dead(evidence, runs[finite(runs)], 1)
    counted = counted.assign(
        dies=counted["new_dead"] >= share, above=counted["learning_rate"] > counted["run"].map(line)
    )
    accuracies = pd.DataFrame(
        {
            "line": by_seed(counted, BY, lambda rows: _balanced_accuracy(rows["dies"], rows["above"])),
            "constant": by_seed(counted, BY, _best_constant),
        }
    )
    means: dict[str, Detail] = {
        shown: float(accuracies[kind].mean())
        for kind, shown in {"line": "BalancedAccuracy", "constant": "ConstantRate"}.items()
    }
    return runs, accuracies, {"Networks": len(counted), "MassDeaths": int(counted["dies"].sum())} | means


def _balanced_accuracy(dies: pd.Series, above: pd.Series) -> float:
    """The mean of sensitivity and specificity; NaN where all networks, or none, died in mass."""
    if dies.all() or not dies.any():
        return np.nan
    return float((above[dies].mean() + (~above[~dies]).mean()) / 2)


def _best_constant(rows: pd.DataFrame) -> float:
    """The balanced accuracy of the constant rate that separates these networks best, chosen after looking."""
    rates = rows["learning_rate"]
    return max(_balanced_accuracy(rows["dies"], rates >= rate) for rate in rates.unique())
