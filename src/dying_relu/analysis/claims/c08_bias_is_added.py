"""C8: the update of a weight adds the bias."""

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, Reading, claim
from dying_relu.analysis.factors import CELL, UNIT
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import HOLDS, NOT_SETTLED, Cell, decide, mean_of
from dying_relu.analysis.inference.selection import reported

EXPERIMENT = "anatomy"
"""The experiments whose names begin so record every unit after every update."""


@claim(
    "C8",
    "An update makes the new weight from the old weight, minus gradient times learning rate, plus the bias",
    experiment="anatomy...",
    measure="share of the updates of dead units with a bias other than 0 in which their weights move",
    rule="Charitable: weight and bias each get their update; trivial, that is gradient descent. Literal: the bias is added to the "
    "weight. A dead unit has no gradient, so that the formula would move its weights at every update, and gradient descent at none; "
    "plain SGD, update by update, units dead on all training examples with a bias other than 0. Each seed: the share of these updates "
    "that move the norm of the weights, above one half.",
    details={"Updates": "number", "Moved": "percent"},
)
def bias_is_added(evidence: Evidence) -> Finding:
    """Judge C8."""
    note = "the bias is added to the weight"
    details: dict[str, Detail] = {}
    networks, effect = 0, None
    try:
        networks, updates, cells = _moved(evidence)
        literal = decide(cells, Above(0.5))
        reading = Reading(literal.verdict, note)
        effect = mean_of(cells)
        details = {"Updates": updates, "Moved": effect}
    except NotEnoughData as reason:
        reading = Reading(NOT_SETTLED, f"{note}: {reason}")
    return Finding(HOLDS, effect, networks, note="trivial: two updates", literal=reading, details=details)


@measured
def _moved(evidence: Evidence) -> tuple[int, int, list[Cell]]:
    """The networks, the updates of dead units, and the share of them that moved their weights."""
    runs = evidence.runs
    runs = reported(runs[runs["experiment"].str.startswith(EXPERIMENT) & (runs["activation"] == "relu")])
    runs = runs[runs["optimiser"] == "sgd"]
    units = evidence.units_of(runs).sort_values("step")
    if units.empty:
        raise NotEnoughData(f"no units are recorded update by update under plain SGD in '{EXPERIMENT}...'")
    after = units.groupby(UNIT, sort=False)[["step", "weight_norm"]].shift(-1).add_suffix("_next")
    updates = units.join(after)
    idle = updates[(updates["step_next"] == updates["step"] + 1) & updates["dead"] & (updates["bias"] != 0)]
    if idle.empty:
        raise NotEnoughData("no dead unit has a bias other than 0")
    moved = idle[[*CELL, "replicate"]].assign(moved=idle["weight_norm_next"] != idle["weight_norm"])
    values = by_seed(moved, CELL, lambda rows: float(rows["moved"].mean()))
    return units["run"].nunique(), len(idle), cells_of(values, runs, CELL)
