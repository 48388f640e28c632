"""F5: how soon units die after the rate became too high."""

import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, finding
from dying_relu.analysis.inference.criteria import Above, Below
from dying_relu.analysis.inference.decisions import Cell, decide
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import finite
from dying_relu.analysis.thresholds import PAPER

STEPS = 20
"""Fast: within so many steps of the switch."""
SWITCHES = {"none": 0, "low_until_20": 20, "low_until_100": 100, "low_until_300": 300}
"""The step from which on the rate is too high, by intervention; before, it is a tenth."""
JUDGED = ("none", "low_until_100")
"""The interventions that make cells: from the start on, and the middle switch."""
RATES = {"sgd": (0.37, 0.44), "adam": (0.02, 0.04), "momentum": (0.1, 0.13)}
BY = ["optimiser", "learning_rate", "intervention"]
_RULE = (
    "MNIST, MLPs; the rate is too high from the start on, or from step 100 on and a tenth before. Each seed: of the units of all layers "
    f"that are newly dead since that step at the end, the share that was so {STEPS} steps after it (1 if fewer are dead at the end than "
    f"then); finite networks in which at least {PAPER.some_deaths:.0%} of the hidden units are newly dead since. "
)
_DETAILS = {"Networks": "number", "OtherSwitches": "percent"}


@finding(
    "F5a",
    "Under SGD and Adam units die within 20 steps of the rate becoming too high",
    experiment="when",
    measure=f"share of the finally newly dead units that were dead {STEPS} steps after the rate became too high",
    rule=f"{_RULE}Cells: SGD at rates 0.37 and 0.44, Adam at 0.02 and 0.04, each with both switches. Holds if above {PAPER.fast:.0%}.",
    details=_DETAILS,
)
def fast_under_sgd_and_adam(evidence: Evidence) -> Finding:
    """Judge F5a."""
    networks, cells, details = _soon(evidence, ("sgd", "adam"), evidence.thresholds.some_deaths)
    return Finding.of(decide(cells, Above(evidence.thresholds.fast)), networks, details=details)


@finding(
    "F5b",
    "Under momentum layers fall later",
    experiment="when",
    measure=f"share of the finally newly dead units that were dead {STEPS} steps after the rate became too high",
    rule=f"{_RULE}Cells: momentum at rates 0.1 and 0.13, each with both switches. Holds if below {PAPER.fast:.0%}.",
    details=_DETAILS,
)
def late_under_momentum(evidence: Evidence) -> Finding:
    """Judge F5b."""
    networks, cells, details = _soon(evidence, ("momentum",), evidence.thresholds.some_deaths)
    return Finding.of(decide(cells, Below(evidence.thresholds.fast)), networks, details=details)


@measured
def _soon(
    evidence: Evidence, optimisers: tuple[str, ...], some: float
) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The networks, the share of the deaths that came soon, and the same at the other switches."""
    runs = reported(evidence.relu("when"))
    pairs = [(optimiser, rate) for optimiser in optimisers for rate in RATES[optimiser]]
    here = [pair in pairs for pair in zip(runs["optimiser"], runs["learning_rate"], strict=True)]
    runs = runs[here]
    runs = runs[(runs["dataset"] == "mnist") & runs["intervention"].isin(list(SWITCHES))]
    if runs.empty:
        raise NotEnoughData("the experiment 'when' has none of the rates of the rule")
    followed = _followed(evidence, runs[finite(runs)])
    enough = followed[followed["deaths"] >= some * followed["hidden_units"]]
    enough = enough.assign(share=(enough["soon"] / enough["deaths"]).clip(0, 1))
    values = by_seed(enough, BY, lambda rows: float(rows["share"].mean()))
    judged = runs[runs["intervention"].isin(JUDGED)]
    others = enough.loc[~enough["intervention"].isin(JUDGED), "share"]
    details: dict[str, Detail] = {"Networks": len(followed), "OtherSwitches": float(others.median())}
    return len(judged), cells_of(values, judged, BY), details


def _followed(evidence: Evidence, runs: pd.DataFrame) -> pd.DataFrame:
    """Give each run the units newly dead since the switch, at the end (``deaths``) and some steps after it (``soon``)."""
    layers = evidence.layers
    layers = layers[(layers["probe"] == "train") & layers["run"].isin(runs["run"])]
    dead = layers.groupby(["run", "step"])["new_dead_all"].sum(min_count=1).astype(float)
    switch = runs["intervention"].map(SWITCHES)

    def at(steps: pd.Series) -> pd.Series:
        return pd.Series(dead.reindex(pd.MultiIndex.from_arrays([runs["run"], steps])).to_numpy(), runs.index)

    before = at(switch)
    return runs.assign(deaths=at(runs["steps"]) - before, soon=at(switch + STEPS) - before)
