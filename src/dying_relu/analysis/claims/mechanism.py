"""C8 and C9: what the update of a unit is, and what about its weights decides its death."""

import pandas as pd

from dying_relu.analysis.attribution import attributed
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate
from dying_relu.analysis.claims.verdict import NOT_ENOUGH_DATA, REFUTED, SUPPORTED, Finding, claim, pooled

MOSTLY = 0.5
"""Mostly: in more than half of the cases."""


@claim(
    "C8",
    "An update makes the new weight from the old weight, minus gradient times learning rate, plus the bias",
    experiment="anatomy",
    measure="share of the updates of dead units with a bias other than 0 that leave the norm of their weights as it was",
    rule=f"A dead unit has no gradient. Were the bias added to the weights at each update, its weights would move all the same "
    f"wherever its bias is not 0; if the bias has an update of its own, they stay. Plain SGD, step by step. Refuted if they surely "
    f"stay in more than {MOSTLY:.0%} of the updates, supported if surely in fewer.",
    details="Updates:number Killings:number KillingBiasPart:percent",
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
    return Finding(
        verdict, effect, updates["run"].nunique(), note, {"Updates": len(idle), **_killings(updates)}
    )


def _updates(evidence: Evidence) -> pd.DataFrame:
    """One row for each unit and update of ``anatomy`` (plain SGD); see :func:`~dying_relu.analysis.attribution.attributed`."""
    units = evidence.relu_units("anatomy")
    units = units[units["optimiser"] == "sgd"]
    if units.empty:
        raise NotEnoughData("the experiment 'anatomy' has no networks trained by plain SGD")
    updates = attributed(units)
    return updates[updates["step_next"] == updates["step"] + 1]


def _killings(updates: pd.DataFrame) -> dict[str, float]:
    """The updates that killed: how many, and the bias's part in the fall of the largest pre-activation, in the median killing."""
    kills = updates[updates["died"]]
    return {"Killings": len(kills), "KillingBiasPart": (kills["by_bias"] / kills["fall"]).median()}


@claim(
    "C9",
    "Too high a rate can make the new weight negative, and a negative weight kills the unit",
    experiment="recovery",
    measure="share of the units with negative weights, before the first update, that are dead",
    rule=f"He's initialisation is symmetric about 0, so that all but a vanishing share of the units start with negative weights. "
    f"If negative weights killed, these units were dead. Networks with initial bias 0 at step 0. Supported if surely more "
    f"than {MOSTLY:.0%} of them are dead, refuted if surely fewer.",
    details="Units:number",
)
def negative_weights_kill(evidence: Evidence) -> Finding:
    units = evidence.relu_units("recovery")
    units = units[(units["step"] == 0) & (units["initial_bias"] == 0)]
    if units.empty:
        raise NotEnoughData("the experiment 'recovery' has no initial bias of 0")
    effect = pooled(by_replicate(units, lambda g: g["dead"].mean()))
    if effect.high < MOSTLY:
        verdict, note = REFUTED, "the sign of the pre-activation decides, not that of a weight"
    elif effect.low > MOSTLY:
        verdict, note = SUPPORTED, ""
    else:
        verdict, note = NOT_ENOUGH_DATA, "the interval includes both many and few"
    return Finding(verdict, effect, units["run"].nunique(), note, {"Units": len(units)})
