"""C5: a large part of a network may be doing nothing."""

from collections.abc import Callable

import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Finding, Reading, claim
from dying_relu.analysis.factors import CELL
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import Cell, decide, mean_of
from dying_relu.analysis.inference.selection import split
from dying_relu.analysis.outcomes import finite, trained
from dying_relu.analysis.thresholds import PAPER

EXPERIMENTS = ("causes", "optimisers")
SETTING = ["optimiser", "initialisation", "initial_bias", "learning_rate", "inputs"]
"""What is chosen in each cell."""


@claim(
    "C5",
    "Over time a large part of the network may be doing nothing",
    experiment="causes, optimisers",
    measure="share of hidden units newly dead, at the setting with the most new deaths at which networks still train",
    rule=f"Charitable: in a network that trained. For each data set and architecture, among the ReLU settings (optimiser, rate, bias) in "
    f"which all selection networks train, the one with most new deaths in them; each other seed: the newly dead share of its network "
    f"there, missing if it did not train. Holds if above {PAPER.large_part:.0%}. Literal: the same of networks that stay finite.",
    details={
        "Accuracy": "percent",
        "AccuracyBest": "percent",
        "NearlyDead": "percent",
    },
)
def large_part_does_nothing(evidence: Evidence) -> Finding:
    """Judge C5."""
    networks, cells, literal, details = _worst_settings(evidence)
    criterion = Above(evidence.thresholds.large_part)
    taken_literally = decide(literal, criterion)
    return Finding.of(
        decide(cells, criterion),
        networks,
        Reading(taken_literally.verdict, "of networks that stay finite, whether they trained or not"),
        {name: mean_of(of) for name, of in details.items()},
    )


@measured
def _worst_settings(evidence: Evidence) -> tuple[int, list[Cell], list[Cell], dict[str, list[Cell]]]:
    """The networks, the newly dead shares at the worst settings of trained and of finite networks, and accuracies there."""
    runs = evidence.relu(*EXPERIMENTS).drop_duplicates([*CELL, *SETTING, "replicate"])
    selection, reporting = split(runs)
    worst = _worst(selection, trained)
    if worst.empty:
        raise NotEnoughData("in no setting do all selection networks train")
    there = reporting.merge(worst, on=[*CELL, *SETTING])
    best = reporting.merge(_best(selection), on=[*CELL, *SETTING])
    literal = reporting.merge(_worst(selection, finite), on=[*CELL, *SETTING])
    details = {
        "Accuracy": _values(there, reporting, trained, "test_accuracy"),
        "AccuracyBest": _values(best, reporting, trained, "test_accuracy"),
        "NearlyDead": _values(there, reporting, trained, "nearly_dead_fraction"),
    }
    return (
        len(there),
        _values(there, reporting, trained, "new_dead_fraction"),
        _values(literal, reporting, finite, "new_dead_fraction"),
        details,
    )


def _worst(selection: pd.DataFrame, counts: Callable[[pd.DataFrame], pd.Series]) -> pd.DataFrame:
    """The setting of each cell with the most new deaths, among those in which every selection network counts."""
    groups = selection.assign(counts=counts(selection)).groupby([*CELL, *SETTING])
    means = groups.agg(counts=("counts", "all"), dead=("new_dead_fraction", "mean")).reset_index()
    candidates = means[means["counts"]].dropna(subset="dead")
    return candidates.loc[candidates.groupby(CELL, sort=False)["dead"].idxmax(), [*CELL, *SETTING]]


def _best(selection: pd.DataFrame) -> pd.DataFrame:
    """The setting of each cell with the highest accuracy."""
    means = selection.groupby([*CELL, *SETTING])["test_accuracy"].mean().dropna().reset_index()
    return means.loc[means.groupby(CELL, sort=False)["test_accuracy"].idxmax(), [*CELL, *SETTING]]


def _values(
    runs: pd.DataFrame, reporting: pd.DataFrame, counts: Callable[[pd.DataFrame], pd.Series], column: str
) -> list[Cell]:
    return cells_of(by_seed(runs[counts(runs)], CELL, lambda rows: rows[column].mean()), reporting, CELL)
