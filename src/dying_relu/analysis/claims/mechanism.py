"""C8 and C9: what the update of a unit is, what kills it, and what about its weights decides its death."""

from contextlib import suppress

import pandas as pd

from dying_relu.analysis.claims.causes import MATTERS
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate
from dying_relu.analysis.claims.verdict import (
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Detail,
    Finding,
    by_group,
    claim,
    pooled,
)
from dying_relu.analysis.inference.attribution import PARTS, UNIT, attributed
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.latex import listed

MOSTLY = 0.5
"""Mostly: in more than half of the cases."""
STEP_BY_STEP = "anatomy"
"""The experiments whose names begin so record every unit after every update."""

FIRST, DEEPER = "first layer", "deeper layers"
INITIAL = ["dataset", "architecture", "initialisation", "replicate"]
"""What the weights before the first update depend on."""


def deaths(evidence: Evidence) -> pd.DataFrame:
    """The updates that killed a ReLU unit, in the experiments that record every update, and what made its pre-activations fall.

    Returns:
        A row a death, by depth and optimiser, as :func:`~dying_relu.analysis.inference.attribution.attributed` gives it, with
        ``of_fall_`` and ``enough_`` for each of the parts by bias, by weights and by inputs: its share in the fall, and whether
        it was enough to bring the unit down to 0 by itself; ``largest``: the name of the largest part; ``place``: first
        layer or deeper layers; and ``negative_weights_next``: the share of negative weights after the update.
    """
    units = evidence.units
    units = units[units["experiment"].str.startswith(STEP_BY_STEP) & (units["activation"] == "relu")]
    falls = attributed(units)
    fatal = falls[falls["died"] & (falls["step_next"] == falls["step"] + 1)].dropna(subset=PARTS)
    if fatal.empty:
        raise NotEnoughData(f"no unit dies in the experiments '{STEP_BY_STEP}...'")
    after = units[[*UNIT, "step", "negative_weights"]].rename(columns={"step": "step_next"})
    fatal = fatal.merge(after, on=[*UNIT, "step_next"], suffixes=("", "_next"))
    optimisers = pd.Categorical(fatal["optimiser"], evidence.runs["optimiser"].unique())
    fatal = fatal.assign(optimiser=optimisers).sort_values(["depth", "optimiser"], kind="stable")
    fatal = fatal.assign(optimiser=fatal["optimiser"].astype(str))
    return fatal.assign(
        **{f"of_fall_{part}": fatal[part] / fatal["fall"] for part in PARTS},
        **{f"enough_{part}": fatal[part] >= fatal["pre_activation_max"] for part in PARTS},
        largest=fatal[PARTS].idxmax(axis=1),
        place=_place,
    )


def _place(units: pd.DataFrame) -> pd.Series:
    return units["depth"].eq(1).map({True: FIRST, False: DEEPER})


@claim(
    "C8",
    "An update makes the new weight from the old weight, minus gradient times learning rate, plus the bias",
    experiment="anatomy...",
    measure="share of the updates of dead units with a bias other than 0 that leave the norm of their weights as it was",
    rule=f"A dead unit has no gradient. Were the bias added to the weights at each update, its weights would move all the same "
    f"wherever its bias is not 0; if the bias has an update of its own, they stay. Plain SGD, step by step. Refuted if they surely "
    f"stay in more than {MOSTLY:.0%} of the updates, supported if surely in fewer. (After data had been looked at, the probe set "
    f"became the whole training set, and what kills a unit is told death by death, also under Adam.)",
    details="Updates:number Killings:number BiasOfFall:percent BiasEnough:percent",
)
def bias_is_added(evidence: Evidence) -> Finding:
    updates = _updates(evidence)
    idle = updates[updates["dead"] & (updates["bias"] != 0)]
    effect = pooled(by_replicate(idle, lambda g: (g["weight_norm_next"] == g["weight_norm"]).mean()))
    if effect.low > MOSTLY:
        verdict, note = REFUTED, "the bias is a parameter with an update of its own"
    elif effect.high < MOSTLY:
        verdict, note = SUPPORTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "dead on the probe set is not dead on every minibatch here"
    details = {"Updates": len(idle), **_killings(evidence)}
    return Finding(verdict, effect, updates["run"].nunique(), note, details)


