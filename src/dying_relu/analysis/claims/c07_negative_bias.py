"""C7: a large negative bias, as a cause."""

import pandas as pd

from dying_relu.analysis.claims.changes import change
from dying_relu.analysis.claims.evidence import (
    Evidence,
    NotEnoughData,
    by_replicate,
    mean_by_replicate,
    measured,
    measured_of_units,
    safe,
)
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    SUPPORTED,
    Detail,
    Finding,
    claim,
    exceeds,
    pooled,
    trend,
)
from dying_relu.analysis.inference.attribution import PARTS
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.thresholds import PAPER


@claim(
    "C7",
    "Cause 2: a large negative bias",
    experiment="causes, recovery",
    measure="dead fraction at the most negative initial bias minus that at the bias nearest to 0, at the lowest rate",
    unit="points",
    rule=f"Two readings. As a start: at the lowest learning rate the dead fraction surely rises by more than "
    f"{100 * PAPER.matters:.0f} points in every data set and architecture. As a course: of the fall of the largest pre-activation "
    f"from the checkpoint before a unit's death to that after it, the change of the bias makes surely more than "
    f"{PAPER.major_part:.0%} in the median death. Supported if both hold; supported with a limit if the first holds, at least "
    f"somewhere; refuted if it surely holds nowhere. (Before data had been looked at, the second was a ratio of sums, from the start "
    f"to the end of training; a few explosions made most of them. The threshold stayed.)",
    details={
        "Trend": "words",
        "MostNegative": "number",
        "Deaths": "number",
        "BiasPart": "percent",
        "WeightsPart": "percent",
        "InputsPart": "percent",
        "BiasLargest": "percent",
    },
)
def bias_too_negative(evidence: Evidence) -> Finding:
    """Judge C7."""
    runs, values, most_negative = _rise_with_bias(evidence)
    verdict, note = exceeds(values, evidence.thresholds.matters)
    course, limit = _course(evidence)
    if verdict == SUPPORTED and limit:
        verdict, note = LIMITED, limit
    effect = pooled(values)
    return Finding(
        verdict, effect, runs, note, {"Trend": trend(effect), "MostNegative": most_negative, **course}
    )


@measured
def _rise_with_bias(evidence: Evidence) -> tuple[int, pd.DataFrame, float]:
    """The number of runs at the lowest rate, the change of their dead fraction to the most negative bias, and that bias."""
    runs = evidence.relu("causes")
    slowest = runs[runs["learning_rate"] == runs.groupby("stratum")["learning_rate"].transform("min")]
    trained = safe(slowest, ["stratum", "initial_bias"])
    tested = trained.assign(dose=-trained["initial_bias"])
    nearest_to_zero = tested["dose"].abs() == tested["dose"].abs().groupby(tested["stratum"]).transform("min")
    doses = tested[(tested["dose"] > 0) | nearest_to_zero].groupby("stratum")["dose"].agg(["min", "max"])
    return len(trained), change(tested, doses.reset_index(), "dose"), runs["initial_bias"].min()


def _course(evidence: Evidence) -> tuple[dict[str, Detail], str]:
    """The parts of bias, weights and inputs in the deaths of training, and why the bias is not to blame; no reason if it is."""
    try:
        number, parts = _parts(evidence)
    except NotEnoughData as reason:
        return {}, f"as an initial value; its course was not measured: {reason}"
    details: dict[str, Detail] = {"Deaths": number, **parts}
    if parts["BiasPart"].low > evidence.thresholds.major_part:
        return details, ""
    return details, (
        "as an initial value; in units that die while training the bias does not make the major part of the fall"
    )


@measured_of_units
def _parts(evidence: Evidence) -> tuple[int, dict[str, Interval]]:
    """The number of deaths in ``recovery``, the median shares of the parts in the fall, and how often the bias has the largest."""
    since = evidence.since("recovery")
    deaths = since.loc[since["died"], ["stratum", "replicate", "fall", *PARTS]]
    shares = deaths[PARTS].div(deaths["fall"], axis="index")
    parts = {
        name: pooled(by_replicate(deaths.assign(share=shares[part]), lambda rows: rows["share"].median()))
        for name, part in zip(("BiasPart", "WeightsPart", "InputsPart"), PARTS, strict=True)
    }
    largest = deaths.assign(bias_largest=deaths[PARTS].idxmax(axis=1) == "by_bias")
    return len(deaths), parts | {"BiasLargest": pooled(mean_by_replicate(largest, "bias_largest"))}
