"""Likely causes of what a report shows, and what to do: each with the figure that it rests on.

A cause is a function from a layer's evidence to a sentence, or to nothing where the evidence does not speak for it. To look for another
cause, write one and add it to ``CAUSES``; they are printed in that order, the mean of the inputs before what else can be mended. A
sentence says what the measured numbers say. What the remedies are worth is measured in the paper (findings F1: mean of the inputs, F3 and
F4: keeping units alive and renewing them; claims C6: learning rate, C7: bias, C10: leaky ReLU and others). Comments name the verdicts that
a sentence depends on; a test compares them with the published ones.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dying_relu.units.definitions import NEARLY_DEAD_SHARE

if TYPE_CHECKING:
    import pandas as pd

    from dying_relu.probing.batches import InputScale
    from dying_relu.probing.findings import Findings
    from dying_relu.probing.layer_inputs import LayerInputs
    from dying_relu.units.history import UnitHistory

WORTH_MENTIONING = 0.1
"""Advice is given on layers of whose units more than this share is dead (or saturated)."""
FAR = 3.0
"""Weights count as thrown far out from so many times the norm of the living units' on."""
LARGEST_AT_FIRST = 1.4
"""The norm of a unit's incoming weights after He initialisation, whatever their number; others make it smaller."""
UNSCALED = 3.0
"""Inputs count as not standardised if their mean or standard deviation is larger than this."""

# depends on: F1a holds, F1b holds
CENTRE_INPUTS = "The first thing to try: subtract the mean of each input (pixel, feature) before training."
# depends on: C4 does not hold
COME_BACK = "Some may come back by themselves, since their inputs change while earlier layers learn: look again later."
# depends on: F1d holds
CENTRE_ACTIVATIONS = "To try: a normalisation before these units, which subtracts the mean."


@dataclass(frozen=True)
class Evidence:
    """The measurements of a layer with many dead units, from which its likely causes are inferred.

    Attributes:
        units: its table, by :meth:`Findings.units`.
        inputs: the scale of the model's inputs.
        first: no layer is called before it.
        dead_before: the last of the layers called before that are dead altogether; "" if none is.
        history: of its units, at the measurements of a Monitor.
        layer_inputs: moments of the inputs of the layer that feeds the units; None if they were not seen.
    """

    units: "pd.DataFrame"
    inputs: "InputScale"
    first: bool = False
    dead_before: str = ""
    history: "UnitHistory | None" = None
    layer_inputs: "LayerInputs | None" = None

    @property
    def blind(self) -> bool:
        """True if every unit sees the same whatever the example, and not because of its own weights: the layers may stand side by side."""
        same = self.units["pre_activation_max"] == self.units["pre_activation_min"]
        return (
            bool(self.dead_before) and bool(same.all()) and not bool((self.units["weight_norm"] == 0).all())
        )

    @property
    def dead(self) -> "pd.DataFrame":
        """The rows of the dead units, with the columns of ``units``."""
        return self.units[self.units["dead"]]

    @property
    def alive(self) -> "pd.DataFrame":
        """The rows of the units that are not dead, with the columns of ``units``."""
        return self.units[~self.units["dead"]]


Cause = Callable[[Evidence], str]


def advice(report: "Findings") -> str:
    """A paragraph for every layer that needs one; a sentence where none does."""
    lines: list[str] = []
    dead_before = ""
    for name in report.layers:
        table = report.units(name)
        history = report.histories.get(name)
        lines += _of_layer(
            name,
            Evidence(
                table,
                report.inputs,
                name == next(iter(report.layers)),
                dead_before,
                history,
                layer_inputs=report.layers[name].inputs,
            ),
        )
        dead_before = name if table["dead"].all() else dead_before
    lines += [f"{name}: {remark}." for name, remark in report.remarks.items()]
    lines += [f"{path}: never called on these data." for path in report.never_called]
    lines += [f"{path or one.kind}: not seen, since {one.reason}." for path, one in report.unseen.items()]
    return "\n".join(lines) or f"No layer has more than {WORTH_MENTIONING:.0%} dead or saturated units."


