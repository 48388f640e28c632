"""C8: the update of a weight adds the bias."""

from contextlib import suppress

import pandas as pd

from dying_relu.analysis.claims.deaths import STEP_BY_STEP, deaths
from dying_relu.analysis.claims.evidence import (
    Evidence,
    NotEnoughData,
    by_replicate,
    mean_by_replicate,
    measured_of_units,
)
from dying_relu.analysis.claims.verdict import (
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    Detail,
    Finding,
    claim,
    pooled,
)
from dying_relu.analysis.factors import UNIT
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.thresholds import PAPER


@claim(
    "C8",
    "An update makes the new weight from the old weight, minus gradient times learning rate, plus the bias",
    experiment="anatomy...",
    measure="share of the updates of dead units with a bias other than 0 that leave the norm of their weights as it was",
    rule=f"A dead unit has no gradient. Were the bias added to the weights at each update, its weights would move all the same "
    f"wherever its bias is not 0; if the bias has an update of its own, they stay. Plain SGD, step by step. Refuted if they surely "
    f"stay in more than {PAPER.mostly:.0%} of the updates, supported if surely in fewer. (After data had been looked at, the probe set "
    f"became the whole training set, and what kills a unit is told death by death, also under Adam.)",
    details={
        "Updates": "number",
        "Killings": "number",
        "BiasOfFall": "percent",
        "BiasEnough": "percent",
    },
)
def bias_is_added(evidence: Evidence) -> Finding:
    """Judge C8."""
    runs, effect, details = _stays(evidence)
    mostly = evidence.thresholds.mostly
    if effect.low > mostly:
        verdict, note = REFUTED, "the bias is a parameter with an update of its own"
    elif effect.high < mostly:
        verdict, note = SUPPORTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "dead on the probe set is not dead on every minibatch here"
    return Finding(verdict, effect, runs, note, details)


@measured_of_units
def _stays(evidence: Evidence) -> tuple[int, Interval, dict[str, Detail]]:
    """The number of networks, the share of the updates of dead units that leave the norm of their weights, and the details."""
    updates = _updates(evidence)
    idle = updates[updates["dead"] & (updates["bias"] != 0)]
    stays = idle[["stratum", "replicate"]].assign(stays=idle["weight_norm_next"] == idle["weight_norm"])
    effect = pooled(mean_by_replicate(stays, "stays"))
    return updates["run"].nunique(), effect, {"Updates": len(idle), **_killings(evidence)}


def _updates(evidence: Evidence) -> pd.DataFrame:
    """The updates of the units of ``anatomy`` by plain SGD: a unit's state before and, with ``_next``, after it."""
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
    details: dict[str, Detail] = {}
    with suppress(NotEnoughData):
        fatal = deaths(evidence)[["stratum", "replicate", "of_fall_by_bias", "enough_by_bias"]]
        details["Killings"] = len(fatal)
        details["BiasOfFall"] = pooled(by_replicate(fatal, lambda rows: rows["of_fall_by_bias"].median()))
        details["BiasEnough"] = pooled(mean_by_replicate(fatal, "enough_by_bias"))
    return details
