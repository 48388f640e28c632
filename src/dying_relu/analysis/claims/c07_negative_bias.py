"""C7: a large negative bias, as a cause."""

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.changes import change
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Finding, Reading, claim
from dying_relu.analysis.factors import CELL
from dying_relu.analysis.inference.attribution import attributed
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import NOT_SETTLED, Cell, decide, mean_of
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import finite
from dying_relu.analysis.thresholds import PAPER

BIAS, RATE = -4.0, 0.03
"""The large negative bias, and the rate at which it is compared with 0."""
COURSE = ("recovery", "mean_biases")
BY = ["experiment", "optimiser", "inputs"]
"""A cell of the literal reading."""


@claim(
    "C7",
    "Cause 2: a large negative bias",
    experiment="causes, recovery, mean_biases",
    measure=f"dead share at initial bias {BIAS:g} minus that at initial bias 0, at rate {RATE:g}",
    unit="points",
    rule=f"Charitable: as a start. Finite ReLU networks under SGD at rate {RATE:g}, for each data set and architecture; each seed: dead "
    f"share at initial bias {BIAS:g} minus that at 0. Holds if above {100 * PAPER.matters:.0f} points, which follows from the "
    "initialisation where units are born dead: the change of the newly dead share is printed. Literal: biases become large and "
    "negative. Of the units that die in training, the median over units of the bias's part in the fall of the effective bias (the mean "
    f"pre-activation), above {PAPER.major_part:.0%}; cells: experiment, optimiser and inputs.",
    details={"BiasPart": "percent", "NewlyDead": "points"},
)
def bias_too_negative(evidence: Evidence) -> Finding:
    """Judge C7."""
    networks, cells, newly_dead = _rise_with_bias(evidence)
    note = "whether biases become large and negative in units that die"
    try:
        parts = _parts(evidence)
        literal = decide(parts, Above(evidence.thresholds.major_part))
        reading = Reading(literal.verdict, note)
    except NotEnoughData as reason:
        parts, reading = [], Reading(NOT_SETTLED, f"{note}: {reason}")
    return Finding.of(
        decide(cells, Above(evidence.thresholds.matters)),
        networks,
        reading,
        {"BiasPart": mean_of(parts), "NewlyDead": mean_of(newly_dead)},
    )


@measured
def _rise_with_bias(evidence: Evidence) -> tuple[int, list[Cell], list[Cell]]:
    """The networks, and the changes of the dead and of the newly dead share from bias 0 to the large negative one."""
    runs = reported(evidence.relu("causes"))
    runs = runs[(runs["optimiser"] == "sgd") & (runs["learning_rate"] == RATE)]
    runs = runs[runs["initial_bias"].isin((0.0, BIAS))]
    if runs["initial_bias"].nunique() < 2:
        raise NotEnoughData(f"the experiment 'causes' has not both biases, 0 and {BIAS:g}, at rate {RATE:g}")
    levels = runs[CELL].drop_duplicates().assign(low=0.0, high=BIAS)
    dead, newly_dead = (
        cells_of(change(runs[finite(runs)], levels, CELL, "initial_bias", value), runs, CELL)
        for value in ("dead_fraction", "new_dead_fraction")
    )
    return len(runs), dead, newly_dead


@measured
def _parts(evidence: Evidence) -> list[Cell]:
    """The median part of the bias in the falls of units that die, from the checkpoint before a death to the one after."""
    runs = reported(evidence.relu(*COURSE))
    runs = runs[runs["intervention"] == "none"]
    since = attributed(evidence.units_of(runs))
    if not since["died"].any():
        raise NotEnoughData("no recorded unit dies in training")
    deaths = since[since["died"]]
    fall = deaths["mean_pre_activation"] - deaths["mean_pre_activation_next"]
    # A unit can die while its mean rises: its largest pre-activation decides.
    part = (deaths["by_bias"] / fall).where(fall > 0)
    values = by_seed(deaths.assign(part=part), BY, lambda rows: float(rows["part"].median()))
    recorded = runs[runs["experiment"].isin(since["experiment"].unique())]
    return cells_of(values, recorded, BY)
