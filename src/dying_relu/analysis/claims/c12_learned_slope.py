"""C12: PReLU learns its slope."""

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.scores import scored
from dying_relu.analysis.claims.verdict import LIMITED, SUPPORTED, Detail, Finding, claim, exceeds, pooled
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.latex import listed
from dying_relu.analysis.remedies import PREFIX
from dying_relu.analysis.thresholds import PAPER

PRELU_START = 0.25
"""The slope that a PReLU begins with."""


@claim(
    "C12",
    "PReLU learns its slope from the data",
    experiment="slopes, remedies",
    measure="distance of the learned slope, a mean over layers, from where it began",
    unit="number",
    rule=f"PReLU networks of both experiments that did not diverge, for each experiment, data set and architecture. Supported if the "
    f"slope surely moves by more than {PAPER.slope_moves} everywhere and PReLU's test accuracy in slopes is surely not more than "
    f"{100 * PAPER.accuracy_matters:.0f} point worse than that of the best fixed slope, a diverged run scoring as a constant answer; "
    f"supported with a limit if the slope moves, at least somewhere; refuted if it surely moves nowhere. (The second experiment was "
    f"added after PReLU had diverged in most runs of the first, and then lower rates to the first.)",
    details={
        "MeanSlope": "number",
        "DivergedSlopes": "percent",
        "DivergedRemedies": "percent",
        "DivergedRates": "words",
        "AgainstFixed": "points",
        "LowRateFirst": "number",
        "LowRateDeeper": "number",
        "HighRateFirst": "number",
        "HighRateDeeper": "number",
        "NegativeSlopes": "percent",
        "LowestSlope": "number",
    },
)
def slope_is_learned(evidence: Evidence) -> Finding:
    """Judge C12."""
    runs, moved, gap, details = _movements(evidence)
    verdict, note = exceeds(moved, evidence.thresholds.slope_moves)
    if verdict == SUPPORTED and gap.low <= -evidence.thresholds.accuracy_matters:
        verdict, note = (
            LIMITED,
            "it learns the slope, but was not shown to do as well as the best fixed slope",
        )
    return Finding(verdict, pooled(moved), runs, note, details)


@measured
def _movements(evidence: Evidence) -> tuple[int, pd.DataFrame, Interval, dict[str, Detail]]:
    """The number of PReLU runs, how far the slopes moved, the score against the best fixed slope, and the details."""
    slopes = scored(evidence.experiment("slopes"))
    everything = pd.concat([slopes, evidence.runs[evidence.runs["experiment"] == PREFIX]])
    prelu = everything[everything["activation"] == "prelu"]
    trained = prelu[~prelu["diverged"]]
    start = trained["slope"].fillna(PRELU_START)
    moved = trained.assign(
        stratum=trained["stratum"] + " in " + trained["experiment"],
        value=(trained["mean_slope"] - start).abs(),
    )
    moved = moved.groupby(["stratum", "replicate"])["value"].mean().reset_index()
    pooled(moved)  # Says first if there are too few.
    gap = pooled(_against_best_fixed(slopes))
    in_slopes = prelu["experiment"] == "slopes"
    details: dict[str, Detail] = {
        "MeanSlope": trained["mean_slope"].mean(),
        "DivergedSlopes": prelu.loc[in_slopes, "diverged"].mean(),
        "DivergedRemedies": prelu.loc[~in_slopes, "diverged"].mean(),
        "DivergedRates": _diverged_by_rate(prelu[in_slopes]),
        "AgainstFixed": gap,
        **_slopes_of_layers(evidence, trained),
    }
    return len(prelu), moved, gap, details


def _diverged_by_rate(runs: pd.DataFrame) -> str:
    """How many runs diverged at each rate, in words."""
    return listed(
        f"{group['diverged'].sum()} of {len(group)} at rate {rate:g}"
        for rate, group in runs.groupby("learning_rate")
    )


def _slopes_of_layers(evidence: Evidence, trained: pd.DataFrame) -> dict[str, Detail]:
    """The slopes that layers have learned at the end: means at the ends of the rates of ``remedies``, and the negative ones."""
    layers = evidence.layers
    layers = layers[layers["probe"] == "train"].merge(
        trained[["run", "experiment", "learning_rate", "steps"]], on="run"
    )
    end = layers[layers["step"] == layers["steps"]]
    details: dict[str, Detail] = {
        "NegativeSlopes": (end["slope"] < 0).mean(),
        "LowestSlope": end["slope"].min(),
    }
    beside_others = end[end["experiment"] == PREFIX]
    rates = beside_others["learning_rate"]
    for name, rate in {"LowRate": rates.min(), "HighRate": rates.max()}.items():
        at = beside_others[rates == rate]
        details[f"{name}First"] = at.loc[at["depth"] == 1, "slope"].mean()
        details[f"{name}Deeper"] = at.loc[at["depth"] > 1, "slope"].mean()
    return details


def _against_best_fixed(runs: pd.DataFrame) -> pd.DataFrame:
    """PReLU's score minus that of the fixed slope which is best on average in each stratum, paired by replicate."""
    prelu = runs[runs["activation"] == "prelu"].groupby(["stratum", "replicate"])["score"].mean()
    fixed = (
        runs[runs["activation"] == "leaky_relu"].groupby(["stratum", "replicate", "slope"])["score"].mean()
    )
    if fixed.empty:
        raise NotEnoughData("the experiment 'slopes' has no fixed slope to compare with")
    means = fixed.groupby(["stratum", "slope"]).mean()
    best = set(means.groupby("stratum").idxmax())
    chosen = fixed[[(stratum, slope) in best for stratum, _, slope in fixed.index]].droplevel("slope")
    return (prelu - chosen).rename("value").dropna().reset_index()
