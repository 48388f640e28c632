"""C13: a lower learning rate as a remedy."""

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, by_replicate, measured, safe
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Detail,
    Finding,
    claim,
    each,
    pooled,
)
from dying_relu.analysis.inference.intervals import Interval, simultaneous
from dying_relu.analysis.latex import listed
from dying_relu.analysis.thresholds import PAPER


@claim(
    "C13",
    "Lower learning rates often mitigate the problem",
    experiment="causes",
    measure="share of the settings with dead units in which some lower rate has fewer of them than some higher one",
    rule=f"Settings: data set, architecture, initial bias; those in which more than {PAPER.matters:.0%} of the hidden units are dead "
    f"at some rate at which nothing diverges. Within a setting all pairs of such rates are compared. A lower rate helps where for "
    f"some pair the dead fraction at the lower rate is surely smaller, by more than {100 * PAPER.matters:.0f} points, and hurts where "
    f"for some pair it is surely larger by as much; both can be. Supported if it helps in at least {PAPER.often:.0%} of the settings "
    f"and hurts in none; supported with a limit if it helps in more settings than it hurts; refuted if it hurts in at least as many, "
    f"or surely helps in fewer than {PAPER.often:.0%}. (Before data had been looked at, the lowest rate was compared with the highest "
    f"safe one only, so that a rise after a fall went unseen.)",
    details={
        "Settings": "number",
        "Helps": "number",
        "Hurts": "number",
        "Both": "number",
        "FewestAt": "words",
    },
)
def lower_rate_helps(evidence: Evidence) -> Finding:
    """Judge C13."""
    matters, often = evidence.thresholds.matters, evidence.thresholds.often
    trained, pairs, changes = _changes(evidence, matters)
    setting = {str(pair): setting for pair, setting in zip(pairs["stratum"], pairs["setting"], strict=True)}
    helps = {setting[pair] for pair, change in changes.items() if change.low > matters}
    hurts = {setting[pair] for pair, change in changes.items() if change.high < -matters}
    settings = {setting[pair] for pair in changes}
    effect = _share_helped(evidence, matters)
    if len(helps) >= often * len(settings) and not hurts:
        verdict, note = SUPPORTED, ""
    elif len(helps) > len(hurts):
        verdict, note = LIMITED, "not for every cause of death: it depends on the initial bias"
    elif hurts or effect.high < often:
        verdict, note = REFUTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "no setting shows a sure change in either direction"
    details: dict[str, Detail] = {
        "Settings": len(settings),
        "Helps": len(helps),
        "Hurts": len(hurts),
        "Both": len(helps & hurts),
        "FewestAt": _rates_with_fewest(trained),
    }
    return Finding(verdict, effect, len(trained), note, details)


@measured
def _changes(evidence: Evidence, matters: float) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Interval]]:
    """The runs of settings in which units die, their pairs of rates, and the change between the rates of each pair."""
    trained = _dying(evidence.relu("causes"), matters)
    pairs = _pairs_of_rates(trained)
    return trained, pairs, each(pairs, simultaneous(pairs["stratum"].nunique()))


@measured
def _share_helped(evidence: Evidence, matters: float) -> Interval:
    """The share of the settings in which some lower rate has fewer dead units than some higher one."""
    _, pairs, _ = _changes(evidence, matters)
    helped = pairs[["replicate", "value"]].assign(stratum=pairs["setting"])
    return pooled(by_replicate(helped, lambda rows: float((rows["value"] > matters).any())))


def _dying(runs: pd.DataFrame, matters: float) -> pd.DataFrame:
    """The runs, at safe rates, of the settings in which more units than ``matters`` die at some such rate; column ``setting``."""
    runs = runs.assign(setting=runs["stratum"] + ", bias " + runs["initial_bias"].map("{:g}".format))
    trained = safe(runs, ["setting", "learning_rate"])
    dying = trained.groupby(["setting", "learning_rate"])["dead_fraction"].mean().groupby("setting").max()
    return trained[trained["setting"].isin(dying.index[dying > matters])]


def _pairs_of_rates(runs: pd.DataFrame) -> pd.DataFrame:
    """Dead fraction at a higher rate minus that at a lower one, paired by replicate.

    Columns setting, stratum (the setting and the two rates), replicate, value; a row each pair of rates and replicate.
    """
    key = ["setting", "replicate"]
    one = runs.groupby([*key, "learning_rate"])["dead_fraction"].mean().reset_index()
    pairs = one.merge(one, on=key, suffixes=("_low", "_high"))
    pairs = pairs[pairs["learning_rate_low"] < pairs["learning_rate_high"]]
    rates = [
        f": {low:g} and {high:g}"
        for low, high in pairs[["learning_rate_low", "learning_rate_high"]].to_numpy()
    ]
    return pairs.assign(
        stratum=pairs["setting"] + rates, value=pairs["dead_fraction_high"] - pairs["dead_fraction_low"]
    )[[*key, "stratum", "value"]]


def _rates_with_fewest(runs: pd.DataFrame) -> str:
    """At which rate each setting has its fewest dead units (the lowest such rate), by initial bias, in words."""
    means = runs.groupby(["initial_bias", "setting", "learning_rate"])["dead_fraction"].mean()
    best = means.groupby(["initial_bias", "setting"]).idxmin().map(lambda key: key[-1])
    ranges = best.groupby("initial_bias").agg(["min", "max"]).sort_index(ascending=False)
    return listed(f"{_span(low, high)} at bias {bias:g}" for bias, (low, high) in ranges.T.items())


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
