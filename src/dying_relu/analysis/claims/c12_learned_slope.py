"""C12: PReLU learns its slope."""

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.choices import best
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.scores import scored
from dying_relu.analysis.claims.verdict import Detail, Finding, Reading, claim
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import NOT_SETTLED, Cell, decide, mean_of
from dying_relu.analysis.inference.selection import reported, split
from dying_relu.analysis.outcomes import trained, untrained
from dying_relu.analysis.remedies import PREFIX
from dying_relu.analysis.thresholds import PAPER

PRELU_START = 0.25
"""The slope that a PReLU begins with."""
SLOPES = ("slopes", "slopes_cnn")
EXPERIMENTS = (*SLOPES, PREFIX, f"{PREFIX}_cnn")
CASE = [*SETTING, "initial_bias"]


@claim(
    "C12",
    "PReLU learns its slope from the data",
    experiment="slopes, remedies",
    measure="distance of the learned slope from 0.25, where it began, a mean over layers",
    unit="number",
    rule="Charitable: the slope is learned. PReLU networks that trained, for each data set, architecture and optimiser; each seed: the "
    f"mean over layers, and over the networks of the seed, of the absolute difference of the learned slope from {PRELU_START}. Holds "
    f"if above {PAPER.slope_moves:g}. Literal: learning beats fixing it at {PRELU_START}; accuracy in slopes, each at its own best rate, "
    f"chosen on the selection seeds, by more than {100 * PAPER.accuracy_matters:.0f} point; cells also by initial bias.",
    details={
        "MeanSlope": "number",
        "NotTrained": "percent",
        "AgainstFixed": "points",
        "NegativeSlopes": "percent",
        "LowestSlope": "number",
    },
)
def slope_is_learned(evidence: Evidence) -> Finding:
    """Judge C12."""
    networks, moved, details = _movements(evidence)
    note = f"learning the slope beats fixing it at {PRELU_START}"
    try:
        against_fixed = _against_fixed(evidence)
        literal = decide(against_fixed, Above(evidence.thresholds.accuracy_matters))
        reading = Reading(literal.verdict, note)
    except NotEnoughData as reason:
        against_fixed, reading = [], Reading(NOT_SETTLED, f"{note}: {reason}")
    return Finding.of(
        decide(moved, Above(evidence.thresholds.slope_moves)),
        networks,
        reading,
        {**details, "AgainstFixed": mean_of(against_fixed)},
    )


@measured
def _movements(evidence: Evidence) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The number of PReLU networks, how far the slopes of their layers moved, and the details."""
    runs = reported(evidence.experiment(*EXPERIMENTS))
    prelu = runs[runs["activation"] == "prelu"]
    if prelu.empty:
        raise NotEnoughData("the study has no PReLU networks")
    layers = evidence.layers
    layers = layers[layers["probe"] == "train"].merge(
        prelu.loc[trained(prelu), ["run", "steps", *SETTING, "replicate"]], on="run"
    )
    end = layers[layers["step"] == layers["steps"]]
    moved = end.assign(moved=(end["slope"] - PRELU_START).abs())
    details: dict[str, Detail] = {
        "MeanSlope": float(end["slope"].mean()),
        "NotTrained": float(untrained(prelu).mean()),
        "NegativeSlopes": float((end["slope"] < 0).mean()),
        "LowestSlope": float(end["slope"].min()),
    }
    values = by_seed(moved, SETTING, lambda rows: float(rows["moved"].mean()))
    return len(prelu), cells_of(values, prelu, SETTING), details


@measured
def _against_fixed(evidence: Evidence) -> list[Cell]:
    """PReLU's score minus that of leaky ReLU at the slope that a PReLU begins with, each at its own best rate."""
    runs = scored(evidence.experiment(*SLOPES))
    fixed = (runs["activation"] == "leaky_relu") & (runs["slope"] == PRELU_START)
    arms = {"prelu": runs[runs["activation"] == "prelu"], "fixed": runs[fixed]}
    if any(arm.empty for arm in arms.values()):
        raise NotEnoughData(f"the experiment 'slopes' needs PReLU and slope {PRELU_START}")
    scores = {}
    for name, arm in arms.items():
        selection, reporting = split(arm)
        there = reporting.merge(best(selection, CASE, ["learning_rate"]), on=[*CASE, "learning_rate"])
        scores[name] = by_seed(there, CASE, lambda rows: float(rows["score"].mean()))
    return cells_of(scores["prelu"] - scores["fixed"], split(arms["prelu"]).reporting, CASE)
