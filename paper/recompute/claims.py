"""Section 5 of the plan: the charitable reading of the claims that are more than an identity."""

import numpy as np
import pandas as pd
from judging import Missing, above, below, cells, choosing, reporting, verdict

CELL = ["dataset", "architecture"]
SETTING = [*CELL, "optimiser"]
LEAKY = "//leaky_relu 0.01/he/standardised/"


def c2(study):
    """A unit dead on the training examples is dead on the test examples."""
    runs = reporting(study.relu("causes", "optimisers"))
    trained = runs[runs["outcome"] == "trained"]
    dead = (trained["dead_fraction"] * trained["hidden_units"]).round()
    both = (trained["dead_on_both_fraction"] * trained["hidden_units"]).round()
    sums = trained.assign(dead=dead, both=both).groupby([*CELL, "replicate"])[["dead", "both"]].sum()
    return verdict(cells(sums["both"] / sums["dead"].where(sums["dead"] > 0), runs, CELL), above(0.95))


def _recovery(study):
    """The reported runs of ``recovery``, and the units of those that trained at the checkpoints at which they were counted."""
    runs = reporting(study.relu("recovery"))
    units = study.units[study.units["dead_all"].notna()]
    units = units.merge(
        runs.loc[runs["outcome"] == "trained", ["run", "optimiser", "replicate", "steps"]], on="run"
    )
    units = units.assign(dead=units["dead_all"].astype(bool)).sort_values("step")
    return runs, units


def c3(study):
    """A silent unit is active at the next checkpoint."""
    runs, units = _recovery(study)
    following = units.groupby(["run", "layer", "unit"])["dead"].shift(-1)
    silent = units.assign(woken=following.eq(False))[units["dead"] & following.notna()]
    numbers = silent.groupby(["optimiser", "replicate"])["woken"].mean()
    return verdict(cells(numbers, runs, ["optimiser"]), below(0.5))


def c4(study):
    """A dead unit stays dead, and removing it changes nothing."""
    runs, units = _recovery(study)
    keys = ["run", "layer", "unit", "optimiser", "replicate"]
    last = units["step"] == units["steps"]
    fate = (
        units.assign(was=units["dead"] & ~last, alive=~units["dead"] & last)
        .groupby(keys)[["was", "alive"]]
        .any()
    )
    numbers = fate[fate["was"]].groupby(level=["optimiser", "replicate"])["alive"].mean()
    word, effect = verdict(cells(numbers, runs, ["optimiser"]), below(0.01))
    every = study.runs[(study.runs["experiment"] == "recovery") & (study.runs["activation"] == "relu")]
    pruned = every[every["outcome"] == "trained"]
    changes = pruned.loc[pruned["dead_fraction_probe"] > 0, "pruned_difference"].max()
    return ("does not hold" if changes > 0.0001 else word), effect


def c5(study):
    """A large part of a trained network is newly dead."""
    runs = study.relu("causes", "optimisers")
    where = [*SETTING, "initial_bias", "learning_rate"]
    chosen = choosing(runs)
    means = (
        chosen.assign(trains=chosen["outcome"] == "trained")
        .groupby(where)
        .agg(trains=("trains", "all"), new=("new_dead_fraction", "mean"))
    )
    means = means[means["trains"]].reset_index()
    best = means.loc[means.groupby(CELL)["new"].idxmax(), where]
    here = reporting(runs)
    counted = here[here["outcome"] == "trained"].merge(best, on=where)
    numbers = counted.groupby([*CELL, "replicate"])["new_dead_fraction"].mean()
    return verdict(cells(numbers, here, CELL), above(0.25))


def c6(study):
    """The dead share from the lowest to the highest useful rate."""
    runs = study.relu("causes", "optimisers")
    runs = runs[runs["initial_bias"] == 0]
    scores = runs.assign(score=runs["test_accuracy"].where(~runs["overflowed"], 0.1))
    median = choosing(scores).groupby([*SETTING, "learning_rate"])["score"].median().reset_index()
    best = median.groupby(SETTING)["score"].transform("max")
    useful = median[median["score"] >= 0.9 * best].groupby(SETTING)["learning_rate"].agg(["min", "max"])
    here = reporting(runs)
    trained = here[here["outcome"] == "trained"].merge(useful.reset_index(), on=SETTING)
    trained = trained[trained["min"] < trained["max"]]
    ends = [
        trained[trained["learning_rate"] == trained[end]]
        .groupby([*SETTING, "replicate"])["dead_fraction"]
        .mean()
        for end in ("min", "max")
    ]
    return verdict(cells(ends[1] - ends[0], here, SETTING), above(0.05))


