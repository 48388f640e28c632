"""Published numbers about dead units, beside those of the study's networks."""

import json

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.inference.doses import DOSES_FOR_A_LAW, exponents
from dying_relu.analysis.numbers.macro import Macro, macro
from dying_relu.analysis.outcomes import finite, trained
from dying_relu.analysis.study_results import StudyResults

FORTY = 0.4
"""CS231n's notes: "as much as 40 %" of a network may be dead if the rate is too high."""
SQUARE = 2
"""Zhou et al. (2020): filters collapse with a probability that goes as the learning rate squared."""
PLAIN = ("causes", "optimisers")
"""The experiments that vary rate and optimiser and nothing else that keeps units alive."""
BATCH_NORM = "batch_norm_rate"


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros from the tables of runs and layers."""
    runs = study.table("runs")
    layers = study.table(
        "layers", ["run", "step", "layer", "depth", "probe", "units", "active_share", "dead_all"]
    )
    ends = runs[["run", "steps"]].rename(columns={"steps": "step"})
    last = layers[layers["probe"] == "train"].merge(ends, on=["run", "step"])
    plain = runs[
        runs["experiment"].isin(PLAIN) & (runs["activation"] == "relu") & (runs["initial_bias"] == 0)
    ]
    deep = plain[trained(plain) & (plain["dataset"] == "cifar10") & (plain["architecture"] == "cnn")]
    return {
        **_forty(plain),
        "ActiveShares": active_shares(last[last["run"].isin(deep["run"])]),
        "BatchNormExponentPublished": Macro(SQUARE, latex.number(SQUARE)),
        "BatchNormExponent": filter_exponent(runs[runs["experiment"] == BATCH_NORM], last),
    }


def _forty(plain: pd.DataFrame) -> dict[str, Macro]:
    """How many of the networks have lost so large a part, by outcome."""
    good, bad = plain[trained(plain)], plain[finite(plain) & ~trained(plain)]

    def share(runs: pd.DataFrame) -> Macro:
        return macro(float((runs["dead_fraction"] >= FORTY).mean()) if len(runs) else None, "percent")

    return {
        "FortyPercent": macro(FORTY, "percent"),
        "FortyOfTrained": share(good),
        "FortyOfOthers": share(bad),
        "MostDeadOfTrained": macro(float(good["dead_fraction"].max()) if len(good) else None, "percent"),
    }


def active_shares(layers: pd.DataFrame) -> Macro:
    """The mean share of examples on which units are active, from the first hidden layer to the last.

    Args:
        layers: a row a network and layer, with the columns depth and active_share.
    """
    if layers.empty:
        return Macro(None, latex.NOT_MEASURED)
    means = layers.groupby("depth")["active_share"].mean()
    return Macro(json.dumps(list(means)), latex.listed(latex.percent(mean) for mean in means))


def filter_exponent(runs: pd.DataFrame, layers: pd.DataFrame) -> Macro:
    """The exponent with which the share of dead filters grows with the rate, as the predicate of a sentence.

    Args:
        runs: a row a run under batch normalisation.
        layers: of the end of training, a row a run and layer; filters are the units of those whose name begins with conv.
    """
    filters = layers[layers["layer"].str.startswith("conv") & layers["run"].isin(runs["run"])]
    if filters.empty:
        return Macro(None, "was not measured, because this study has no such experiment")
    sums = filters.groupby("run")[["dead_all", "units"]].sum()
    dead = runs["run"].map(sums["dead_all"] / sums["units"])
    fit = exponents(runs.assign(dead=dead).dropna(subset="dead"), ["dataset"], "learning_rate", "dead").iloc[
        0
    ]
    if pd.isna(fit["estimate"]):
        return Macro(None, f"could not be measured, for want of {latex.word(DOSES_FOR_A_LAW)} such rates")
    estimate, low, high = (latex.number(fit[end]) for end in ("estimate", "low", "high"))
    interval = "" if latex.NOT_MEASURED in (low, high) else f" ({low} to {high})"
    return Macro(float(fit["estimate"]), f"is {estimate}{interval}, over {latex.word(fit['n'])} rates")
