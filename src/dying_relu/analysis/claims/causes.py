"""C6, C7 and C13: the learning rate and the bias as causes, and a lower rate as a cure."""

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate, safe
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Detail,
    Finding,
    claim,
    each,
    exceeds,
    if_any,
    pooled,
    trend,
)
from dying_relu.analysis.inference.attribution import PARTS
from dying_relu.analysis.inference.intervals import simultaneous
from dying_relu.analysis.latex import listed

MATTERS = 0.05
"""A change of the dead fraction matters from five percentage points of the hidden units on."""
OFTEN = 0.5
"""Often: in at least half of the cases."""
OPTIMISERS = ("sgd", "momentum", "adam")
"""Those that C6 answers for by themselves."""
MAJOR_PART = 0.5
"""A cause has the major part in an effect if it makes at least half of it."""


@claim(
    "C6",
    "Cause 1: the learning rate is too high",
    experiment="causes, optimisers",
    measure="dead fraction at the highest learning rate at which nothing diverges, minus that at the lowest",
    unit="points",
    rule=f"ReLU networks with the initial bias nearest to 0, for each data set, architecture and optimiser; rates at which any "
    f"replicate diverged are left out, so that divergence is not counted as death. Supported if the dead fraction surely rises by "
    f"more than {100 * MATTERS:.0f} points everywhere, supported with a limit if somewhere, refuted if surely nowhere.",
    details="Rates:words Sgd:points Momentum:points Adam:points Cases:number AtEdge:number DivergedShare:percent",
)
def rate_too_high(evidence: Evidence) -> Finding:
    runs = _zero_bias(_relu_of_all_optimisers(evidence))
    trained = safe(runs, ["stratum", "learning_rate"])
    extremes = trained.groupby("stratum")["learning_rate"].agg(["min", "max"])
    values = _change(trained, extremes.reset_index(), "learning_rate")
    verdict, note = exceeds(values, MATTERS)
    optimiser = runs.groupby("stratum")["optimiser"].first()
    highest = runs.groupby("stratum")["learning_rate"].max()
    details: dict[str, Detail] = {
        "Rates": _safe_rates(extremes.groupby(optimiser).agg(["min", "max"])),
        **{
            name.capitalize(): if_any(values[values["stratum"].map(optimiser) == name]) for name in OPTIMISERS
        },
        "Cases": len(extremes),
        # Where the highest rate of all is safe, nobody knows where divergence begins.
        "AtEdge": int((extremes["max"] == highest[extremes.index]).sum()),
        "DivergedShare": runs["diverged"].mean(),
    }
    return Finding(verdict, pooled(values), len(runs), note, details)


def _safe_rates(extremes: pd.DataFrame) -> str:
    """From which rate to which, by optimiser, in words; ``extremes``: columns (min or max, min or max)."""
    known = extremes.loc[[name for name in OPTIMISERS if name in extremes.index]]
    return listed(
        f"{low:g} to {low_end:g}{'' if low_end == high_end else f' or up to {high_end:g}'} ({name})"
        for name, (low, _, low_end, high_end) in known.T.items()
    )


def _relu_of_all_optimisers(evidence: Evidence) -> pd.DataFrame:
    """The runs of ``optimisers`` and, for plain SGD, the finer grid of ``causes`` in place of theirs."""
    causes = evidence.relu("causes")
    optimisers = evidence.runs[evidence.runs["experiment"] == "optimisers"]
    return pd.concat(
        [causes, optimisers[(optimisers["activation"] == "relu") & (optimisers["optimiser"] != "sgd")]]
    )


def _zero_bias(runs: pd.DataFrame) -> pd.DataFrame:
    size = runs["initial_bias"].abs()
    return runs[size == size.groupby(runs["stratum"]).transform("min")]


def _change(runs: pd.DataFrame, extremes: pd.DataFrame, factor: str) -> pd.DataFrame:
    """Dead fraction at ``extremes.max`` minus that at ``extremes.min`` of ``factor``, paired by replicate.

    ``extremes`` has the columns stratum, min and max.
    """
    tested = runs.merge(extremes[extremes["min"] < extremes["max"]], on="stratum")
    ends = {
        end: tested[tested[factor] == tested[end]].groupby(["stratum", "replicate"])["dead_fraction"].mean()
        for end in ("min", "max")
    }
    return (ends["max"] - ends["min"]).rename("value").dropna().reset_index()


