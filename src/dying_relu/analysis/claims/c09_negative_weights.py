"""C9: negative weights kill a unit."""

from contextlib import suppress
from typing import NamedTuple

import pandas as pd

from dying_relu.analysis.claims.deaths import DEEPER, FIRST, deaths, place
from dying_relu.analysis.claims.evidence import (
    Evidence,
    NotEnoughData,
    mean_by_replicate,
    measured_of_units,
)
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
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.latex import listed
from dying_relu.analysis.thresholds import PAPER

INITIAL = ["dataset", "architecture", "initialisation", "replicate"]
"""The factors that the weights before the first update depend on."""


@claim(
    "C9",
    "Too high a rate can make the new weight negative, and a negative weight kills the unit",
    experiment="recovery, anatomy...",
    measure="share of the units with negative weights, before the first update, that are dead",
    rule=f"He's initialisation is symmetric about 0, so that all but a vanishing share of the units start with negative weights. "
    f"If negative weights killed, these units were dead. Networks with initial bias 0 at step 0. Supported if surely more "
    f"than {PAPER.mostly:.0%} of them are dead, refuted if surely fewer; a note says so if at the end dead units surely have a share of "
    f"negative weights that is more than {100 * PAPER.matters:.0f} points larger than that of living units of their layer. (After data "
    f"had been looked at, networks that start alike are counted once, and the weights of units that die were added.)",
    details={
        "Units": "number",
        "AtDeath": "points",
        "DeadFirst": "points",
        "DeadDeeper": "points",
    },
)
def negative_weights_kill(evidence: Evidence) -> Finding:
    """Judge C9."""
    born, excess = _born(evidence), _excess_of_dead(evidence)
    mostly, effect = evidence.thresholds.mostly, born.effect
    if effect.high < mostly:
        verdict, note = REFUTED, "the sign of the pre-activation decides, not that of a weight"
        more = [where for where, difference in excess.items() if difference.low > evidence.thresholds.matters]
        note += f"; yet dead units have more negative weights ({listed(more)})" if more else ""
    elif effect.low > mostly:
        verdict, note = SUPPORTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both many and few"
    named = {FIRST: "DeadFirst", DEEPER: "DeadDeeper"}
    details: dict[str, Detail] = {"Units": born.units, **_signs_at_death(evidence)}
    details |= {named[where]: difference for where, difference in excess.items()}
    return Finding(verdict, effect, born.networks, note, details)


class Born(NamedTuple):
    """The units before the first update, without a bias: how many, in how many networks, and the share that is dead."""

    units: int
    networks: int
    effect: Interval


@measured_of_units
def _born(evidence: Evidence) -> Born:
    units = evidence.relu_units("recovery")
    born = _distinct(units[(units["step"] == 0) & (units["initial_bias"] == 0)])
    if born.empty:
        raise NotEnoughData("the experiment 'recovery' has no initial bias of 0")
    return Born(len(born), len(born[INITIAL].drop_duplicates()), pooled(mean_by_replicate(born, "dead")))


def _distinct(born: pd.DataFrame) -> pd.DataFrame:
    """The units at step 0, once each: networks of a replicate start alike whatever their optimiser and rate."""
    once = born.drop_duplicates([*INITIAL, "layer", "unit"])
    return once.assign(stratum=once["dataset"] + " " + once["architecture"])


@measured_of_units
def _signs_at_death(evidence: Evidence) -> dict[str, Detail]:
    """How much the update that kills a unit changes its share of negative weights."""
    with suppress(NotEnoughData):
        fatal = deaths(evidence)
        turned = fatal["negative_weights_next"] - fatal["negative_weights"]
        return {"AtDeath": pooled(mean_by_replicate(fatal.assign(turned=turned), "turned"))}
    return {}


@measured_of_units
def _excess_of_dead(evidence: Evidence) -> dict[str, Interval]:
    """By place: the share of negative weights of units dead at the end, minus that of living units of the same layer."""
    units = evidence.relu_units("recovery")
    end = units[units["step"] == units["steps"]].assign(place=place)
    # A layer, not a network: in which layer units die has to do with how many weights are negative there.
    layer = ["run", "layer", "stratum", "replicate", "place"]
    means = end.pivot_table(index=layer, columns="dead", values="negative_weights")
    both = means.reindex(columns=[False, True]).dropna()
    excess = (both[True] - both[False]).rename("excess").reset_index()
    return by_group(excess, "place", lambda g: g["excess"].mean())