def c7(study):
    """A large negative initial bias kills."""
    runs = reporting(study.relu("causes"))
    runs = runs[
        (runs["optimiser"] == "sgd") & (runs["learning_rate"] == 0.03) & runs["initial_bias"].isin([0, -4])
    ]
    dead = runs[~runs["overflowed"]].pivot_table(
        "dead_fraction", index=[*CELL, "replicate"], columns="initial_bias"
    )
    return verdict(cells(dead[-4] - dead[0], runs, CELL), above(0.05))


def _anatomy(study):
    """The reported runs of ``anatomy``, a row a run and place, and the units after every update of those that trained."""
    runs = reporting(study.relu("anatomy"))
    units = study.units[study.units["dead_all"].notna()]
    trained = runs.loc[runs["outcome"] == "trained", ["run", "inputs", "replicate"]]
    units = units.merge(trained, on="run")
    units = units.assign(
        place=_places(units),
        dead=units["dead_all"].astype(bool),
        negative=units["negative_weights"].astype(float),
    ).sort_values("step")
    return pd.concat([runs.assign(place=_places(runs.assign(depth=depth))) for depth in (1, 2)]), units


def _places(table):
    return ("first layer, " + table["inputs"]).where(table["depth"] == 1, "deeper layers")


def _beyond(chosen, others, by, value):
    """Each seed's mean over chosen units of a value minus its mean over other units of the same groups."""
    usual = others.groupby(by)[value].mean().rename("usual").reset_index()
    pairs = chosen.merge(usual, on=by)
    return (pairs[value] - pairs["usual"]).groupby([pairs["place"], pairs["replicate"]]).mean()


def c9(study):
    """The update that kills makes the incoming weights more negative."""
    runs, units = _anatomy(study)
    following = units.groupby(["run", "layer", "unit"])[["step", "dead", "negative"]].shift(-1)
    units = units.assign(change=following["negative"] - units["negative"])
    alive = units[~units["dead"] & (following["step"] == units["step"] + 1)]
    dies = following["dead"].loc[alive.index].astype(bool)
    excess = _beyond(alive[dies], alive[~dies], ["run", "layer", "step"], "change")
    return verdict(cells(excess, runs, ["place"]), above(0.01))


def c9_literally(study):
    """Units with more negative weights at the start die more often."""
    runs, units = _anatomy(study)
    start = units[units["step"] == 0]
    later = units[units["step"] > 0].groupby(["run", "layer", "unit"])["dead"].any().rename("dies")
    start = start.merge(later.reset_index(), on=["run", "layer", "unit"])
    start = start[~start["dead"]]
    dies = start["dies"]
    excess = _beyond(start[dies], start[~dies], ["run", "layer"], "negative")
    return verdict(cells(excess, runs, ["place"]), above(0))


def _remedies(study):
    """The runs with a remedy: ``place`` is the network without it, and ``remedy`` names all that it changes."""
    runs = study.runs[study.runs["experiment"].str.startswith("remedies")]
    if runs.empty:
        raise Missing("no remedies")
    parts = {name: runs[name].str.partition("_") for name in ("architecture", "optimiser")}
    remedy = pd.DataFrame(
        {
            "architecture": parts["architecture"][2],
            "optimiser": parts["optimiser"][2],
            "activation": runs["activation"]
            + runs["slope"].map(" {:g}".format).where(runs["activation"] == "leaky_relu", ""),
            "initialisation": runs["initialisation"],
            "inputs": runs["inputs"],
            "bias": np.where(runs["initial_bias"] > 0, "positive", ""),
        }
    ).agg("/".join, axis=1)
    runs = runs.assign(
        **{name: part[0] for name, part in parts.items()},
        remedy=remedy,
        score=runs["test_accuracy"].where(~runs["overflowed"], 0.1),
    )
    plain = remedy.str.fullmatch("//relu/he/standardised/")
    return runs[~plain]


def _leaky_gap(study):
    """The accuracy of leaky ReLU minus that of the best other remedy, each at its best rate."""
    runs = _remedies(study)
    where = [*SETTING, "initial_bias"]
    positive = runs["initial_bias"] > 0
    starts = runs.loc[~positive, "initial_bias"].drop_duplicates()
    everywhere = runs[positive].drop(columns="initial_bias").merge(starts, how="cross")
    runs = pd.concat([runs[~positive], everywhere], ignore_index=True)
    means = choosing(runs).groupby([*where, "remedy", "learning_rate"])["score"].mean().reset_index()
    best = means.loc[means.groupby([*where, "remedy"])["score"].idxmax()]
    leaky = best["remedy"] == LEAKY
    rival = best[~leaky]
    rival = rival.loc[rival.groupby(where)["score"].idxmax()]
    here = reporting(runs)
    accuracies = [
        here.merge(chosen[[*where, "remedy", "learning_rate"]]).groupby([*where, "replicate"])["score"].mean()
        for chosen in (best[leaky], rival)
    ]
    return cells(accuracies[0] - accuracies[1], here, where)


