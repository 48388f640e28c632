"""C11: the slope of a leaky ReLU may be tiny."""

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.scores import scored
from dying_relu.analysis.claims.verdict import Detail, Finding, claim, each, exceeds, pooled
from dying_relu.analysis.latex import listed
from dying_relu.analysis.thresholds import PAPER

POST_SLOPE = 1e-4
"""The slope the post gives as an example."""


@claim(
    "C11",
    "The slope of a leaky ReLU may be as small as 0.0001",
    experiment="slopes",
    measure="part of the accuracy that the best fixed slope gains over ReLU which slope 0.0001 gains",
    rule=f"Where the best fixed slope gains surely more than {100 * PAPER.accuracy_matters:.0f} point of test accuracy over ReLU. "
    f"Supported if slope {POST_SLOPE} surely gains more than {PAPER.enough_gain:.0%} of that in every data set and architecture, "
    f"supported with a limit if in some, refuted if surely in none.",
    details={
        "BestSlope": "words",
        "SmallestEnough": "words",
        "Gain": "points",
    },
)
def slope_may_be_tiny(evidence: Evidence) -> Finding:
    """Judge C11."""
    runs, gains = _gains_of_slopes(evidence)
    enough_gain = evidence.thresholds.enough_gain
    best = (
        gains.groupby(["stratum", "slope"])["value"]
        .mean()
        .groupby("stratum")
        .idxmax()
        .map(lambda key: key[1])
    )
    top = gains[gains["slope"] == gains["stratum"].map(best)]
    rescued = [name for name, gain in each(top).items() if gain.low > evidence.thresholds.accuracy_matters]
    if not rescued:
        raise NotEnoughData("no slope is surely better than ReLU, so that there is nothing to rescue")
    scale = top.groupby("stratum")["value"].mean()
    parts = gains[gains["stratum"].isin(rescued)]
    parts = parts.assign(value=parts["value"] / parts["stratum"].map(scale))
    tiny = parts[parts["slope"] == POST_SLOPE]
    verdict, note = exceeds(tiny, enough_gain)
    enough = parts.groupby("slope")["value"].mean()
    details: dict[str, Detail] = {
        "BestSlope": listed(sorted({f"{best[name]:g}" for name in rescued}, key=float)),
        "Gain": float(scale[rescued].mean()),
    }
    if (enough > enough_gain).any():
        details["SmallestEnough"] = f"{enough.index[enough > enough_gain].min():g}"
    return Finding(verdict, pooled(tiny), runs, note, details)


@measured
def _gains_of_slopes(evidence: Evidence) -> tuple[int, pd.DataFrame]:
    """The number of runs, and the gain of each slope over ReLU."""
    runs = _fixed_slopes(evidence)
    if POST_SLOPE not in runs["slope"].to_numpy():
        raise NotEnoughData(f"no network has slope {POST_SLOPE}")
    return len(runs), _gains(runs)


def _fixed_slopes(evidence: Evidence) -> pd.DataFrame:
    runs = scored(evidence.experiment("slopes"))
    runs = runs[runs["activation"].isin(["relu", "leaky_relu"])]
    if runs["activation"].nunique() < 2:
        raise NotEnoughData("ReLU and leaky ReLU are needed")
    return runs


def _gains(runs: pd.DataFrame) -> pd.DataFrame:
    """Score of each slope above 0 minus that of ReLU, paired; columns stratum, replicate, slope, value."""
    pair = ["stratum", "replicate", "initialisation", "initial_bias", "learning_rate"]
    relu = runs.loc[runs["activation"] == "relu", [*pair, "score"]]
    leaky = runs.loc[runs["activation"] == "leaky_relu", [*pair, "slope", "score"]]
    paired = leaky.merge(relu, on=pair, suffixes=("", "_relu"))
    value = (paired["score"] - paired["score_relu"]).rename("value")
    return value.groupby([paired["stratum"], paired["replicate"], paired["slope"]]).mean().reset_index()
