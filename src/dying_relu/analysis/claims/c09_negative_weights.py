"""C9: negative weights kill a unit."""

from collections.abc import Sequence

import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.deaths import place
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Finding, Reading, claim
from dying_relu.analysis.factors import UNIT
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import Cell, Judged, decide, mean_of
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.thresholds import PAPER

EXPERIMENT = "anatomy"
"""It records every unit after every update."""
LAYER = ["run", "layer", "replicate", "where"]


@claim(
    "C9",
    "Too high a rate can make the new weight negative, and a negative weight kills the unit",
    experiment="anatomy",
    measure="change of the share of negative weights over a unit's death, minus that of living units of its layer",
    unit="points",
    rule="Charitable: the updates that kill a unit make its incoming weights more negative. ReLU networks that trained; each seed: the "
    "change of the share of negative incoming weights in the update that kills a unit, minus that of the units of "
    "the layer that stay alive, mean over deaths; cells: first layer by inputs, deeper layers. Holds if above "
    f"{100 * PAPER.more_negative:.0f} point. Literal: units with more negative weights at the start die more often; their share of "
    "negative weights before training, minus that of units of their layer that are never dead, above 0.",
    details={"First": "points", "Deeper": "points", "AtStart": "points"},
)
def negative_weights_kill(evidence: Evidence) -> Finding:
    """Judge C9."""
    networks, turned, at_start = _changes(evidence)
    literal = decide(at_start, Above(0.0))
    layers = {"First": "first layer", "Deeper": "deeper layers"}
    return Finding.of(
        decide(turned, Above(evidence.thresholds.more_negative), _in_layers),
        networks,
        Reading(literal.verdict, "units with more negative weights before training die more often"),
        {
            name: mean_of([cell for cell in turned if cell.name.startswith(words)])
            for name, words in layers.items()
        }
        | {"AtStart": mean_of(at_start)},
    )


def _in_layers(holding: Sequence[Judged], rest: Sequence[Judged]) -> str:
    del rest
    return f"in the {' and the '.join(one.cell.name for one in holding)}"


@measured
def _changes(evidence: Evidence) -> tuple[int, list[Cell], list[Cell]]:
    """The networks, the excess of units that die in the change of the share of negative weights, and in that share at the start."""
    since = _placed(evidence.since(EXPERIMENT))
    if not since["died"].any():
        raise NotEnoughData("no recorded unit dies in training")
    runs = reported(evidence.relu(EXPERIMENT))
    # Also of networks that did not train: their cells are open.
    every = pd.concat([_placed(runs.assign(depth=depth)) for depth in sorted(since["depth"].unique())])
    changed = since.assign(value=since["negative_weights_next"] - since["negative_weights"])
    counts = changed["died"] | ~(changed["dead"] | changed["dead_next"])
    excess = _excess(changed[counts], "died", [*LAYER, "step"])
    start = _placed(_fates(evidence.relu_units(EXPERIMENT))).rename(columns={"negative_weights": "value"})
    at_start = _excess(start, "dies", LAYER)
    cells = [
        cells_of(by_seed(table, ["where"], _mean_over_deaths), every, ["where"])
        for table in (excess, at_start)
    ]
    return since["run"].nunique(), cells[0], cells[1]


def _placed(units: pd.DataFrame) -> pd.DataFrame:
    """The units with their cell in words; inputs matter to the first layer only, that of the others is never negative."""
    first = "first layer, " + units["inputs"].astype(str) + " inputs"
    layers = place(units)
    return units.assign(where=first.where(units["depth"] == 1, layers))


def _fates(units: pd.DataFrame) -> pd.DataFrame:
    """The units that are alive before training, and whether each is dead at any checkpoint."""
    ever = units.groupby(UNIT, sort=False)["dead"].transform("any")
    return units.assign(dies=ever)[(units["step"] == 0) & ~units["dead"]]


def _excess(units: pd.DataFrame, fate: str, group: list[str]) -> pd.DataFrame:
    """The mean value of the units that meet a fate minus that of the others of their layer, and their number, by group."""
    means = units.groupby([*group, fate], sort=False)["value"].agg(["mean", "size"]).reset_index()
    die, live = (means[means[fate] == meets].drop(columns=fate) for meets in (True, False))
    both = die.merge(live, on=group, suffixes=("", "_others"))
    return both.assign(excess=both["mean"] - both["mean_others"], deaths=both["size"])


def _mean_over_deaths(layers: pd.DataFrame) -> float:
    return float((layers["excess"] * layers["deaths"]).sum() / layers["deaths"].sum())