def _of_layer(name: str, evidence: Evidence) -> list[str]:
    table = evidence.units
    if number := int(table["not_finite"].sum()):
        sentence = (
            f"{name}: {number} of {len(table)} units have pre-activations that are infinite or not a number: the training has diverged. "
            "Go back to a checkpoint from before, with a lower learning rate or clipped gradients."
        )
        return [sentence]
    if table["dead"].mean() > WORTH_MENTIONING:
        causes = [sentence for cause in CAUSES if (sentence := cause(evidence))]
        reasons = causes or ["Nothing that was measured tells why; Monitor a training to see when they die."]
        return [
            f"{name}: {len(evidence.dead)} of {len(table)} units are dead.",
            *_indented([*reasons, *_return(evidence)]),
            *_nearly_dead(name, evidence),
        ]
    if (table["saturated"] & ~table["dead"]).mean() > WORTH_MENTIONING:
        number = int(table["saturated"].sum())
        sentence = (
            f"{name}: {number} of {len(table)} units are saturated: almost no gradient passes them. Smaller initial weights, "
            "standardised inputs or a normalisation before them keep pre-activations near zero."
        )
        return [sentence]
    return [*_nearly_dead(name, evidence), *_cut_off(name, evidence)]


def _return(evidence: Evidence) -> list[str]:
    """Whether dead units of a deeper layer can come back by themselves."""
    if evidence.first or evidence.dead_before or evidence.alive.empty:
        return []
    return [COME_BACK]


def _nearly_dead(name: str, evidence: Evidence) -> list[str]:
    """Many units that live and are hardly ever active."""
    rows = evidence.units[evidence.units["nearly_dead"]]
    if len(rows) <= WORTH_MENTIONING * len(evidence.units):
        return []
    sentence = (
        f"{name}: {len(rows)} of {len(evidence.units)} units are nearly dead: active on less than {NEARLY_DEAD_SHARE:.0%} of the "
        f"examples and positions ({rows['active_share'].median():.2%} in the median)."
    )
    return [sentence]


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
    """An earlier layer that outputs nothing, so that this one sees the same for every example."""
    if not evidence.blind:
        return ""
    return f"The whole layer before is dead ({evidence.dead_before}), so that these see no data at all: begin there."


def born_or_died(evidence: Evidence) -> str:
    """The time at which the dead units died, as a Monitor has seen it: before training or during it."""
    history = evidence.history
    if history is None:
        return ""
    born = int((history.dead & (history.last_alive < 0)).sum())
    died = history.dead & (history.last_alive >= 0)
    sentences = []
    if born:
        sentences.append(
            f"{born} of them were dead at the first measurement: the initialisation or the inputs, if that was before training."
        )
    if number := int(died.sum()):
        times = Counter(
            zip(history.last_alive[died].tolist(), history.dead_since[died].tolist(), strict=True)
        )
        (alive, dead), most = times.most_common(1)[0]
        sentences.append(
            f"{number} of them died in training, {most} of these between steps {alive} and {dead}: look at the learning rate of "
            "these steps, and at the mean of the layer's inputs."
        )
    return " ".join(sentences)


def whole_layer(evidence: Evidence) -> str:
    """A layer without a living unit, before which nothing can learn."""
    if len(evidence.alive):
        return ""
    return "No unit is alive: the output does not depend on the data, and nothing before this layer can learn (unless around it)."


def zero_weights(evidence: Evidence) -> str:
    """Dead units all of whose incoming weights are 0."""
    number = int((evidence.dead["weight_norm"] == 0).sum())
    return f"{number} of them have weights that are all 0: they ignore their inputs." if number else ""


