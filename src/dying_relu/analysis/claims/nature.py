"""C1 to C5: what a dead unit is, whether it comes back, and how much of a network it takes."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate, safe
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Detail,
    Finding,
    by_group,
    claim,
    exceeds,
    if_any,
    pooled,
)
from dying_relu.analysis.inference.intervals import Interval, simultaneous
from dying_relu.analysis.latex import listed

NEARLY_ALL = 0.95
"""A property of 'any' input or unit may fail in one case of twenty and still hold with a limit."""
UNLIKELY = 0.5
"""An event is unlikely if it happens less often than not."""
FOREVER = 0.01
"""'For ever' allows one unit in a hundred to come back."""
SCALED = 1e-4
"""Bias and weights were multiplied by one factor if their ratio is kept to this share: single precision, over some hundred steps."""
OPTIMISERS = {
    "Sgd": "sgd",
    "SgdDecay": "sgd_weight_decay",
    "Momentum": "momentum",
    "MomentumDecay": "momentum_weight_decay",
    "Adam": "adam",
}
"""Those that C4 reports by themselves: name of the detail -> optimiser."""
LARGE_PART = 0.25
"""A large part of a network: a quarter of its hidden units."""


@claim(
    "C1",
    "ReLU returns 0 for an input that is negative or zero, and the input itself otherwise",
    experiment="none: an identity",
    measure="largest absolute difference between the ReLU that was trained with and max(0, z)",
    unit="number",
    rule="Supported if the activation used in training equals max(0, z) exactly on float32 numbers of every "
    "magnitude and both signs; else refuted.",
    details="Values:number",
)
def relu_is_max(evidence: Evidence) -> Finding:
    # Here, because all other claims are settled without torch.
    import torch

    from dying_relu.stack.activations import ACTIVATIONS

    bits = torch.arange(0, 0x7F800000, 4999, dtype=torch.int64).to(torch.int32)
    positive = bits.view(torch.float32)
    z = torch.cat([-positive, positive])
    expected = torch.from_numpy(np.maximum(np.float32(0), z.numpy()))
    worst = float((ACTIVATIONS["relu"].function(z, 0.0) - expected).abs().max())
    return Finding(
        SUPPORTED if worst == 0 else REFUTED,
        Interval(worst, worst, worst, len(z)),
        runs=0,
        details={"Values": len(z)},
    )


@claim(
    "C2",
    "A dying unit becomes inactive and outputs 0 for any input",
    experiment="causes",
    measure="share of the units dead on the training probe set that are alive on the test probe set",
    rule=f"ReLU networks at the end of training. Supported if no unit that is dead on training examples is alive on held-out "
    f"ones; supported with a limit if surely fewer than {1 - NEARLY_ALL:.0%} of them are; refuted if surely more. (After data had "
    f"been looked at, units are compared one by one instead of by their numbers; the threshold stayed.)",
    details="DeadOnTrain:number DeadOnTest:number Mlp:percent Cnn:percent Reverse:percent Sampling:words Recovery:percent",
)
def dead_on_any_input(evidence: Evidence) -> Finding:
    if evidence.definition.of_both is None:
        raise NotEnoughData("this definition is not recorded of single units on both probe sets")
    runs = evidence.relu("causes").query("not diverged")
    counts = _counts(runs)
    effect = pooled(_alive_elsewhere(counts, "train"))
    if effect.high == 0:
        verdict, note = SUPPORTED, "on the examples that were tried"
    elif effect.high < 1 - NEARLY_ALL:
        verdict, note = LIMITED, "for nearly any input: held-out examples wake some units"
    elif effect.low > 1 - NEARLY_ALL:
        verdict, note = REFUTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both few and many such units"
    kinds = {
        kind.capitalize(): if_any(
            _alive_elsewhere(counts[runs["architecture"].str.startswith(kind)], "train")
        )
        for kind in ("mlp", "cnn")
    }
    recovery = evidence.runs.query("experiment == 'recovery' and activation == 'relu' and not diverged")
    reverse = if_any(_alive_elsewhere(counts, "test"))
    # Neither set is special to a network's dead units but for having trained it: the reverse is what drawing other examples does.
    by_sampling = reverse.estimate if isinstance(reverse, Interval) else 0.0
    details: dict[str, Detail] = {
        "DeadOnTrain": counts["train"].sum(),
        "DeadOnTest": counts["test"].sum(),
        **kinds,
        "Reverse": reverse,
        "Sampling": "most" if by_sampling >= effect.estimate / 2 else "a part",
        "Recovery": if_any(_alive_elsewhere(_counts(recovery), "train")),
    }
    return Finding(verdict, effect, len(runs), note, details)


def _counts(runs: pd.DataFrame) -> pd.DataFrame:
    """How many units of each run are dead on the training probe set, on the held-out one, and on both."""
    columns = {"train": "dead_fraction", "test": "dead_fraction_test", "both": "dead_on_both_fraction"}
    units = {name: (runs[column] * runs["hidden_units"]).round() for name, column in columns.items()}
    return runs[["stratum", "replicate"]].assign(**units)


def _alive_elsewhere(counts: pd.DataFrame, probe: str) -> pd.DataFrame:
    """Of the units that are dead on ``probe``, "train" or "test", the share that is alive on the other; by replicate."""
    return by_replicate(counts, lambda g: _ratio((g[probe] - g["both"]).sum(), g[probe].sum()))


@claim(
    "C3",
    "Once a unit gets negative input it always outputs zero and is unlikely to recover",
    experiment="recovery",
    measure="share of the units dead at a checkpoint that are alive at the next",
    rule=f"The chance that a unit which is not active now is active at the next checkpoint, (a) on the same example, (b) on the same "
    f"minibatch, (c) on the whole probe set; unlikely: surely below {UNLIKELY:.0%}. Supported if all three are unlikely, (c) also until "
    f"the end of training, and most units that are not active on an example surely output zero on all others; supported with a limit "
    f"if (c) is unlikely at the next checkpoint and until the end; refuted if it is surely above {UNLIKELY:.0%} at either. (Before data "
    f"had been looked at, all three were the chance to be alive at the end, and (b) was computed, not observed.)",
    details="PerExample:percent PerMinibatch:percent AtTheEnd:percent AliveElsewhere:percent",
)
def recovery_is_unlikely(evidence: Evidence) -> Finding:
    units = evidence.relu_units("recovery")
    since = evidence.since("recovery")
    example = _woken(since, "examples", 1 - since["active_share"])
    minibatch = _woken(since, "minibatches", _inactive_minibatches(since))
    dataset = pooled(by_replicate(since[since["dead"]], lambda g: g["revived"].mean()))
    at_the_end = pooled(by_replicate(_with_end(units).query("dead"), lambda g: g["alive_end"].mean()))
    elsewhere = pooled(by_replicate(since, _alive_beside))
    until_the_end = max(dataset.high, at_the_end.high) < UNLIKELY
    if until_the_end and max(example.high, minibatch.high, elsewhere.high) < UNLIKELY:
        verdict, note = SUPPORTED, ""
    elif until_the_end:
        verdict, note = LIMITED, "true of a unit that is negative on every example, not on some"
    elif max(dataset.low, at_the_end.low) > UNLIKELY:
        verdict, note = REFUTED, "even a unit that is dead on the whole probe set is likely to come back"
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both likely and unlikely"
    details: dict[str, Detail] = {
        "PerExample": example,
        "PerMinibatch": minibatch,
        "AtTheEnd": at_the_end,
        "AliveElsewhere": elsewhere,
    }
    return Finding(verdict, dataset, units["run"].nunique(), note, details)


def _woken(since: pd.DataFrame, what: str, cases: pd.Series) -> Interval:
    """Share of the cases (examples or minibatches) on which a unit was not active that had it active at the next checkpoint.

    ``cases``: how many such cases each row of ``since`` stands for, up to a factor.
    """
    share = since[f"woken_{what}_next"]
    weighted = since.assign(cases=cases.where(share.notna(), 0.0), woken=share.fillna(0.0) * cases)
    return pooled(by_replicate(weighted, lambda g: _ratio(g["woken"].sum(), g["cases"].sum())))


def _inactive_minibatches(since: pd.DataFrame) -> pd.Series:
    """The number of minibatches on which each unit is inactive; expected, given that there is one.

    A unit of a linear layer that is active on a share p of the examples is inactive on one of M minibatches of B with probability
    q = (1 - p)^B, hence on M q, or on M q / (1 - (1 - q)^M) if on any. That of a convolution does not follow from p: 0.
    """
    minibatches = np.ceil(since["train_examples"] / since["batch_size"])
    inactive = (1 - since["active_share"]) ** since["batch_size"]
    # Where q is next to nothing, the one there is.
    any_at_all = (1 - (1 - inactive) ** minibatches).clip(lower=1e-9)
    expected = (minibatches * inactive / any_at_all).clip(lower=1.0)
    return expected.where(since["layer"].str.startswith("linear"), 0.0)


def _with_end(units: pd.DataFrame) -> pd.DataFrame:
    """The units at all checkpoints but the last, and whether they are alive at the end."""
    identity = ["run", "layer", "unit"]
    final = units.loc[units["step"] == units["steps"], [*identity, "dead"]]
    earlier = units[units["step"] < units["steps"]]
    return earlier.merge(final, on=identity, suffixes=("", "_end")).assign(
        alive_end=lambda table: ~table["dead_end"]
    )


def _alive_beside(since: pd.DataFrame) -> float:
    """Of the cases of a unit and an example on which it is not active, the share in which it is active on another example."""
    asleep = 1 - since["active_share"]
    return _ratio(asleep[~since["dead"]].sum(), asleep.sum())


@claim(
    "C4",
    "A dead unit is dead for ever and plays no role",
    experiment="recovery",
    measure="share of the units dead at some checkpoint that are alive at a later one",
    rule=f"By optimiser and by depth (first hidden layer, deeper ones): for ever holds where surely at most {FOREVER:.0%} of "
    f"the units that were dead come back. Supported if it holds everywhere, supported with a limit if somewhere, refuted "
    f"if nowhere, or if a dead unit has an output other than exactly 0 on the probe set. (Optimisers with weight decay were added "
    f"after data had been looked at.)",
    details=" ".join(f"{name}{layers}:percent" for name in OPTIMISERS for layers in ("First", "Deeper"))
    + " FrozenIntervals:number FrozenRevivals:number DecayIntervals:number DecayRevivals:number "
    "PrunedNetworks:number PrunedDifference:number PrunedAnswers:percent",
)
def dead_for_ever(evidence: Evidence) -> Finding:
    units = evidence.relu_units("recovery").sort_values("step")
    units["place"] = units["optimiser"] + np.where(units["depth"] == 1, ", first layer", ", deeper layers")
    life = _lives(units)
    places = by_group(life, "place", _came_back)
    stricter = by_group(life, "place", _came_back, simultaneous(len(places)))
    if not places:
        raise NotEnoughData("no depth under any optimiser has dead units in enough replicates")
    effect = pooled(by_replicate(life, _came_back))
    holds = [place for place, share in stricter.items() if share.high <= FOREVER]
    if (units.loc[units["dead"], "mean_abs_activation"] > 0).any():
        verdict, note = REFUTED, "a dead unit had an output other than zero"
    elif all(share.high <= FOREVER for share in places.values()):
        verdict, note = SUPPORTED, ""
    elif holds:
        verdict, note = LIMITED, f"for ever with {listed(holds)}; not shown elsewhere"
    else:
        verdict, note = REFUTED, "dead units come back under every optimiser, at every depth"
    details = {**_by_optimiser(life), **_frozen(units), **_pruned(evidence)}
    return Finding(verdict, effect, units["run"].nunique(), note, details)


def _came_back(life: pd.DataFrame) -> float:
    return float(life["came_back"].mean())


def _by_optimiser(life: pd.DataFrame) -> dict[str, float]:
    """The share that came back under each optimiser, in the first layer and above it."""
    first = life["depth"] == 1
    return {
        f"{name}{layers}": _came_back(life[(life["optimiser"] == optimiser) & here])
        for name, optimiser in OPTIMISERS.items()
        for layers, here in {"First": first, "Deeper": ~first}.items()
    }


def _lives(units: pd.DataFrame) -> pd.DataFrame:
    """The units that were dead at some checkpoint, one row each, and whether they were alive at a later one.

    ``units`` is sorted by step.
    """
    identity = ["run", "layer", "unit"]
    ever_dead = units.groupby(identity, sort=False)["dead"].cummax()
    came_back = ever_dead & ~units["dead"]
    return (
        units.assign(was_dead=ever_dead, came_back=came_back)
        .groupby([*identity, "stratum", "replicate", "optimiser", "place", "depth"], sort=False)[
            ["was_dead", "came_back"]
        ]
        .any()
        .reset_index()
        .query("was_dead")
    )


def _pruned(evidence: Evidence) -> dict[str, float]:
    """What removing all dead units changed, over the ReLU networks of the whole study that had any and can be pruned.

    Where a layer is normalised over its units, none can be removed without changing the others.
    """
    runs = evidence.runs
    runs = runs[(runs["activation"] == "relu") & ~runs["diverged"] & (runs["dead_fraction"] > 0)]
    runs = runs[runs["pruned_difference"].notna()]
    return {
        "PrunedNetworks": len(runs),
        "PrunedDifference": runs["pruned_difference"].max(),
        "PrunedAnswers": runs["pruned_answers"].mean(),
    }


def _frozen(units: pd.DataFrame) -> dict[str, float]:
    """Dead first-layer units from one checkpoint to the next: those that the proposition and its remark speak of, and who revived.

    A unit that is dead on all training examples gets no gradient. Plain gradient descent leaves its bias and its weights, hence
    their norm, as they are, bit by bit; weight decay multiplies both by one factor, up to rounding. A unit that is dead on a
    probe set smaller than the training set may move in other ways, and is not counted.
    """
    first = units[units["depth"] == 1]
    state = ["dead", "bias", "weight_norm"]
    then = first.groupby(["run", "layer", "unit"], sort=False)[state].shift(-1)
    dead = first["dead"] & then["bias"].notna()
    same = (then["bias"] == first["bias"]) & (then["weight_norm"] == first["weight_norm"])
    across = first["bias"] * then["weight_norm"] - then["bias"] * first["weight_norm"]
    scaled = across.abs() <= SCALED * (first["bias"] * then["weight_norm"]).abs()
    kept = {
        "Frozen": dead & same & (first["optimiser"] == "sgd"),
        "Decay": dead & scaled & (first["optimiser"] == "sgd_weight_decay"),
    }
    revived = then["dead"].eq(False)
    return {
        f"{name}{what}": int(rows.sum())
        for name, intervals in kept.items()
        for what, rows in {"Intervals": intervals, "Revivals": intervals & revived}.items()
    }


@claim(
    "C5",
    "Over time a large part of the network may be doing nothing",
    experiment="causes",
    measure="share of hidden units that died, at the setting with the most deaths",
    rule=f"For each data set and architecture, among the ReLU settings in which no replicate diverged, the one with the largest "
    f"mean share of units alive at step 0 and dead at the end. Supported if that share surely exceeds {LARGE_PART:.0%} "
    f"everywhere, supported with a limit if somewhere, refuted if surely nowhere. (The interval does not account for "
    f"having picked the worst setting.)",
    details="RunsWithMany:percent AccuracyWorst:percent AccuracyBest:percent RankWorst:number RankBest:number "
    "AccuracyCorrelation:number RankCorrelation:number",
)
def large_part_does_nothing(evidence: Evidence) -> Finding:
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
    verdict, note = exceeds(values, LARGE_PART)
    details: dict[str, Detail] = {
        "RunsWithMany": (runs["died_fraction"] > LARGE_PART).mean(),
        "AccuracyWorst": worst["test_accuracy"].mean(),
        "AccuracyBest": best["test_accuracy"].mean(),
        "RankWorst": worst["effective_rank"].mean(),
        "RankBest": best["effective_rank"].mean(),
        "AccuracyCorrelation": _correlation(runs, "test_accuracy"),
        "RankCorrelation": _correlation(runs, "effective_rank"),
    }
    return Finding(verdict, pooled(values), len(runs), note, details)


def _correlation(runs: pd.DataFrame, value: str) -> Interval | float:
    """Spearman's rank correlation of the dead fraction with ``value`` over the settings of each stratum and replicate."""

    def correlation(settings: pd.DataFrame) -> float:
        # Of a constant there is none.
        varied = settings[["dead_fraction", value]].nunique().min() > 1
        return float(settings["dead_fraction"].corr(settings[value], method="spearman")) if varied else np.nan

    return if_any(by_replicate(runs, correlation))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan
