"""C10, C11 and C12: the leaky ReLU against the other remedies, how small its slope may be, and learning it."""

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
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
    pooled,
)
from dying_relu.analysis.latex import listed
from dying_relu.analysis.remedies import BASELINE, LEAKY, PREFIX, side_by_side

DOOMED = 0.25
"""ReLU counts as dying in a setting where a quarter of its hidden units are dead, or where it diverges."""
ACCURACY_MATTERS = 0.01
"""An accuracy differs from one percentage point on."""
CHANCE = {"cifar100": 0.01}
"""Accuracy of a constant answer, where it is not one in ten."""
POST_SLOPE = 1e-4
"""The slope the post gives as an example."""
HALF = 0.5
SLOPE_MOVES = 0.01
"""A learned slope has moved if its mean is this far from where it began."""
PRELU_START = 0.25


def _scored(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with a column ``score``: test accuracy, or that of a constant answer where the run diverged."""
    chance = runs["dataset"].map(CHANCE).fillna(0.1)
    return runs.assign(score=runs["test_accuracy"].where(~runs["diverged"], chance))


@claim(
    "C10",
    "Leaky ReLU is the most common and effective method to alleviate dying ReLU",
    experiment="remedies...",
    measure="test accuracy of leaky ReLU minus that of the best other remedy",
    unit="points",
    rule=f"In the settings (data set, architecture, rate) in which a ReLU network has at least {DOOMED:.0%} dead "
    f"units or diverges; a diverged run scores as a constant answer. Supported if leaky ReLU is surely more than "
    f"{100 * ACCURACY_MATTERS:.0f} point better than ReLU and surely not more than {100 * ACCURACY_MATTERS:.0f} point worse than the "
    f"best other remedy at the same rate (the best on average, chosen in each setting); supported with a limit if only the former; "
    f"refuted if it is surely not better than ReLU by that much. How common it is is not tested. (Before the study had other "
    f"remedies, the rule spoke of the best other activation; after data had been looked at, a lower rate became one of the remedies.)",
    details="GainOverRelu:points BestOther:words DoomedSettings:number Remedies:words WorstGap:points BestGap:points",
)
def leaky_is_best(evidence: Evidence) -> Finding:
    evidence.experiment(PREFIX)
    runs = _scored(side_by_side(evidence.runs))
    runs = runs.assign(
        stratum=runs["dataset"] + " " + runs["architecture"], remedy=runs["remedy"].astype(str)
    )
    setting = ["stratum", "learning_rate"]
    doomed = _doomed(runs, setting)
    scores = doomed.pivot_table(index=[*setting, "replicate"], columns="remedy", values="score")
    if LEAKY not in scores or BASELINE not in scores or len(scores.columns) < 3:
        raise NotEnoughData("leaky ReLU, ReLU and another remedy are needed")
    others = scores.drop(columns=[BASELINE, LEAKY])
    means = others.groupby(setting).mean()
    best = means.idxmax(axis=1).rename("best")
    paired = scores.reset_index().merge(best.reset_index(), on=setting)
    paired["best_score"] = [row[row["best"]] for _, row in paired.iterrows()]
    gain = pooled(_mean_difference(paired, LEAKY, BASELINE))
    gap = pooled(_mean_difference(paired, LEAKY, "best_score"))
    if gain.low > ACCURACY_MATTERS and gap.low > -ACCURACY_MATTERS:
        verdict, note = SUPPORTED, "how common it is was not tested"
    elif gain.low > ACCURACY_MATTERS:
        verdict, note = LIMITED, "it helps, but was not shown to be as good as the best other remedy"
    elif gain.high < ACCURACY_MATTERS:
        verdict, note = REFUTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both a gain over ReLU and none"
    gaps = (paired[LEAKY] - paired["best_score"]).groupby([paired[key] for key in setting]).mean()
    details: dict[str, Detail] = {
        "GainOverRelu": gain,
        "BestOther": listed(best.value_counts().index[:2]),
        "DoomedSettings": len(best),
        "Remedies": _from_to(means.notna().sum(axis=1)),
        "WorstGap": gaps.min(),
        "BestGap": gaps.max(),
    }
    return Finding(verdict, gap, doomed["run"].nunique(), note, details)


def _from_to(counts: pd.Series) -> str:
    low, high = counts.min(), counts.max()
    return str(low) if low == high else f"{low} to {high}"


def _doomed(runs: pd.DataFrame, setting: list[str]) -> pd.DataFrame:
    relu = runs[runs["remedy"] == BASELINE]
    dead = relu["dead_fraction"].where(~relu["diverged"], 1.0)
    fraction = relu.assign(dead=dead).groupby(setting)["dead"].mean()
    doomed = fraction[fraction >= DOOMED].reset_index()[setting]
    if doomed.empty:
        raise NotEnoughData("ReLU dies in none of its settings")
    return runs.merge(doomed, on=setting)


def _mean_difference(paired: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    difference = (paired[one] - paired[other]).rename("value")
    return difference.groupby([paired["stratum"], paired["replicate"]]).mean().reset_index()


@claim(
    "C11",
    "The slope of a leaky ReLU may be as small as 0.0001",
    experiment="slopes",
    measure="part of the accuracy that the best fixed slope gains over ReLU which slope 0.0001 gains",
    rule=f"Where the best fixed slope gains surely more than {100 * ACCURACY_MATTERS:.0f} point of test accuracy over ReLU. Supported if "
    f"slope {POST_SLOPE} surely gains more than {HALF:.0%} of that in every data set and architecture, supported with a limit if "
    f"in some, refuted if surely in none.",
    details="BestSlope:words SmallestEnough:words Gain:points",
)
def slope_may_be_tiny(evidence: Evidence) -> Finding:
    runs = _fixed_slopes(evidence)
    if POST_SLOPE not in runs["slope"].to_numpy():
        raise NotEnoughData(f"no network has slope {POST_SLOPE}")
    gains = _gains(runs)
    best = (
        gains.groupby(["stratum", "slope"])["value"]
        .mean()
        .groupby("stratum")
        .idxmax()
        .map(lambda key: key[1])
    )
    top = gains[gains["slope"] == gains["stratum"].map(best)]
    rescued = [name for name, gain in each(top).items() if gain.low > ACCURACY_MATTERS]
    if not rescued:
        raise NotEnoughData("no slope is surely better than ReLU, so that there is nothing to rescue")
    scale = top.groupby("stratum")["value"].mean()
    parts = gains[gains["stratum"].isin(rescued)]
    parts = parts.assign(value=parts["value"] / parts["stratum"].map(scale))
    tiny = parts[parts["slope"] == POST_SLOPE]
    verdict, note = exceeds(tiny, HALF)
    enough = parts.groupby("slope")["value"].mean()
    details: dict[str, Detail] = {
        "BestSlope": listed(sorted({f"{best[name]:g}" for name in rescued}, key=float)),
        "Gain": float(scale[rescued].mean()),
    }
    if (enough > HALF).any():
        details["SmallestEnough"] = f"{enough.index[enough > HALF].min():g}"
    return Finding(verdict, pooled(tiny), len(runs), note, details)


def _fixed_slopes(evidence: Evidence) -> pd.DataFrame:
    runs = _scored(evidence.experiment("slopes"))
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


@claim(
    "C12",
    "PReLU learns its slope from the data",
    experiment="slopes, remedies",
    measure="distance of the learned slope, a mean over layers, from where it began",
    unit="number",
    rule=f"PReLU networks of both experiments that did not diverge, for each experiment, data set and architecture. Supported if the "
    f"slope surely moves by more than {SLOPE_MOVES} everywhere and PReLU's test accuracy in slopes is surely not more than "
    f"{100 * ACCURACY_MATTERS:.0f} point worse than that of the best fixed slope, a diverged run scoring as a constant answer; "
    f"supported with a limit if the slope moves, at least somewhere; refuted if it surely moves nowhere. (The second experiment was "
    f"added after PReLU had diverged in most runs of the first, and then lower rates to the first.)",
    details="MeanSlope:number DivergedSlopes:percent DivergedRemedies:percent DivergedRates:words AgainstFixed:points "
    "LowRateFirst:number LowRateDeeper:number HighRateFirst:number HighRateDeeper:number "
    "NegativeSlopes:percent LowestSlope:number",
)
def slope_is_learned(evidence: Evidence) -> Finding:
    slopes = _scored(evidence.experiment("slopes"))
    everything = pd.concat([slopes, evidence.runs[evidence.runs["experiment"] == PREFIX]])
    prelu = everything[everything["activation"] == "prelu"]
    trained = prelu[~prelu["diverged"]]
    start = trained["slope"].fillna(PRELU_START)
    moved = trained.assign(
        stratum=trained["stratum"] + " in " + trained["experiment"],
        value=(trained["mean_slope"] - start).abs(),
    )
    moved = moved.groupby(["stratum", "replicate"])["value"].mean().reset_index()
    verdict, note = exceeds(moved, SLOPE_MOVES)
    gap = pooled(_against_best_fixed(slopes))
    if verdict == SUPPORTED and gap.low <= -ACCURACY_MATTERS:
        verdict, note = (
            LIMITED,
            "it learns the slope, but was not shown to do as well as the best fixed slope",
        )
    in_slopes = prelu["experiment"] == "slopes"
    details: dict[str, Detail] = {
        "MeanSlope": trained["mean_slope"].mean(),
        "DivergedSlopes": prelu.loc[in_slopes, "diverged"].mean(),
        "DivergedRemedies": prelu.loc[~in_slopes, "diverged"].mean(),
        "DivergedRates": _diverged_by_rate(prelu[in_slopes]),
        "AgainstFixed": gap,
        **_slopes_of_layers(evidence, trained),
    }
    return Finding(verdict, pooled(moved), len(prelu), note, details)


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
    found: dict[str, Detail] = {
        "NegativeSlopes": (end["slope"] < 0).mean(),
        "LowestSlope": end["slope"].min(),
    }
    beside_others = end[end["experiment"] == PREFIX]
    rates = beside_others["learning_rate"]
    for name, rate in {"LowRate": rates.min(), "HighRate": rates.max()}.items():
        at = beside_others[rates == rate]
        found[f"{name}First"] = at.loc[at["depth"] == 1, "slope"].mean()
        found[f"{name}Deeper"] = at.loc[at["depth"] > 1, "slope"].mean()
    return found


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