def low_bias(evidence: Evidence) -> str:
    """Dead units that would be alive without their bias."""
    rows = evidence.dead.dropna(subset=["bias"])
    without_bias = rows["pre_activation_max"] - rows["bias"]
    held = rows[(rows["bias"] < 0) & (without_bias > 0)]
    if held.empty:
        return ""
    return (
        f"{len(held)} of them would be active on some example if their bias were 0: it is {held['bias'].median():.3g} in the median "
        f"(that of the living: {_known(_median(evidence.alive['bias']))}), and the rest of their largest pre-activation "
        f"{without_bias[held.index].median():.3g}. If that is the initial bias, start from 0; if updates pushed them "
        "there, these were too large."
    )


def far_weights(evidence: Evidence) -> str:
    """Dead units with weights far larger than those of the living: an update threw them there."""
    usual = _median(evidence.alive["weight_norm"])
    far = evidence.dead[evidence.dead["weight_norm"] > FAR * usual]
    if far.empty:
        return ""
    return (
        f"{len(far)} of them have weights of norm {far['weight_norm'].median():.3g}, against {usual:.3g} of the living: large updates "
        "threw them there. A lower learning rate, a warm-up or clipped gradients make the updates smaller."
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
        "large. A lower learning rate, a warm-up or clipped gradients make them smaller."
    )


def unscaled_inputs(evidence: Evidence) -> str:
    """Inputs of the first layer that are not standardised."""
    # depends on: F1a holds, F1b holds
    scale = evidence.inputs
    if not evidence.first or not scale.count:
        return ""
    if abs(scale.mean) <= UNSCALED and scale.deviation <= UNSCALED:
        return ""
    return (
        f"The model's inputs have mean {scale.mean:.3g} and standard deviation {scale.deviation:.3g} (from {scale.low:.3g} to "
        f"{scale.high:.3g}): subtract the mean of each input (pixel, feature) and divide by the standard "
        "deviation; updates grow with the inputs."
    )


def negative_weights(evidence: Evidence) -> str:
    """Weights that point away from every example, whatever the bias."""
    if evidence.blind:
        return ""
    rows = evidence.dead.dropna(subset=["bias"])
    away = rows[(rows["pre_activation_max"] - rows["bias"] <= 0) & ~(rows["weight_norm"] == 0)]
    if away.empty:
        return ""
    return (
        f"{len(away)} of them are at most 0 on every example even without their bias: their weights point away from all inputs. "
        "revive() gives them new ones, and does not mend the cause; with a leaky ReLU such units go on learning."
    )


def offset_inputs(evidence: Evidence) -> str:
    """Dead units that the mean of the layer's inputs holds down."""
    rows = evidence.dead.dropna(subset=["centred_max"])
    held = rows[rows["centred_max"] > 0]
    if len(held) <= WORTH_MENTIONING * len(evidence.dead) or evidence.blind:
        return ""
    share = (
        ""
        if evidence.layer_inputs is None
        else f" (its share of their second moment, rho, is {evidence.layer_inputs.offset_share:.2f})"
    )
    return (
        f"{len(held)} of them would be active on some example if the mean of the layer's inputs were subtracted, with weights and bias as "
        f"they are{share}: it makes their effective bias {held['pre_activation_mean'].median():.3g} in the median, of which the bias is "
        f"{_known(_median(held['bias']))}. {CENTRE_INPUTS if evidence.first else CENTRE_ACTIVATIONS}"
    )


CAUSES: tuple[Cause, ...] = (
    born_or_died,
    blind,
    whole_layer,
    zero_weights,
    unscaled_inputs,
    offset_inputs,
    low_bias,
    far_weights,
    grown_weights,
    negative_weights,
)


def _median(values: "pd.Series") -> float:
    """Median of the values that are known; NaN if none is."""
    known = values.dropna()
    return float(known.median()) if len(known) else float("nan")


def _known(value: float) -> str:
    return "not known" if value != value else f"{value:.3g}"  # NaN