def _updates(evidence: Evidence) -> pd.DataFrame:
    """One row for each unit and update of ``anatomy`` (plain SGD): its state before and, with ``_next``, after it."""
    units = evidence.relu_units(STEP_BY_STEP)
    units = units[units["optimiser"] == "sgd"].sort_values("step")
    if units.empty:
        raise NotEnoughData(f"the experiment '{STEP_BY_STEP}' has no networks trained by plain SGD")
    after = units.groupby(UNIT, sort=False)[["step", "weight_norm"]].shift(-1).add_suffix("_next")
    updates = units.join(after)
    return updates[updates["step_next"] == updates["step"] + 1]


def _killings(evidence: Evidence) -> dict[str, Detail]:
    """The updates that killed: how many, and what the bias had in them.

    Medians and shares of the deaths, because the sum of all falls is that of the few that explode.
    """
    found: dict[str, Detail] = {}
    with suppress(NotEnoughData):
        fatal = deaths(evidence)
        found["Killings"] = len(fatal)
        found["BiasOfFall"] = pooled(by_replicate(fatal, lambda g: g["of_fall_by_bias"].median()))
        found["BiasEnough"] = pooled(by_replicate(fatal, lambda g: g["enough_by_bias"].mean()))
    return found


@claim(
    "C9",
    "Too high a rate can make the new weight negative, and a negative weight kills the unit",
    experiment="recovery, anatomy...",
    measure="share of the units with negative weights, before the first update, that are dead",
    rule=f"He's initialisation is symmetric about 0, so that all but a vanishing share of the units start with negative weights. "
    f"If negative weights killed, these units were dead. Networks with initial bias 0 at step 0. Supported if surely more "
    f"than {MOSTLY:.0%} of them are dead, refuted if surely fewer; a note says so if at the end dead units surely have a share of "
    f"negative weights that is more than {100 * MATTERS:.0f} points larger than that of living units of their layer. (After data "
    f"had been looked at, networks that start alike are counted once, and the weights of units that die were added.)",
    details="Units:number AtDeath:points DeadFirst:points DeadDeeper:points",
)
def negative_weights_kill(evidence: Evidence) -> Finding:
    units = evidence.relu_units("recovery")
    born = _distinct(units[(units["step"] == 0) & (units["initial_bias"] == 0)])
    if born.empty:
        raise NotEnoughData("the experiment 'recovery' has no initial bias of 0")
    effect = pooled(by_replicate(born, lambda g: g["dead"].mean()))
    excess = _excess_of_dead(units)
    if effect.high < MOSTLY:
        verdict, note = REFUTED, "the sign of the pre-activation decides, not that of a weight"
        more = [place for place, difference in excess.items() if difference.low > MATTERS]
        note += f"; yet dead units have more negative weights ({listed(more)})" if more else ""
    elif effect.low > MOSTLY:
        verdict, note = SUPPORTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both many and few"
    named = {FIRST: "DeadFirst", DEEPER: "DeadDeeper"}
    details: dict[str, Detail] = {"Units": len(born), **_signs_at_death(evidence)}
    details |= {named[place]: difference for place, difference in excess.items()}
    return Finding(verdict, effect, len(born[INITIAL].drop_duplicates()), note, details)


def _distinct(born: pd.DataFrame) -> pd.DataFrame:
    """The units at step 0, once each: networks of a replicate start alike whatever their optimiser and rate."""
    once = born.drop_duplicates([*INITIAL, "layer", "unit"])
    return once.assign(stratum=once["dataset"] + " " + once["architecture"])


def _signs_at_death(evidence: Evidence) -> dict[str, Detail]:
    """How much the update that kills a unit changes its share of negative weights."""
    with suppress(NotEnoughData):
        fatal = deaths(evidence)
        turned = fatal["negative_weights_next"] - fatal["negative_weights"]
        return {"AtDeath": pooled(by_replicate(fatal.assign(turned=turned), lambda g: g["turned"].mean()))}
    return {}


def _excess_of_dead(units: pd.DataFrame) -> dict[str, Interval]:
    """By place: the share of negative weights of units dead at the end, minus that of living units of the same layer."""
    end = units[units["step"] == units["steps"]].assign(place=_place)
    # A layer, not a network: in which layer units die has to do with how many weights are negative there.
    layer = ["run", "layer", "stratum", "replicate", "place"]
    means = end.pivot_table(index=layer, columns="dead", values="negative_weights")
    both = means.reindex(columns=[False, True]).dropna()
    excess = (both[True] - both[False]).rename("excess").reset_index()
    return by_group(excess, "place", lambda g: g["excess"].mean())
