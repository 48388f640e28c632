"""C1 to C5: what a dead unit is, whether it comes back, and how much of a network it takes."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate, safe
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Finding,
    by_group,
    claim,
    exceeds,
    pooled,
)
from dying_relu.analysis.formatting import listed
from dying_relu.analysis.statistics import Interval

NEARLY_ALL = 0.95
"""A property of 'any' input or unit may fail in one case of twenty and still hold with a limit."""
UNLIKELY = 0.5
"""An event is unlikely if it happens less often than not."""
FOREVER = 0.01
"""'For ever' allows one unit in a hundred to come back."""
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

    from dying_relu.activations import ACTIVATIONS

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
    details="DeadOnTrain:number DeadOnTest:number",
)
def dead_on_any_input(evidence: Evidence) -> Finding:
    runs = evidence.relu("causes").query("not diverged")
    counts = pd.DataFrame(
        {
            "stratum": runs["stratum"],
            "replicate": runs["replicate"],
            **{
                name: (runs[f"dead_{column}"] * runs["hidden_units"]).round()
                for name, column in {
                    "train": "fraction",
                    "test": "fraction_test",
                    "both": "on_both_fraction",
                }.items()
            },
        }
    )
    effect = pooled(by_replicate(counts, lambda g: _ratio((g["train"] - g["both"]).sum(), g["train"].sum())))
    if effect.high == 0:
        verdict, note = SUPPORTED, "on the examples that were tried"
    elif effect.high < 1 - NEARLY_ALL:
        verdict, note = LIMITED, "for nearly any input: held-out examples wake some units"
    elif effect.low > 1 - NEARLY_ALL:
        verdict, note = REFUTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both few and many such units"
    totals = {"DeadOnTrain": counts["train"].sum(), "DeadOnTest": counts["test"].sum()}
    return Finding(verdict, effect, len(runs), note, totals)


@claim(
    "C3",
    "Once a unit gets negative input it always outputs zero and is unlikely to recover",
    experiment="recovery",
    measure="share of the units dead at a checkpoint that are alive at the end of training",
    rule=f"The chance to be alive at the end of training, given that the pre-activation now is negative (a) on one "
    f"example, (b) on a whole minibatch, (c) on the whole probe set. Unlikely: surely below {UNLIKELY:.0%}. Supported if "
    f"that holds for (a); supported with a limit if it holds for (c) but not for (a); refuted if (c) is surely above it.",
    details="PerExample:percent PerMinibatch:percent",
)
def recovery_is_unlikely(evidence: Evidence) -> Finding:
    units = evidence.relu_units("recovery")
    final = units.loc[units["step"] == units["steps"], ["run", "layer", "unit", "dead"]]
    earlier = units[units["step"] < units["steps"]].merge(
        final, on=["run", "layer", "unit"], suffixes=("", "_end")
    )
    earlier["alive_end"] = ~earlier["dead_end"]
    example = _share(earlier[earlier["pre_activation_min"] < 0])
    dataset = _share(earlier[earlier["dead"]])
    linear = earlier[earlier["layer"].str.startswith("linear")]
    minibatch = _share(linear.assign(weight=(1 - linear["active_share"]) ** linear["batch_size"]))
    if example.high < UNLIKELY:
        verdict, note = SUPPORTED, ""
    elif dataset.high < UNLIKELY:
        verdict, note = LIMITED, "true of a unit that is negative on every example, not on some"
    elif dataset.low > UNLIKELY:
        verdict, note = REFUTED, "even a unit that is dead on the whole probe set is likely to come back"
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both likely and unlikely"
    chances = {"PerExample": example.estimate, "PerMinibatch": minibatch.estimate}
    return Finding(verdict, dataset, units["run"].nunique(), note, chances)


def _share(rows: pd.DataFrame) -> Interval:
    """Share of the rows (weighted, where there is a column ``weight``) whose unit is alive at the end."""
    weighted = rows if "weight" in rows else rows.assign(weight=1.0)
    return pooled(
        by_replicate(weighted, lambda g: _ratio((g["weight"] * g["alive_end"]).sum(), g["weight"].sum()))
    )


@claim(
    "C4",
    "A dead unit is dead for ever and plays no role",
    experiment="recovery",
    measure="share of the units dead at some checkpoint that are alive at a later one",
    rule=f"By optimiser and by depth (first hidden layer, deeper ones): for ever holds where surely at most {FOREVER:.0%} of "
    f"the units that were dead come back. Supported if it holds everywhere, supported with a limit if somewhere, refuted "
    f"if nowhere, or if a dead unit has an output other than exactly 0 on the probe set.",
    details="SgdFirst:percent SgdDeeper:percent OtherFirst:percent OtherDeeper:percent FrozenIntervals:number "
    "FrozenRevivals:number MovedShare:percent PrunedNetworks:number PrunedDifference:number PrunedAnswers:percent",
)
def dead_for_ever(evidence: Evidence) -> Finding:
    units = evidence.relu_units("recovery").sort_values("step")
    units["place"] = units["optimiser"] + np.where(units["depth"] == 1, ", first layer", ", deeper layers")
    life = _lives(units)
    places = by_group(life, "place", lambda g: g["came_back"].mean())
    effect = pooled(by_replicate(life, lambda g: g["came_back"].mean()))
    if not places:
        raise NotEnoughData("no depth under any optimiser has dead units in enough replicates")
    holds = [place for place, share in places.items() if share.high <= FOREVER]
    if (units.loc[units["dead"], "mean_abs_activation"] > 0).any():
        verdict, note = REFUTED, "a dead unit had an output other than zero"
    elif len(holds) == len(places):
        verdict, note = SUPPORTED, ""
    elif holds:
        verdict, note = LIMITED, f"for ever with {listed(holds)}; not shown elsewhere"
    else:
        verdict, note = REFUTED, "dead units come back under every optimiser, at every depth"
    plain, first = life["optimiser"] == "sgd", life["depth"] == 1
    details = {
        "SgdFirst": life.loc[plain & first, "came_back"].mean(),
        "SgdDeeper": life.loc[plain & ~first, "came_back"].mean(),
        "OtherFirst": life.loc[~plain & first, "came_back"].mean(),
        "OtherDeeper": life.loc[~plain & ~first, "came_back"].mean(),
        **_frozen(units),
        **_pruned(evidence),
    }
    return Finding(verdict, effect, units["run"].nunique(), note, details)


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
    """What removing all dead units changed, over the ReLU networks of the whole study that had any."""
    runs = evidence.runs
    runs = runs[(runs["activation"] == "relu") & ~runs["diverged"] & (runs["dead_fraction"] > 0)]
    return {
        "PrunedNetworks": len(runs),
        "PrunedDifference": runs["pruned_difference"].max(),
        "PrunedAnswers": runs["pruned_answers"].mean(),
    }


def _frozen(units: pd.DataFrame) -> dict[str, float]:
    """Dead first-layer units under plain SGD, from one checkpoint to the next: how many kept their bias bit for bit?

    A unit that is dead on all training examples gets no gradient and keeps it; one that is dead on the probe set only
    may not. The proposition says that no unit of the former kind revives.
    """
    first = units[(units["depth"] == 1) & (units["optimiser"] == "sgd")]
    following = first.groupby(["run", "layer", "unit"], sort=False)[["dead", "bias"]].shift(-1)
    dead = first["dead"] & following["bias"].notna()
    still = dead & (following["bias"] == first["bias"])
    return {
        "FrozenIntervals": int(still.sum()),
        "FrozenRevivals": int((still & following["dead"].eq(False)).sum()),
        "MovedShare": _ratio((dead & ~still).sum(), dead.sum()),
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
    details="RunsWithMany:percent AccuracyWorst:percent AccuracyBest:percent RankWorst:number RankBest:number",
)
def large_part_does_nothing(evidence: Evidence) -> Finding:
    setting = ["stratum", "initialisation", "initial_bias", "learning_rate"]
    runs = safe(evidence.relu("causes"), setting)
    if runs.empty:
        raise NotEnoughData("every setting diverged")
    means = runs.groupby(setting)[["died_fraction", "test_accuracy", "effective_rank"]].mean().reset_index()
    worst = means.loc[means.groupby("stratum", sort=False)["died_fraction"].idxmax()]
    best = means.loc[means.groupby("stratum", sort=False)["test_accuracy"].idxmax()]
    values = runs.merge(worst[setting], on=setting).assign(value=lambda table: table["died_fraction"])
    verdict, note = exceeds(values, LARGE_PART)
    details = {
        "RunsWithMany": (runs["died_fraction"] > LARGE_PART).mean(),
        "AccuracyWorst": worst["test_accuracy"].mean(),
        "AccuracyBest": best["test_accuracy"].mean(),
        "RankWorst": worst["effective_rank"].mean(),
        "RankBest": best["effective_rank"].mean(),
    }
    return Finding(verdict, pooled(values), len(runs), note, details)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan
