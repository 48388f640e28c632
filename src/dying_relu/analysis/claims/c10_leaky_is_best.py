"""C10: leaky ReLU is the most effective remedy."""

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.scores import scored
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Detail,
    Finding,
    claim,
    pooled,
)
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.latex import listed
from dying_relu.analysis.remedies import BASELINE, LEAKY, PREFIX, side_by_side
from dying_relu.analysis.thresholds import PAPER


@claim(
    "C10",
    "Leaky ReLU is the most common and effective method to alleviate dying ReLU",
    experiment="remedies...",
    measure="test accuracy of leaky ReLU minus that of the best other remedy",
    unit="points",
    rule=f"In the settings (data set, architecture, rate) in which a ReLU network has at least {PAPER.doomed:.0%} dead units or "
    f"diverges; a diverged run scores as a constant answer. Supported if leaky ReLU is surely more than "
    f"{100 * PAPER.accuracy_matters:.0f} point better than ReLU and surely not more than {100 * PAPER.accuracy_matters:.0f} point "
    f"worse than the best other remedy at the same rate (the best on average, chosen in each setting); supported with a limit if only "
    f"the former; refuted if it is surely not better than ReLU by that much. How common it is is not tested. (Before the study had "
    f"other remedies, the rule spoke of the best other activation; after data had been looked at, a lower rate became one of the "
    f"remedies.)",
    details={
        "GainOverRelu": "points",
        "BestOther": "words",
        "DoomedSettings": "number",
        "Remedies": "words",
        "WorstGap": "points",
        "BestGap": "points",
    },
)
def leaky_is_best(evidence: Evidence) -> Finding:
    """Judge C10."""
    runs, gain, gap, details = _compared(evidence, evidence.thresholds.doomed)
    matters = evidence.thresholds.accuracy_matters
    if gain.low > matters and gap.low > -matters:
        verdict, note = SUPPORTED, "how common it is was not tested"
    elif gain.low > matters:
        verdict, note = LIMITED, "it helps, but was not shown to be as good as the best other remedy"
    elif gain.high < matters:
        verdict, note = REFUTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both a gain over ReLU and none"
    return Finding(verdict, gap, runs, note, details)


@measured
def _compared(evidence: Evidence, doomed_share: float) -> tuple[int, Interval, Interval, dict[str, Detail]]:
    """The number of runs, the gain of leaky ReLU over ReLU and over the best other remedy, and the details."""
    evidence.experiment(PREFIX)
    setting = ["stratum", "learning_rate"]
    doomed = _doomed(_remedies(evidence), setting, doomed_share)
    scores = doomed.pivot_table(index=[*setting, "replicate"], columns="remedy", values="score")
    if LEAKY not in scores or BASELINE not in scores or len(scores.columns) < 3:
        raise NotEnoughData("leaky ReLU, ReLU and another remedy are needed")
    others = scores.drop(columns=[BASELINE, LEAKY])
    means = others.groupby(setting).mean()
    best = means.idxmax(axis=1).rename("best")
    paired = scores.reset_index().merge(best.reset_index(), on=setting)
    paired["best_score"] = [row[row["best"]] for row in paired.to_dict("records")]
    gain = pooled(_mean_difference(paired, LEAKY, BASELINE))
    gap = pooled(_mean_difference(paired, LEAKY, "best_score"))
    gaps = (paired[LEAKY] - paired["best_score"]).groupby([paired[key] for key in setting]).mean()
    details: dict[str, Detail] = {
        "GainOverRelu": gain,
        "BestOther": listed(best.value_counts().index[:2]),
        "DoomedSettings": len(best),
        "Remedies": _from_to(means.notna().sum(axis=1)),
        "WorstGap": gaps.min(),
        "BestGap": gaps.max(),
    }
    return doomed["run"].nunique(), gain, gap, details


@measured
def _remedies(evidence: Evidence) -> pd.DataFrame:
    """The scored runs of all remedies; a stratum is a data set and an architecture."""
    runs = scored(side_by_side(evidence.runs))
    return runs.assign(
        stratum=runs["dataset"] + " " + runs["architecture"], remedy=runs["remedy"].astype(str)
    )


def _from_to(counts: pd.Series) -> str:
    low, high = counts.min(), counts.max()
    return str(low) if low == high else f"{low} to {high}"


def _doomed(runs: pd.DataFrame, setting: list[str], share: float) -> pd.DataFrame:
    """The runs of the settings (columns) in which at least a ``share`` of ReLU's units is dead."""
    relu = runs[runs["remedy"] == BASELINE]
    dead = relu["dead_fraction"].where(~relu["diverged"], 1.0)
    fraction = relu.assign(dead=dead).groupby(setting)["dead"].mean()
    doomed = fraction[fraction >= share].reset_index()[setting]
    if doomed.empty:
        raise NotEnoughData("ReLU dies in none of its settings")
    return runs.merge(doomed, on=setting)


def _mean_difference(paired: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    difference = (paired[one] - paired[other]).rename("value")
    return difference.groupby([paired["stratum"], paired["replicate"]]).mean().reset_index()