@claim(
    "C7",
    "Cause 2: a large negative bias",
    experiment="causes, recovery",
    measure="dead fraction at the most negative initial bias minus that at the bias nearest to 0, at the lowest rate",
    unit="points",
    rule=f"Two readings. As a start: at the lowest learning rate the dead fraction surely rises by more than {100 * MATTERS:.0f} "
    f"points in every data set and architecture. As a course: of the fall of the largest pre-activation from the checkpoint before a "
    f"unit's death to that after it, the change of the bias makes surely more than {MAJOR_PART:.0%} in the median death. Supported if "
    f"both hold; supported with a limit if the first holds, at least somewhere; refuted if it surely holds nowhere. (Before data had "
    f"been looked at, the second was a ratio of sums, from the start to the end of training; a few explosions made most of "
    f"them. The threshold stayed.)",
    details="Trend:words MostNegative:number Deaths:number BiasPart:percent WeightsPart:percent InputsPart:percent BiasLargest:percent",
)
def bias_too_negative(evidence: Evidence) -> Finding:
    runs = evidence.relu("causes")
    slowest = runs[runs["learning_rate"] == runs.groupby("stratum")["learning_rate"].transform("min")]
    trained = safe(slowest, ["stratum", "initial_bias"])
    tested = trained.assign(dose=-trained["initial_bias"])
    nearest_to_zero = tested["dose"].abs() == tested["dose"].abs().groupby(tested["stratum"]).transform("min")
    doses = tested[(tested["dose"] > 0) | nearest_to_zero].groupby("stratum")["dose"].agg(["min", "max"])
    values = _change(tested, doses.reset_index(), "dose")
    verdict, note = exceeds(values, MATTERS)
    course, limit = _course(evidence)
    if verdict == SUPPORTED and limit:
        verdict, note = LIMITED, limit
    effect = pooled(values)
    details = {"Trend": trend(effect), "MostNegative": runs["initial_bias"].min(), **course}
    return Finding(verdict, effect, len(trained), note, details)


def _course(evidence: Evidence) -> tuple[dict[str, Detail], str]:
    """What kills the units that die while training, and why the bias is not to blame; an empty reason if it is."""
    try:
        since = evidence.since("recovery")
        deaths = since[since["died"]]
        shares = deaths[PARTS].div(deaths["fall"], axis="index")
        parts = {
            name: pooled(by_replicate(deaths.assign(share=shares[part]), lambda g: g["share"].median()))
            for name, part in zip(("BiasPart", "WeightsPart", "InputsPart"), PARTS, strict=True)
        }
    except NotEnoughData as reason:
        return {}, f"as an initial value; its course was not measured: {reason}"
    largest = deaths.assign(bias_largest=deaths[PARTS].idxmax(axis=1) == "by_bias")
    details: dict[str, Detail] = {
        "Deaths": len(deaths),
        **parts,
        "BiasLargest": pooled(by_replicate(largest, lambda g: g["bias_largest"].mean())),
    }
    if parts["BiasPart"].low > MAJOR_PART:
        return details, ""
    return details, (
        "as an initial value; in units that die while training the bias does not make the major part of the fall"
    )


@claim(
    "C13",
    "Lower learning rates often mitigate the problem",
    experiment="causes",
    measure="share of the settings with dead units in which some lower rate has fewer of them than some higher one",
    rule=f"Settings: data set, architecture, initial bias; those in which more than {MATTERS:.0%} of the hidden units are dead at "
    f"some rate at which nothing diverges. Within a setting all pairs of such rates are compared. A lower rate helps where for some pair "
    f"the dead fraction at the lower rate is surely smaller, by more than {100 * MATTERS:.0f} points, and hurts where for some pair it "
    f"is surely larger by as much; both can be. Supported if it helps in at least {OFTEN:.0%} of the settings and hurts in none; "
    f"supported with a limit if it helps in more settings than it hurts; refuted if it hurts in at least as many, or surely helps in "
    f"fewer than {OFTEN:.0%}. (Before data had been looked at, the lowest rate was compared with the highest safe one only, so that "
    f"a rise after a fall went unseen.)",
    details="Settings:number Helps:number Hurts:number Both:number FewestAt:words",
)
def lower_rate_helps(evidence: Evidence) -> Finding:
    trained = _dying(evidence.relu("causes"))
    pairs = _pairs_of_rates(trained)
    changes = each(pairs, simultaneous(pairs["stratum"].nunique()))
    setting = {str(pair): setting for pair, setting in zip(pairs["stratum"], pairs["setting"], strict=True)}
    helps = {setting[pair] for pair, change in changes.items() if change.low > MATTERS}
    hurts = {setting[pair] for pair, change in changes.items() if change.high < -MATTERS}
    settings = {setting[pair] for pair in changes}
    helped = pairs.assign(stratum=pairs["setting"])
    effect = pooled(by_replicate(helped, lambda g: float((g["value"] > MATTERS).any())))
    if len(helps) >= OFTEN * len(settings) and not hurts:
        verdict, note = SUPPORTED, ""
    elif len(helps) > len(hurts):
        verdict, note = LIMITED, "not for every cause of death: it depends on the initial bias"
    elif hurts or effect.high < OFTEN:
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


def _dying(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs, at safe rates, of the settings in which more units than matter die at some such rate; column ``setting``."""
    runs = runs.assign(setting=runs["stratum"] + ", bias " + runs["initial_bias"].map("{:g}".format))
    trained = safe(runs, ["setting", "learning_rate"])
    dying = trained.groupby(["setting", "learning_rate"])["dead_fraction"].mean().groupby("setting").max()
    return trained[trained["setting"].isin(dying.index[dying > MATTERS])]


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
