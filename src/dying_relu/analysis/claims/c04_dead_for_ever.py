"""C4: a dead unit is dead for ever and plays no role."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate, measured_of_units
from dying_relu.analysis.claims.verdict import LIMITED, REFUTED, SUPPORTED, Finding, by_group, claim, pooled
from dying_relu.analysis.factors import UNIT
from dying_relu.analysis.inference.intervals import Interval, simultaneous
from dying_relu.analysis.latex import listed
from dying_relu.analysis.thresholds import PAPER

SCALED = 1e-4
"""Bias and weights were multiplied by one factor if their ratio is kept to this share: single precision, over some hundred steps."""
OPTIMISERS = {
    "Sgd": "sgd",
    "SgdDecay": "sgd_weight_decay",
    "Momentum": "momentum",
    "MomentumDecay": "momentum_weight_decay",
    "Adam": "adam",
}
"""Those that are reported by themselves: name of the detail -> optimiser."""


@claim(
    "C4",
    "A dead unit is dead for ever and plays no role",
    experiment="recovery",
    measure="share of the units dead at some checkpoint that are alive at a later one",
    rule=f"By optimiser and by depth (first hidden layer, deeper ones): for ever holds where surely at most {PAPER.forever:.0%} of "
    f"the units that were dead come back. Supported if it holds everywhere, supported with a limit if somewhere, refuted "
    f"if nowhere, or if a dead unit has an output other than exactly 0 on the probe set. (Optimisers with weight decay were added "
    f"after data had been looked at.)",
    details={f"{name}{layers}": "percent" for name in OPTIMISERS for layers in ("First", "Deeper")}
    | {
        "FrozenIntervals": "number",
        "FrozenRevivals": "number",
        "DecayIntervals": "number",
        "DecayRevivals": "number",
        "PrunedNetworks": "number",
        "PrunedDifference": "number",
        "PrunedAnswers": "percent",
    },
)
def dead_for_ever(evidence: Evidence) -> Finding:
    """Judge C4."""
    returns = _returns(evidence)
    forever = evidence.thresholds.forever
    holds = [place for place, share in returns.stricter.items() if share.high <= forever]
    if returns.has_output:
        verdict, note = REFUTED, "a dead unit had an output other than zero"
    elif all(share.high <= forever for share in returns.places.values()):
        verdict, note = SUPPORTED, ""
    elif holds:
        verdict, note = LIMITED, f"for ever with {listed(holds)}; not shown elsewhere"
    else:
        verdict, note = REFUTED, "dead units come back under every optimiser, at every depth"
    return Finding(verdict, returns.effect, returns.runs, note, {**returns.details, **_pruned(evidence)})


class Returns(NamedTuple):
    """How many dead units came back.

    Attributes:
        runs: networks.
        effect: the share that came back.
        places: the same by optimiser and depth; ``stricter``: at the level of all of them together.
        has_output: whether a dead unit had an output.
        details: by optimiser, and of frozen units.
    """

    runs: int
    effect: Interval
    places: dict[str, Interval]
    stricter: dict[str, Interval]
    has_output: bool
    details: dict[str, float]


@measured_of_units
def _returns(evidence: Evidence) -> Returns:
    units = evidence.relu_units("recovery").sort_values("step")
    units["place"] = units["optimiser"] + np.where(units["depth"] == 1, ", first layer", ", deeper layers")
    life = _lives(units)
    places = by_group(life, "place", _came_back)
    stricter = by_group(life, "place", _came_back, simultaneous(len(places)))
    if not places:
        raise NotEnoughData("no depth under any optimiser has dead units in enough replicates")
    return Returns(
        units["run"].nunique(),
        pooled(by_replicate(life, _came_back)),
        places,
        stricter,
        bool((units.loc[units["dead"], "mean_abs_activation"] > 0).any()),
        {**_by_optimiser(life), **_frozen(units)},
    )


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
    ever_dead = units.groupby(UNIT, sort=False)["dead"].cummax()
    came_back = ever_dead & ~units["dead"]
    return (
        units.assign(was_dead=ever_dead, came_back=came_back)
        .groupby([*UNIT, "stratum", "replicate", "optimiser", "place", "depth"], sort=False)[
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
    then = first.groupby(UNIT, sort=False)[state].shift(-1)
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
