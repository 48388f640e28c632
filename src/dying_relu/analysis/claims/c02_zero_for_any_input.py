"""C2: a dead unit outputs zero for any input."""

import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import DEAD, Evidence, NotEnoughData, measured, ratio
from dying_relu.analysis.claims.verdict import Finding, Reading, claim
from dying_relu.analysis.factors import CELL
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import DOES_NOT_HOLD, Cell, decide, mean_of
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import trained
from dying_relu.analysis.thresholds import PAPER

EXPERIMENTS = ("causes", "optimisers")


@claim(
    "C2",
    "A dying unit becomes inactive and outputs 0 for any input",
    experiment="causes, optimisers",
    measure="share of the units dead on all training examples that are dead on all test examples",
    rule=f"Charitable: on other examples of the same kind. ReLU networks that trained; each seed: of the units that are dead on all "
    f"training examples at the end, the share dead on all test examples; cells: data set and architecture. Holds if above "
    f"{PAPER.nearly_all:.0%}. Literal, any input: one that wakes a unit of the first layer exists as long as one of its weights is not 0.",
    details={
        "DeadOnTrain": "number",
        "DeadOnTest": "number",
        "Reverse": "percent",
    },
)
def dead_on_any_input(evidence: Evidence) -> Finding:
    """Judge C2."""
    networks, cells, reverse, counts = _dead_elsewhere(evidence)
    decision = decide(cells, Above(evidence.thresholds.nearly_all))
    return Finding.of(
        decision,
        networks,
        Reading(
            DOES_NOT_HOLD,
            "for every unit of the first layer with a weight other than 0 there is an input that wakes it",
        ),
        {
            "DeadOnTrain": float(counts["train"].sum()),
            "DeadOnTest": float(counts["test"].sum()),
            "Reverse": mean_of(reverse),
        },
    )


@measured
def _dead_elsewhere(evidence: Evidence) -> tuple[int, list[Cell], list[Cell], pd.DataFrame]:
    """The networks, the share of dead units that is dead on the test set, the same in reverse, and the numbers of units."""
    if evidence.definition != DEAD:
        raise NotEnoughData("by this definition units are not compared one by one on both sets")
    everything = reported(evidence.relu(*EXPERIMENTS))
    runs = everything[trained(everything)]
    # Which units are dead on both sets is recorded of the probe sets: they have to be the whole sets.
    if (runs["dead_fraction"] != runs["dead_fraction_probe"]).any():
        raise NotEnoughData("the training probe set is not the whole training set")
    columns = {"train": "dead_fraction", "test": "dead_fraction_test", "both": "dead_on_both_fraction"}
    units = {name: (runs[column] * runs["hidden_units"]).round() for name, column in columns.items()}
    counts = runs[[*CELL, "replicate"]].assign(**units)

    def share(of: str) -> list[Cell]:
        values = by_seed(counts, CELL, lambda rows: ratio(rows["both"].sum(), rows[of].sum()))
        return cells_of(values, everything, CELL)

    return len(runs), share("train"), share("test"), counts
