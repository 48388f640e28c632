"""C13: a lower learning rate as a remedy."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, Reading, claim
from dying_relu.analysis.factors import CELL
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import Cell, decide
from dying_relu.analysis.inference.selection import split
from dying_relu.analysis.outcomes import finite
from dying_relu.analysis.thresholds import PAPER

EXPERIMENTS = ("causes", "optimisers")
HIGH_RATES = {"sgd": 0.3, "momentum": 0.1, "adam": 0.03}
"""The rate of each optimiser that is compared with a tenth of it."""
CASE = [*CELL, "optimiser", "initial_bias"]


@claim(
    "C13",
    "Lower learning rates often mitigate the problem",
    experiment="causes, optimisers",
    measure="share of the settings in which units die where a tenth of the rate leaves fewer dead",
    rule="Charitable: dividing the rate by ten prevents deaths. Finite ReLU networks, for each data set and architecture, over the "
    f"settings (optimiser, initial bias) in which the selection networks newly lose on average at least {PAPER.matters:.0%} of their "
    "units at the high rate (0.3 under SGD, 0.1 with momentum, 0.03 under Adam); each other seed: the share of these settings in which "
    f"the dead share at a tenth of the rate is lower by at least {100 * PAPER.matters:.0f} points. Holds if above {PAPER.often:.0%}. "
    "Literal: the same over all settings.",
    details={
        "Settings": "number",
        "AllSettings": "number",
        "ByBias": "words",
    },
)
def lower_rate_helps(evidence: Evidence) -> Finding:
    """Judge C13."""
    networks, cells, literal, details = _helped(evidence, evidence.thresholds.matters)
    often = Above(evidence.thresholds.often)
    return Finding.of(
        decide(cells, often),
        networks,
        Reading(decide(literal, often).verdict, "over all settings, whether units die there or not"),
        details,
    )


@measured
def _helped(evidence: Evidence, matters: float) -> tuple[int, list[Cell], list[Cell], dict[str, Detail]]:
    """The networks, the shares of settings helped among those in which units die and among all, and the details."""
    runs = evidence.relu(*EXPERIMENTS).drop_duplicates([*CASE, "learning_rate", "replicate"])
    runs = runs[runs["optimiser"].isin(HIGH_RATES)]
    high = runs["optimiser"].map(HIGH_RATES)
    high_runs = runs[np.isclose(runs["learning_rate"], high)]
    low_runs = runs[np.isclose(runs["learning_rate"], high / 10)]
    selection, reporting = split(high_runs)
    deaths = selection[finite(selection)].groupby(CASE, sort=False)["new_dead_fraction"].mean().reset_index()
    dying = deaths.loc[deaths["new_dead_fraction"] >= matters, CASE]
    if dying.empty:
        raise NotEnoughData("in no setting do units die at the high rate")
    key = [*CASE, "replicate"]
    low = low_runs[finite(low_runs)][[*key, "dead_fraction"]]
    pairs = reporting[finite(reporting)].merge(low, on=key, suffixes=("", "_low"))
    pairs = pairs.assign(helped=pairs["dead_fraction"] - pairs["dead_fraction_low"] >= matters)
    among = pairs.merge(dying, on=CASE)

    def share(table: pd.DataFrame) -> list[Cell]:
        return cells_of(by_seed(table, CELL, lambda rows: float(rows["helped"].mean())), reporting, CELL)

    by_bias = among.groupby("initial_bias")["helped"].mean().sort_index(ascending=False)
    details: dict[str, Detail] = {
        "Settings": len(dying),
        "AllSettings": len(reporting[CASE].drop_duplicates()),
        "ByBias": ", ".join(f"{100 * value:.0f} % at bias {bias:g}" for bias, value in by_bias.items()),
    }
    return len(high_runs) + len(low_runs), share(among), share(pairs), details
