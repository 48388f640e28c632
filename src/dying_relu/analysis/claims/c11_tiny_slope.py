"""C11: the slope of a leaky ReLU may be tiny."""

from collections.abc import Callable

import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.choices import best
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured, ratio
from dying_relu.analysis.claims.scores import scored
from dying_relu.analysis.claims.verdict import Detail, Finding, claim
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import Cell, decide, mean_of
from dying_relu.analysis.inference.selection import split
from dying_relu.analysis.latex import listed, name
from dying_relu.analysis.outcomes import COLLAPSED, trained
from dying_relu.analysis.thresholds import PAPER

POST_SLOPE = 1e-4
"""The slope the post gives as an example."""
CASE = [*SETTING, "initial_bias", "learning_rate"]


@claim(
    "C11",
    "The slope of a leaky ReLU may be as small as 0.0001",
    experiment="slopes",
    measure="part of the accuracy that the best fixed slope gains over ReLU which slope 0.0001 gains",
    rule="Charitable and literal. For each data set, architecture and optimiser, over the settings (bias, rate) in which all selection "
    "ReLU networks collapse and all of the best larger slope, chosen on the selection seeds, train; each other seed: what slope "
    f"{POST_SLOPE:g} gains over ReLU in accuracy, summed over these settings, over what the best slope gains; those without such a setting "
    f"are no cells, and named. Holds if above {PAPER.enough_gain:.0%}.",
    details={
        "Settings": "number",
        "WithoutSetting": "words",
        "BestSlope": "words",
        "SmallestEnough": "words",
        "Gain": "points",
    },
)
def slope_may_be_tiny(evidence: Evidence) -> Finding:
    """Judge C11."""
    networks, parts, details = _gains(evidence)
    enough = evidence.thresholds.enough_gain
    means = {slope: mean_of(cells).estimate for slope, cells in parts.items()}
    smallest = min((slope for slope, part in means.items() if part > enough), default=None)
    return Finding.of(
        decide(parts[POST_SLOPE], Above(enough)),
        networks,
        details={**details, "SmallestEnough": "none" if smallest is None else f"{smallest:g}"},
    )


@measured
def _gains(evidence: Evidence) -> tuple[int, dict[float, list[Cell]], dict[str, Detail]]:
    """The networks, the part of the best gain that each slope makes, and the details."""
    runs = _fixed_slopes(evidence)
    selection, reporting = split(runs)
    doomed = _rescued(selection)
    if doomed.empty:
        raise NotEnoughData("there is no setting in which ReLU collapses and a slope trains")
    there = reporting.merge(doomed, on=CASE)
    if there.empty:
        raise NotEnoughData("no seed is left to report beside those that choose")
    relu = there[there["slope_of"] == 0].set_index([*CASE, "replicate"])["score"]
    top = there[there["slope_of"] == there["best"]].set_index([*CASE, "replicate"])["score"]
    gains = there.join(relu.rename("relu"), on=[*CASE, "replicate"])
    gains = gains.join((top - relu).rename("best_gain"), on=[*CASE, "replicate"])
    gains = gains.assign(gain=gains["score"] - gains["relu"])
    parts = {
        slope: cells_of(
            by_seed(rows, SETTING, lambda g: ratio(g["gain"].sum(), g["best_gain"].sum())), there, SETTING
        )
        for slope in sorted(set(gains.loc[gains["slope_of"] > 0, "slope_of"]))
        for rows in [gains[gains["slope_of"] == slope]]
    }
    best_gain = gains[gains["slope_of"] == gains["best"]]
    details: dict[str, Detail] = {
        "Settings": len(doomed),
        "WithoutSetting": _without(runs, doomed),
        "BestSlope": listed(sorted({f"{slope:g}" for slope in doomed["best"]}, key=float)),
        "Gain": mean_of(cells_of(by_seed(best_gain, SETTING, lambda g: g["gain"].mean()), there, SETTING)),
    }
    return len(runs), parts, details


def _fixed_slopes(evidence: Evidence) -> pd.DataFrame:
    """The scored runs of fixed slopes; ``slope_of``: 0 for ReLU."""
    runs = scored(evidence.experiment("slopes", "slopes_cnn"))
    runs = runs[runs["activation"].isin(["relu", "leaky_relu"])]
    slopes = runs["slope"].where(runs["activation"] != "relu", 0.0)
    if not {0.0, POST_SLOPE} < set(slopes):
        raise NotEnoughData(f"ReLU, slope {POST_SLOPE:g} and another slope are needed")
    return runs.assign(slope_of=slopes)


def _rescued(selection: pd.DataFrame) -> pd.DataFrame:
    """The settings in which all ReLU networks collapse and all of the best slope above the post's train: ``CASE``, and it as ``best``."""
    chosen = best(selection[selection["slope_of"] > POST_SLOPE], CASE, ["slope_of"]).rename(
        columns={"slope_of": "best"}
    )
    both = selection.merge(chosen, on=CASE)
    collapse = _all(both[both["slope_of"] == 0], lambda runs: runs["outcome"] == COLLAPSED)
    train = _all(both[both["slope_of"] == both["best"]], trained)
    return chosen.merge(collapse, on=CASE).merge(train, on=CASE)


def _without(runs: pd.DataFrame, doomed: pd.DataFrame) -> str:
    """The cells in which no setting counts, in words."""
    having = set(doomed[SETTING].itertuples(index=False, name=None))
    every = runs[SETTING].drop_duplicates().itertuples(index=False, name=None)
    lacking = [", ".join(map(name, cell)) for cell in every if cell not in having]
    return listed(lacking) if lacking else "none"


def _all(runs: pd.DataFrame, holds: Callable[[pd.DataFrame], pd.Series]) -> pd.DataFrame:
    """The settings all of whose runs hold: columns ``CASE``."""
    every = runs.assign(holds=holds(runs)).groupby(CASE, sort=False)["holds"].all().reset_index()
    return every.loc[every["holds"], CASE]
