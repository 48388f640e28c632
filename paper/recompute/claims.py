"""Section 5 of the plan: the charitable reading of the claims that are more than an identity."""

import numpy as np
from judging import Missing, above, below, cells, choosing, reporting, verdict

CELL = ["dataset", "architecture"]
SETTING = [*CELL, "optimiser"]


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
    pruned = study.runs[(study.runs["activation"] == "relu") & (study.runs["outcome"] == "trained")]
    changes = pruned.loc[pruned["dead_fraction_probe"] > 0, "pruned_difference"].max()
    return ("does not hold" if changes > 0.00001 else word), effect


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
    dead = (
        runs[~runs["overflowed"]]
        .groupby([*CELL, "replicate", "initial_bias"])["dead_fraction"]
        .mean()
        .unstack()
    )
    return verdict(cells(dead[-4] - dead[0], runs, CELL), above(0.05))


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


CLAIMS = {"C2": c2, "C3": c3, "C4": c4, "C5": c5, "C6": c6, "C7": c7, "C12": c12, "C13": c13}
