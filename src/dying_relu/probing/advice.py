"""Likely causes of what a report shows, and what to do: each with the figure that it rests on.

A cause is a function from a layer's evidence to a sentence, or to nothing where the evidence does not speak for it. To look for another
cause, write one and add it to ``CAUSES``. What the remedies are worth is measured in the paper; the claims are named (C6: learning
rate, C7: bias, C10: leaky ReLU and other remedies).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from dying_relu.probing.batches import InputScale
    from dying_relu.probing.findings import Findings
    from dying_relu.units.history import UnitHistory

WORTH_MENTIONING = 0.1
"""Advice is given on layers of whose units more than this share is dead (or saturated)."""
FAR = 3.0
"""Weights count as thrown far out from so many times the norm of the living units' on."""
LARGEST_AT_FIRST = 1.4
"""The norm of a unit's incoming weights after He initialisation, whatever their number; others make it smaller."""
UNSCALED = 3.0
"""Inputs count as not standardised if their mean or spread is larger than this."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a layer with many dead units.

    Attributes:
        units: its table, by :meth:`Findings.units`.
        inputs: the scale of the model's inputs.
        first: no layer is called before it.
        dead_before: the last of the layers called before that are dead altogether; "" if none is.
        history: of its units, at the measurements of a Monitor.
    """

    units: "pd.DataFrame"
    inputs: "InputScale"
    first: bool = False
    dead_before: str = ""
    history: "UnitHistory | None" = None

    @property
    def blind(self) -> bool:
        """Every unit sees the same whatever the example, and not because of its own weights: the layers may stand side by side."""
        same = self.units["pre_activation_max"] == self.units["pre_activation_min"]
        return (
            bool(self.dead_before) and bool(same.all()) and not bool((self.units["weight_norm"] == 0).all())
        )

    @property
    def dead(self) -> "pd.DataFrame":
        """The rows of the dead units."""
        return self.units[self.units["dead"]]

    @property
    def alive(self) -> "pd.DataFrame":
        """The rows of the others."""
        return self.units[~self.units["dead"]]


Cause = Callable[[Evidence], str]


def advice(report: "Findings") -> str:
    """A paragraph for every layer that needs one; a sentence where none does."""
    said: list[str] = []
    dead_before = ""
    for name in report.layers:
        table = report.units(name)
        history = report.histories.get(name)
        said += _of_layer(
            name, Evidence(table, report.inputs, name == next(iter(report.layers)), dead_before, history)
        )
        dead_before = name if table["dead"].all() else dead_before
    said += [f"{path}: never called on these data." for path in report.never_called]
    said += [f"{path or one.kind}: not seen, since {one.reason}." for path, one in report.unseen.items()]
    return "\n".join(said) or f"No layer has more than {WORTH_MENTIONING:.0%} dead or saturated units."


def _of_layer(name: str, evidence: Evidence) -> list[str]:
    table = evidence.units
    if number := int(table["not_finite"].sum()):
        sentence = (
            f"{name}: {number} of {len(table)} units have pre-activations that are infinite or not a number: the training has diverged. "
            "Go back to a checkpoint from before, with a lower learning rate or clipped gradients (C6)."
        )
        return [sentence]
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


def blind(evidence: Evidence) -> str:
    """A layer before outputs nothing, so that this one sees the same for every example."""
    if not evidence.blind:
        return ""
    return f"The whole layer before is dead ({evidence.dead_before}), so that these see no data at all: begin there."


def born_or_died(evidence: Evidence) -> str:
    """When they died, as a Monitor has seen it."""
    history = evidence.history
    if history is None:
        return ""
    born = int((history.dead & (history.last_alive < 0)).sum())
    died = history.dead & (history.last_alive >= 0)
    said = (
        [
            f"{born} of them were dead at the first measurement: the initialisation or the inputs, if that was before training."
        ]
        if born
        else []
    )
    if number := int(died.sum()):
        times = Counter(
            zip(history.last_alive[died].tolist(), history.dead_since[died].tolist(), strict=True)
        )
        (alive, dead), most = times.most_common(1)[0]
        said.append(
            f"{number} of them died in training, {most} of these between steps {alive} and {dead}: the learning rate at that time (C6)."
        )
    return " ".join(said)


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


def grown_weights(evidence: Evidence) -> str:
    """Weights far larger than an initialisation makes them, in the whole layer."""
    if far_weights(evidence):
        return ""
    rows = evidence.dead[evidence.dead["weight_norm"] > FAR * LARGEST_AT_FIRST]
    rows = rows[rows["pre_activation_max"] < 0]
    if rows.empty:
        return ""
    return (
        f"{len(rows)} of them have weights of norm {rows['weight_norm'].median():.3g}, which usual initialisations make 0.6 (PyTorch's "
        f"default) to {LARGEST_AT_FIRST} (He), and a largest pre-activation of {rows['pre_activation_max'].median():.3g}: updates were too "
        "large. A lower learning rate, a warm-up or clipped gradients make them smaller (C6)."
    )


def unscaled_inputs(evidence: Evidence) -> str:
    """The first layer sees data that are not standardised."""
    scale = evidence.inputs
    if not evidence.first or not scale.count:
        return ""
    if abs(scale.mean) <= UNSCALED and scale.deviation <= UNSCALED:
        return ""
    return (
        f"The model's inputs have mean {scale.mean:.3g} and standard deviation {scale.deviation:.3g} (from {scale.low:.3g} to "
        f"{scale.high:.3g}): standardise them; updates grow with the inputs."
    )


def negative_weights(evidence: Evidence) -> str:
    """Whatever the bias: the weights point away from every example."""
    if evidence.blind:
        return ""
    rows = evidence.dead.dropna(subset=["bias"])
    away = rows[(rows["pre_activation_max"] - rows["bias"] <= 0) & ~(rows["weight_norm"] == 0)]
    if away.empty:
        return ""
    return (
        f"{len(away)} of them are at most 0 on every example even without their bias: their weights point away from all inputs. "
        "revive() gives them new ones; a leaky ReLU with a slope that lets them move keeps others from it (C10)."
    )


CAUSES: tuple[Cause, ...] = (
    born_or_died,
    blind,
    whole_layer,
    zero_weights,
    low_bias,
    far_weights,
    grown_weights,
    negative_weights,
    unscaled_inputs,
)


def _median(values: "pd.Series") -> str:
    return f"{values.median():.3g}" if values.notna().any() else "none is alive"
