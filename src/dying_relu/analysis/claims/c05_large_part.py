"""C5: a large part of a network may be doing nothing."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate, measured, safe
from dying_relu.analysis.claims.verdict import Detail, Finding, claim, exceeds, if_any, pooled
from dying_relu.analysis.inference.correlation import rank_correlation
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.thresholds import PAPER


@claim(
    "C5",
    "Over time a large part of the network may be doing nothing",
    experiment="causes",
    measure="share of hidden units that died, at the setting with the most deaths",
    rule=f"For each data set and architecture, among the ReLU settings in which no replicate diverged, the one with the largest "
    f"mean share of units alive at step 0 and dead at the end. Supported if that share surely exceeds {PAPER.large_part:.0%} "
    f"everywhere, supported with a limit if somewhere, refuted if surely nowhere. (The interval does not account for "
    f"having picked the worst setting.)",
    details={
        "RunsWithMany": "percent",
        "AccuracyWorst": "percent",
        "AccuracyBest": "percent",
        "RankWorst": "number",
        "RankBest": "number",
        "AccuracyCorrelation": "number",
        "RankCorrelation": "number",
    },
)
def large_part_does_nothing(evidence: Evidence) -> Finding:
    """Judge C5."""
    runs, values, measures = _worst_settings(evidence)
    large_part = evidence.thresholds.large_part
    verdict, note = exceeds(values, large_part)
    many = (runs["died_fraction"] > large_part).mean()
    return Finding(verdict, pooled(values), len(runs), note, {"RunsWithMany": many, **measures})


@measured
def _worst_settings(evidence: Evidence) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Detail]]:
    """The runs of safe settings, the shares that died in the worst of them (column ``value``), and the details."""
    setting = ["stratum", "initialisation", "initial_bias", "learning_rate"]
    runs = safe(evidence.relu("causes"), setting)
    if runs.empty:
        raise NotEnoughData("every setting diverged")
    if runs["died_fraction"].isna().all():
        raise NotEnoughData("how many units are dead by this definition was not measured before training")
    means = runs.groupby(setting)[["died_fraction", "test_accuracy", "effective_rank"]].mean().reset_index()
    worst = means.loc[means.groupby("stratum", sort=False)["died_fraction"].idxmax()]
    best = means.loc[means.groupby("stratum", sort=False)["test_accuracy"].idxmax()]
    values = runs.merge(worst[setting], on=setting).assign(value=lambda table: table["died_fraction"])
    return (
        runs,
        values,
        {
            "AccuracyWorst": worst["test_accuracy"].mean(),
            "AccuracyBest": best["test_accuracy"].mean(),
            "RankWorst": worst["effective_rank"].mean(),
            "RankBest": best["effective_rank"].mean(),
            "AccuracyCorrelation": _correlation(runs, "test_accuracy"),
            "RankCorrelation": _correlation(runs, "effective_rank"),
        },
    )


def _correlation(runs: pd.DataFrame, value: str) -> Interval | float:
    """Spearman's rank correlation of the dead fraction with ``value`` over the settings of each stratum and replicate."""

    def correlation(settings: pd.DataFrame) -> float:
        # Of a constant there is none.
        varied = settings[["dead_fraction", value]].nunique().min() > 1
        return rank_correlation(settings["dead_fraction"], settings[value]) if varied else np.nan

    return if_any(by_replicate(runs[["stratum", "replicate", "dead_fraction", value]], correlation))