def c10(study):
    """Leaky ReLU is as effective as any remedy."""
    return verdict(_leaky_gap(study), above(-0.01))


def c10_literally(study):
    """It is the most effective."""
    return verdict(_leaky_gap(study), above(0))


def c11(study):
    """A network trains with slope 0.0001 that ReLU leaves dead."""
    runs = study.runs[study.runs["experiment"].isin(["slopes", "slopes_cnn"])]
    runs = runs[runs["activation"].isin(["relu", "leaky_relu"])]
    if runs.empty:
        raise Missing("no slopes")
    setting = [*SETTING, "initial_bias", "learning_rate"]
    runs = runs.assign(score=runs["test_accuracy"].where(~runs["overflowed"], 0.1))
    chosen = choosing(runs)
    relu, larger = chosen[chosen["activation"] == "relu"], chosen[chosen["slope"] > 0.0001]
    dead = (relu["outcome"] == "collapsed").groupby([relu[name] for name in setting]).all()
    larger = larger.merge(dead[dead].reset_index()[setting], on=setting)
    means = larger.groupby([*setting, "slope"])["score"].mean().reset_index()
    best = means.loc[means.groupby(setting)["score"].idxmax(), [*setting, "slope"]]
    at_best = larger.merge(best, on=[*setting, "slope"])
    trains = (at_best["outcome"] == "trained").groupby([at_best[name] for name in setting]).all()
    best = best.merge(trains[trains].reset_index()[setting], on=setting)
    here = reporting(runs).merge(best, on=setting, suffixes=("", "_best"))
    if here.empty:
        raise Missing("no setting that only a slope trains")
    here = here.assign(
        arm=np.select(
            [here["activation"] == "relu", here["slope"] == 0.0001, here["slope"] == here["slope_best"]],
            ["relu", "tiny", "best"],
            "",
        )
    )
    sums = here.pivot_table("score", index=[*SETTING, "replicate"], columns="arm", aggfunc="sum")
    part = (sums["tiny"] - sums["relu"]) / (sums["best"] - sums["relu"])
    return verdict(cells(part, here, SETTING), above(0.5))


def c12(study):
    """PReLU's slope is learned."""
    runs = study.runs[
        study.runs["experiment"].str.match("slopes|remedies") & (study.runs["activation"] == "prelu")
    ]
    runs = reporting(runs)
    if runs.empty:
        raise Missing("no PReLU")
    ends = study.layers[study.layers["step"] == study.layers["steps"]]
    ends = ends.merge(runs.loc[runs["outcome"] == "trained", ["run", *SETTING, "replicate"]], on="run")
    moved = (ends["slope"].astype(float) - 0.25).abs()
    numbers = moved.groupby([ends[name] for name in (*SETTING, "replicate")]).mean()
    return verdict(cells(numbers, runs, SETTING), above(0.01))


def c13(study):
    """Dividing the rate by ten."""
    runs = study.relu("causes", "optimisers")
    high = runs["optimiser"].map({"sgd": 0.3, "momentum": 0.1, "adam": 0.03})
    key = [*SETTING, "initial_bias"]
    finite = runs[~runs["overflowed"]]
    at_high, at_low = (
        finite[np.isclose(finite["learning_rate"], high[finite.index] / factor)] for factor in (1, 10)
    )
    new = choosing(at_high).groupby(key)["new_dead_fraction"].mean()
    dying = new[new >= 0.05].reset_index()[key]
    pairs = reporting(at_high).merge(
        at_low[[*key, "replicate", "dead_fraction"]], on=[*key, "replicate"], suffixes=("", "_low")
    )
    pairs = pairs.merge(dying, on=key)
    pairs["helped"] = pairs["dead_fraction"] - pairs["dead_fraction_low"] >= 0.05
    everything = reporting(runs[np.isclose(runs["learning_rate"], high)])
    return verdict(cells(pairs.groupby([*CELL, "replicate"])["helped"].mean(), everything, CELL), above(0.5))


CLAIMS = {
    "C2": c2,
    "C3": c3,
    "C4": c4,
    "C5": c5,
    "C6": c6,
    "C7": c7,
    "C9": c9,
    "C10": c10,
    "C11": c11,
    "C12": c12,
    "C13": c13,
}
LITERAL = {"C9": c9_literally, "C10": c10_literally}
