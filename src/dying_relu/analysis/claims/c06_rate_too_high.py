"""C6: a learning rate that is too high, as a cause."""

import pandas as pd

from dying_relu.analysis.claims.cells import cells_of
from dying_relu.analysis.claims.changes import change
from dying_relu.analysis.claims.evidence import Evidence, measured
from dying_relu.analysis.claims.scores import scored
from dying_relu.analysis.claims.verdict import Detail, Finding, Reading, claim
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import Cell, decide, mean_of
from dying_relu.analysis.inference.selection import split
from dying_relu.analysis.latex import listed, name
from dying_relu.analysis.outcomes import finite, trained
from dying_relu.analysis.thresholds import PAPER

EXPERIMENTS = ("causes", "optimisers")
OPTIMISERS = ("sgd", "momentum", "adam")
"""Those that are answered for by themselves."""


@claim(
    "C6",
    "Cause 1: the learning rate is too high",
    experiment="causes, optimisers",
    measure="dead share at the highest useful learning rate minus that at the lowest useful one",
    unit="points",
    rule=f"Charitable: at rates at which networks still train. ReLU networks with initial bias 0, for each data set, architecture and "
    f"optimiser; a rate is useful if the median accuracy of the selection networks is at least {PAPER.useful:g} of the best; each other "
    f"seed: the dead share at the highest useful rate minus that at the lowest, both trained. Holds if above "
    f"{100 * PAPER.matters:.0f} points. Literal: from the lowest rate to the highest at which all selection networks stay finite, "
    "in finite networks.",
    details={
        "Rates": "words",
        "Sgd": "points",
        "Momentum": "points",
        "Adam": "points",
        "FiniteRates": "points",
        "CollapsedShare": "percent",
        "DivergedShare": "percent",
    },
)
def rate_too_high(evidence: Evidence) -> Finding:
    """Judge C6."""
    networks, cells, literal, details = _rises(evidence, evidence.thresholds.useful)
    criterion = Above(evidence.thresholds.matters)
    taken_literally = decide(literal, criterion)
    return Finding.of(
        decide(cells, criterion),
        networks,
        Reading(taken_literally.verdict, "at any rate at which networks stay finite"),
        details,
    )


@measured
def _rises(evidence: Evidence, useful_share: float) -> tuple[int, list[Cell], list[Cell], dict[str, Detail]]:
    """The networks, the changes of the dead share over useful rates and over finite ones, and the details."""
    runs = scored(_without_bias(evidence))
    selection, reporting = split(runs)
    useful = _ends(_useful(selection, useful_share))
    values = change(reporting[trained(reporting)], useful, SETTING, "learning_rate")
    cells = cells_of(values, reporting, SETTING)
    everywhere = _ends(_finite(selection))
    literal = cells_of(
        change(reporting[finite(reporting)], everywhere, SETTING, "learning_rate"), reporting, SETTING
    )
    at_the_edge = reporting.merge(everywhere, on=SETTING).query("learning_rate == high")
    details: dict[str, Detail] = {
        "Rates": _rates(useful),
        **{
            optimiser.capitalize(): mean_of(
                [cell for cell in cells if cell.levels["optimiser"] == name(optimiser)]
            )
            for optimiser in OPTIMISERS
        },
        "FiniteRates": mean_of(literal),
        # Of the networks at the rate that the literal reading calls the highest.
        "CollapsedShare": float((at_the_edge["outcome"] == "collapsed").mean()),
        "DivergedShare": float((at_the_edge["outcome"] == "diverged").mean()),
    }
    return len(reporting), cells, literal, details


def _without_bias(evidence: Evidence) -> pd.DataFrame:
    """The ReLU runs with initial bias 0, each network once."""
    runs = evidence.relu(*EXPERIMENTS)
    runs = runs[runs["initial_bias"] == 0]
    return runs.drop_duplicates([*SETTING, "learning_rate", "replicate"])


def _useful(selection: pd.DataFrame, share: float) -> pd.DataFrame:
    """The useful rates: columns ``SETTING`` and learning_rate."""
    medians = selection.groupby([*SETTING, "learning_rate"], sort=False)["score"].median().reset_index()
    best = medians.groupby(SETTING)["score"].transform("max")
    return medians[medians["score"] >= share * best]


def _finite(selection: pd.DataFrame) -> pd.DataFrame:
    """The rates at which every selection network stays finite."""
    all_finite = (
        selection.assign(finite=finite(selection))
        .groupby([*SETTING, "learning_rate"], sort=False)["finite"]
        .all()
        .reset_index()
    )
    return all_finite[all_finite["finite"]]


def _ends(rates: pd.DataFrame) -> pd.DataFrame:
    """The lowest and the highest rate of each setting: columns ``SETTING``, low and high."""
    return rates.groupby(SETTING, sort=False)["learning_rate"].agg(low="min", high="max").reset_index()


def _rates(ends: pd.DataFrame) -> str:
    """From which rate to which, by optimiser, in words."""
    known = [optimiser for optimiser in OPTIMISERS if (ends["optimiser"] == optimiser).any()]
    return listed(_range(ends[ends["optimiser"] == optimiser], optimiser) for optimiser in known)


def _range(ends: pd.DataFrame, optimiser: str) -> str:
    low, high, highest = ends["low"].min(), ends["high"].min(), ends["high"].max()
    return f"{low:g} to {high:g}{'' if high == highest else f' or up to {highest:g}'} ({name(optimiser)})"
