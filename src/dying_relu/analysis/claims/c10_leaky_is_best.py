"""C10: leaky ReLU is the most effective remedy."""

import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.choices import best
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.scores import scored
from dying_relu.analysis.claims.verdict import Detail, Finding, Reading, claim
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import Cell, decide, mean_of
from dying_relu.analysis.inference.selection import split
from dying_relu.analysis.latex import listed
from dying_relu.analysis.remedies import BASELINE, LEAKY, PREFIX, side_by_side
from dying_relu.analysis.thresholds import PAPER

BY = [*SETTING, "initial_bias"]


@claim(
    "C10",
    "Leaky ReLU is the most common and effective method to alleviate dying ReLU",
    experiment="remedies...",
    measure="test accuracy of leaky ReLU minus that of the best other remedy, each at its own best rate",
    unit="points",
    rule="Charitable: as effective as any. For each data set, architecture, optimiser and initial bias: test accuracy of leaky ReLU "
    "(slope 0.01) minus that of the best other remedy, each at its own best rate; rates and the best remedy are chosen on the selection "
    f"seeds; a network that overflowed scores as a constant answer. Holds if above {-100 * PAPER.accuracy_matters:.0f} point. Literal: "
    "the most effective, above 0. How common it is is not tested.",
    details={
        "GainOverRelu": "points",
        "BestOther": "words",
        "Settings": "number",
        "Remedies": "number",
        "AtTheHighestRate": "number",
    },
)
def leaky_is_best(evidence: Evidence) -> Finding:
    """Judge C10."""
    networks, gap, details = _compared(evidence)
    literal = decide(gap, Above(0.0))
    return Finding.of(
        decide(gap, Above(-evidence.thresholds.accuracy_matters)),
        networks,
        Reading(literal.verdict, "better than every other remedy"),
        details,
    )


@measured
def _compared(evidence: Evidence) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The number of networks, leaky ReLU's accuracy minus that of the best other remedy, and the details."""
    evidence.experiment(PREFIX)
    runs = scored(side_by_side(evidence.runs)).astype({"remedy": str})
    selection, reporting = split(runs)
    others = set(runs["remedy"]) - {LEAKY, BASELINE}
    if not {LEAKY, BASELINE} <= set(runs["remedy"]) or not others:
        raise NotEnoughData("leaky ReLU, ReLU and another remedy are needed")
    arms = {
        "leaky": _chosen(selection, reporting, [LEAKY]),
        "relu": _chosen(selection, reporting, [BASELINE]),
        "other": _chosen(selection, reporting, others),
    }
    if any(arm.empty for arm in arms.values()):
        raise NotEnoughData("no seed is left to report beside those that choose")
    scores = {name: by_seed(arm, BY, lambda rows: float(rows["score"].mean())) for name, arm in arms.items()}
    cases = reporting[reporting["remedy"] == BASELINE]
    gap = cells_of(scores["leaky"] - scores["other"], cases, BY)
    details: dict[str, Detail] = {
        "GainOverRelu": mean_of(cells_of(scores["leaky"] - scores["relu"], cases, BY)),
        "BestOther": listed(arms["other"].drop_duplicates(BY)["remedy"].value_counts().index[:2]),
        "Settings": len(gap),
        "Remedies": len(others),
        "AtTheHighestRate": _at_the_highest_rate(selection, arms["leaky"], arms["other"]),
    }
    return runs["run"].nunique(), gap, details


def _chosen(selection: pd.DataFrame, reporting: pd.DataFrame, remedies: set[str] | list[str]) -> pd.DataFrame:
    """The reported runs of the best of some remedies at its best rate in each setting, both chosen on the selection seeds."""
    candidates = selection[selection["remedy"].isin(remedies)]
    chosen = best(candidates, BY, ["remedy", "learning_rate"])
    return reporting.merge(chosen, on=[*BY, "remedy", "learning_rate"])


def _at_the_highest_rate(selection: pd.DataFrame, *arms: pd.DataFrame) -> int:
    """The number of settings in which one of the arms is best at the highest rate of the grid, and may be better beyond."""
    highest = selection.groupby(BY, observed=True)["learning_rate"].max().rename("highest")
    chosen = pd.concat(arm.drop_duplicates(BY) for arm in arms).join(highest, on=BY)
    return len(chosen.loc[chosen["learning_rate"] == chosen["highest"], BY].drop_duplicates())
