"""C6, C7 and C13: the learning rate and the bias as causes, and a lower rate as a cure."""

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate, safe
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Finding,
    claim,
    each,
    exceeds,
    pooled,
    trend,
)

MATTERS = 0.05
"""A change of the dead fraction matters from five percentage points of the hidden units on."""
OFTEN = 0.5
"""Often: in at least half of the cases."""
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
    details="Trend:words LowestRate:number SafeRates:words DivergedShare:percent",
)
def rate_too_high(evidence: Evidence) -> Finding:
    runs = _zero_bias(_relu_of_all_optimisers(evidence))
    trained = safe(runs, ["stratum", "learning_rate"])
    extremes = trained.groupby("stratum")["learning_rate"].agg(["min", "max"])
    values = _change(trained, extremes.reset_index(), "learning_rate")
    verdict, note = exceeds(values, MATTERS)
    effect = pooled(values)
    details = {
        "Trend": trend(effect),
        "LowestRate": runs["learning_rate"].min(),
        "SafeRates": " to ".join(
            f"{rate:g}" for rate in sorted({extremes["max"].min(), extremes["max"].max()})
        ),
        "DivergedShare": runs["diverged"].mean(),
    }
    return Finding(verdict, effect, len(runs), note, details)


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
    f"points in every data set and architecture. As a course: in units that die while training, the change of the bias makes "
    f"surely more than {MAJOR_PART:.0%} of the fall of the largest pre-activation. Supported if both hold; supported with a limit "
    f"if the first holds, at least somewhere; refuted if it surely holds nowhere.",
    details="Trend:words MostNegative:number BiasPart:percent BiasPartLow:percent BiasPartHigh:percent DiedUnits:number",
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
    part, course = _bias_part(evidence)
    if verdict == SUPPORTED and not part.get("BiasPartLow", 0.0) > MAJOR_PART:
        verdict, note = LIMITED, course
    effect = pooled(values)
    details = {"Trend": trend(effect), "MostNegative": runs["initial_bias"].min(), **part}
    return Finding(verdict, effect, len(trained), note, details)


def _bias_part(evidence: Evidence) -> tuple[dict[str, float], str]:
    """In the units that die while training: the part that the bias has in the fall of the largest pre-activation.

    max_x (w x + b) = b + max_x (w x), so the fall splits exactly into the fall of the bias and the rest, which is due to
    the weights and, above the first layer, the inputs.
    """
    try:
        ends = _ends(evidence.relu_units("recovery"))
        died = ends[~ends["dead_start"] & ends["dead_end"]]
        part = pooled(by_replicate(died, lambda g: g["bias_fall"].sum() / g["fall"].sum()))
    except NotEnoughData as reason:
        return {}, f"as an initial value; its course was not measured: {reason}"
    named = {
        "BiasPart": part.estimate,
        "BiasPartLow": part.low,
        "BiasPartHigh": part.high,
        "DiedUnits": len(died),
    }
    return (
        named,
        "as an initial value; in units that die while training the bias does not make the major part of the fall",
    )


def _ends(units: pd.DataFrame) -> pd.DataFrame:
    """Each unit at step 0 and at the end: columns dead_start, dead_end, fall, bias_fall (of the largest pre-activation)."""
    columns = ["run", "stratum", "replicate", "layer", "depth", "unit", "dead", "bias", "pre_activation_max"]
    start = units.loc[units["step"] == 0, columns]
    end = units.loc[units["step"] == units["steps"], ["run", "layer", "unit", *columns[-3:]]]
    ends = start.merge(end, on=["run", "layer", "unit"], suffixes=("_start", "_end"))
    return ends.assign(
        fall=ends["pre_activation_max_start"] - ends["pre_activation_max_end"],
        bias_fall=ends["bias_start"] - ends["bias_end"],
    )


@claim(
    "C13",
    "Lower learning rates often mitigate the problem",
    experiment="causes",
    measure="share of the settings with dead units in which the lowest rate has fewer of them than the highest safe one",
    rule=f"Settings: data set, architecture, initial bias; those in which more than {MATTERS:.0%} of the hidden units are dead at "
    f"some rate at which nothing diverges. A lower rate helps where the dead fraction at the lowest rate is surely smaller, by more "
    f"than {100 * MATTERS:.0f} points, than at the highest safe one, and hurts where it is surely larger. Supported if it helps in at "
    f"least {OFTEN:.0%} of the settings and hurts in none; supported with a limit if it helps in some and more often than it "
    f"hurts; refuted otherwise.",
    details="Settings:number Helps:number Hurts:number",
)
def lower_rate_helps(evidence: Evidence) -> Finding:
    runs = evidence.relu("causes")
    runs = runs.assign(stratum=runs["stratum"] + ", bias " + runs["initial_bias"].map("{:g}".format))
    trained = safe(runs, ["stratum", "learning_rate"])
    dying = trained.groupby(["stratum", "learning_rate"])["dead_fraction"].mean().groupby("stratum").max()
    trained = trained[trained["stratum"].isin(dying.index[dying > MATTERS])]
    extremes = trained.groupby("stratum")["learning_rate"].agg(["min", "max"]).reset_index()
    values = _change(trained, extremes, "learning_rate")
    changes = each(values)
    helps = [name for name, change in changes.items() if change.low > MATTERS]
    hurts = [name for name, change in changes.items() if change.high < -MATTERS]
    effect = pooled(
        values[values["stratum"].isin(list(changes))].assign(value=(values["value"] > MATTERS).astype(float))
    )
    if len(helps) >= OFTEN * len(changes) and not hurts:
        verdict, note = SUPPORTED, ""
    elif len(helps) > len(hurts):
        verdict, note = LIMITED, "not for every cause of death: it depends on the initial bias"
    elif hurts or effect.high < OFTEN:
        verdict, note = REFUTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "no setting shows a sure change in either direction"
    details = {"Settings": len(changes), "Helps": len(helps), "Hurts": len(hurts)}
    return Finding(verdict, effect, len(trained), note, details)
