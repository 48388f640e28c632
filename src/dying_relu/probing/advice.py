"""Likely causes of what a report shows, and what to do: each with the figure that it rests on.

A cause is a function from a layer's evidence to a sentence, or to nothing where the evidence does not speak for it. To look for another
cause, write one and add it to ``CAUSES``. What the remedies are worth is measured in the paper; the claims are named (C6: learning
rate, C7: bias, C10: leaky ReLU and other remedies).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from dying_relu.probing.inputs import InputScale
    from dying_relu.probing.report import Report

WORTH_MENTIONING = 0.1
"""Advice is given on layers of whose units more than this share is dead (or saturated)."""
FAR = 3.0
"""Weights count as thrown far out from so many times the norm of the living units' on."""
UNSCALED = 3.0
"""Inputs count as not standardised if their mean or spread is larger than this."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a layer with many dead units.

    Attributes:
        units: its table, by :meth:`Report.units`.
        before: the table of the layer that is called before it, if there is one.
        inputs: the scale of the model's inputs.
    """

    units: pd.DataFrame
    before: pd.DataFrame | None
    inputs: "InputScale"

    @property
    def dead(self) -> pd.DataFrame:
        """The rows of the dead units."""
        return self.units[self.units["dead"]]

    @property
    def alive(self) -> pd.DataFrame:
        """The rows of the others."""
        return self.units[~self.units["dead"]]


Cause = Callable[[Evidence], str]


def advice(report: "Report") -> str:
    """A paragraph for every layer that needs one; a sentence where none does."""
    names = list(report.layers)
    tables = {name: report.units(name) for name in names}
    said = []
    for name, before in zip(names, [None, *names[:-1]], strict=True):
        evidence = Evidence(tables[name], tables[before] if before else None, report.inputs)
        said += _of_layer(name, evidence)
    said += [f"{path}: never called on these data." for path in report.never_called]
    return "\n".join(said) or f"No layer has more than {WORTH_MENTIONING:.0%} dead or saturated units."


def _of_layer(name: str, evidence: Evidence) -> list[str]:
    table = evidence.units
    if table["dead"].mean() > WORTH_MENTIONING:
        found = [sentence for cause in CAUSES if (sentence := cause(evidence))]
        reasons = found or ["Nothing that was measured tells why; Monitor a training to see when they die."]
        return [f"{name}: {len(evidence.dead)} of {len(table)} units are dead.", *_indented(reasons)]
    if (table["saturated"] & ~table["dead"]).mean() > WORTH_MENTIONING:
        number = int(table["saturated"].sum())
        sentence = (
            f"{name}: {number} of {len(table)} units are saturated: almost no gradient passes them. Smaller initial weights, "
            "standardised inputs or a normalisation before them keep pre-activations near zero."
        )
        return [sentence]
    return _indented(_cut_off(name, evidence))


def _cut_off(name: str, evidence: Evidence) -> list[str]:
    """Units that live and get no gradient."""
    known = evidence.alive.dropna(subset=["gradient_norm"])
    without = int((known["gradient_norm"] == 0).sum())
    if not known.empty and without > WORTH_MENTIONING * len(evidence.units):
        return [f"{name}: {without} units are alive, and no gradient reaches them: what reads them is dead."]
    return []


def _indented(sentences: list[str]) -> list[str]:
    return [f"  {sentence}" for sentence in sentences]


def dead_before(evidence: Evidence) -> str:
    """The layer before outputs nothing, so that this one sees the same for every example."""
    if evidence.before is None or not evidence.before["dead"].all():
        return ""
    return "The whole layer before is dead, so that these see no data at all: begin there."


def whole_layer(evidence: Evidence) -> str:
    """Nothing that stands before a layer without a living unit can learn."""
    if len(evidence.alive):
        return ""
    return "No unit is alive: the output does not depend on the data, and nothing before this layer can learn (unless around it)."


def zero_weights(evidence: Evidence) -> str:
    """All incoming weights are 0."""
    number = int((evidence.dead["weight_norm"] == 0).sum())
    return f"{number} of them have weights that are all 0: they ignore their inputs." if number else ""


def low_bias(evidence: Evidence) -> str:
    """Without its bias the unit would be alive."""
    rows = evidence.dead.dropna(subset=["bias"])
    without_bias = rows["pre_activation_max"] - rows["bias"]
    held = rows[(rows["bias"] < 0) & (without_bias > 0)]
    if held.empty:
        return ""
    return (
        f"{len(held)} of them would be active on some example if their bias were 0: it is {held['bias'].median():.3g} in the median "
        f"(that of the living: {_median(evidence.alive['bias'])}), and the rest of their largest pre-activation "
        f"{without_bias[held.index].median():.3g}. If that is the initial bias, start from 0 (C7); if they were pushed there, the "
        "learning rate is too high (C6)."
    )


def far_weights(evidence: Evidence) -> str:
    """Dead units with weights far larger than those of the living: an update threw them there."""
    usual = evidence.alive["weight_norm"].median()
    far = evidence.dead[evidence.dead["weight_norm"] > FAR * usual]
    if far.empty:
        return ""
    return (
        f"{len(far)} of them have weights of norm {far['weight_norm'].median():.3g}, against {usual:.3g} of the living: large updates "
        "threw them there. A lower learning rate, a warm-up or clipped gradients make the updates smaller (C6)."
    )


def unscaled_inputs(evidence: Evidence) -> str:
    """The first layer sees data that are not standardised."""
    scale = evidence.inputs
    if evidence.before is not None or not scale.count:
        return ""
    if abs(scale.mean) <= UNSCALED and scale.deviation <= UNSCALED:
        return ""
    return (
        f"The model's inputs have mean {scale.mean:.3g} and standard deviation {scale.deviation:.3g} (from {scale.low:.3g} to "
        f"{scale.high:.3g}): standardise them; updates grow with the inputs."
    )


def negative_weights(evidence: Evidence) -> str:
    """Whatever the bias: the weights point away from every example."""
    rows = evidence.dead.dropna(subset=["bias"])
    away = rows[(rows["pre_activation_max"] - rows["bias"] <= 0) & ~(rows["weight_norm"] == 0)]
    if away.empty:
        return ""
    return (
        f"{len(away)} of them are at most 0 on every example even without their bias: their weights point away from all inputs. "
        "revive() gives them new ones; a leaky ReLU with a slope that lets them move keeps others from it (C10)."
    )


CAUSES: tuple[Cause, ...] = (
    dead_before,
    whole_layer,
    zero_weights,
    low_bias,
    far_weights,
    negative_weights,
    unscaled_inputs,
)


def _median(values: pd.Series) -> str:
    return f"{values.median():.3g}" if values.notna().any() else "none is alive"
