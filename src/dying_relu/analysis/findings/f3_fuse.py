"""F3: death is a fuse."""

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.choices import best
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured, ratio
from dying_relu.analysis.claims.scores import scored
from dying_relu.analysis.claims.verdict import Detail, Finding, finding
from dying_relu.analysis.findings.layers import at_the_end, most_new_dead
from dying_relu.analysis.inference.criteria import Above, Below
from dying_relu.analysis.inference.decisions import Cell, decide, mean_of
from dying_relu.analysis.inference.selection import split
from dying_relu.analysis.outcomes import finite, spiked, trained
from dying_relu.analysis.thresholds import PAPER

EXPERIMENTS = {"fuse": "MLP", "fuse_cnn": "CNN"}
"""The experiments, and their networks in words: a cell each."""
SETTING = ["network", "dataset", "architecture", "optimiser", "inputs"]
CASE = [*SETTING, "learning_rate"]
HALF = 1 / 2
"""A case dies in mass if so large a share of its selection networks does."""
FORBID = "forbid_by_renewal"
PLACEBOS = {"PlaceboOfRenewing": "placebo_of_renewal", "PlaceboAgain": "placebo_of_renewal_again"}
"""The same to as many living units as have just died, and after every step to as many as are dead."""
ARMS = {
    "Untouched": "none",
    "Renewing": FORBID,
    **PLACEBOS,
    "Undoing": "forbid_by_undoing",
    "PlaceboOfUndoing": "placebo_of_undoing",
    "Raising": "forbid_by_bias",
    "LeakyAtStep": "leaky_at_100",
}
"""Details of F3a -> interventions."""
_MASS_DEATH = (
    "Cells with mass death: setting (data, network, optimiser, inputs) and rate at which at least half of the untouched selection "
    f"networks stay finite and newly lose at least {PAPER.mass_death:.0%} of a layer. "
)


@finding(
    "F3a",
    "Forbidding death makes networks overflow",
    experiment="fuse, fuse_cnn, fuse_leaky",
    measure="share of the cells with mass death in which a network overflows if death is forbidden, minus that with a placebo",
    unit="points",
    rule=f"{_MASS_DEATH}Each other seed: the share of these cells in which the network with death forbidden by renewing overflows, minus "
    "that of the placebo that overflows more: the same done to as many living units as have just died, or after every step to as many as "
    "are dead; MLPs and CNNs are two cells. Holds if above "
    f"{100 * PAPER.overflow_more:.0f} points. Undoing and raising the bias are printed and decide nothing.",
    details={"Cells": "number"} | dict.fromkeys([*ARMS, "LeakyTwin", "ReluAtSpike"], "percent"),
)
def forbidding_overflows(evidence: Evidence) -> Finding:
    """Judge F3a."""
    networks, cells, details = _overflows(evidence, evidence.thresholds.mass_death)
    return Finding.of(decide(cells, Above(evidence.thresholds.overflow_more)), networks, details=details)


@measured
def _overflows(evidence: Evidence, share: float) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The networks, how much more often a network overflows if death is forbidden, and the share that does in each arm (MLPs)."""
    dying, reporting = _dying(evidence, share)
    arms = {name: _overflowing(dying[dying["intervention"] == arm], reporting) for name, arm in ARMS.items()}
    differences = [
        Cell(
            forbidden.name,
            tuple(np.subtract(forbidden.numbers, np.maximum(*(placebo.numbers for placebo in placebos)))),
            forbidden.levels,
        )
        for forbidden, *placebos in zip(arms["Renewing"], *(arms[name] for name in PLACEBOS), strict=True)
    ]
    leaky = _leaky(evidence, dying)
    arms |= {
        name: _overflowing(leaky[leaky["intervention"] == arm], reporting)
        for name, arm in {"LeakyTwin": "none", "ReluAtSpike": "relu_at_spike"}.items()
    }
    details: dict[str, Detail] = {"Cells": len(dying[CASE].drop_duplicates())}
    return len(dying), differences, details | {name: mean_of(cells[:1]) for name, cells in arms.items()}


def _overflowing(runs: pd.DataFrame, reporting: pd.DataFrame) -> list[Cell]:
    """The share of a seed's networks that overflow, a cell each kind of network."""
    values = by_seed(runs, ["network"], lambda rows: float(rows["overflowed"].mean()))
    return cells_of(values, reporting, ["network"])


def _leaky(evidence: Evidence, cases: pd.DataFrame) -> pd.DataFrame:
    """The leaky twins of some cases; none where the study has no such experiment."""
    runs = evidence.runs[evidence.runs["experiment"] == "fuse_leaky"].assign(network=EXPERIMENTS["fuse"])
    return runs.merge(cases[[*CASE, "replicate"]].drop_duplicates(), on=[*CASE, "replicate"])


def _networks(evidence: Evidence) -> pd.DataFrame:
    runs = pd.concat(evidence.relu(name) for name in EXPERIMENTS)
    return runs.assign(network=runs["experiment"].map(EXPERIMENTS))


def _dying(evidence: Evidence, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The reported runs, of all arms, of the cases with mass death; and all reported runs.

    Raises:
        NotEnoughData: no selection networks die in mass.
    """
    runs = _networks(evidence)
    selection, reporting = split(runs)
    untouched = selection[selection["intervention"] == "none"]
    dies = most_new_dead(evidence, untouched) >= share
    shares = dies.groupby([untouched[name] for name in CASE], sort=False).mean()
    cases = shares[shares >= HALF].reset_index()[CASE]
    if cases.empty:
        raise NotEnoughData(
            "at no rate do half of the untouched selection networks die in mass and stay finite"
        )
    return reporting.merge(cases, on=CASE), reporting


@finding(
    "F3b",
    "Before the limit the flat side does not matter",
    experiment="fuse, fuse_leaky",
    measure="difference, in size, of the newly dead shares from the newly silent ones of the leaky twins, as a part of the former",
    unit="number",
    rule="MLPs; settings and rates at which no selection network, untouched or leaky (slope 0.01), spikes, and the untouched ones newly "
    f"lose in the median at least {PAPER.some_deaths:.0%} of some layer. Each other seed: over the layers that do, the sum of abs(newly "
    "dead share of the ReLU layer - newly silent share of its leaky twin's), the latter being the share silent at the end minus that "
    "before training, both finite, over the sum of the newly dead shares of the ReLU layers; cells: optimiser; one without such layers "
    f"is open. Holds if below {PAPER.twins_differ:g}.",
    details={"Cells": "number", "NewlyDead": "percent", "Correlation": "number"},
)
def the_flat_side_does_not_matter(evidence: Evidence) -> Finding:
    """Judge F3b."""
    networks, cells, details = _twins(evidence, evidence.thresholds.some_deaths)
    return Finding.of(decide(cells, Below(evidence.thresholds.twins_differ)), networks, details=details)


@measured
def _twins(evidence: Evidence, some: float) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The networks, the differences of twins, and how many deaths they rest on."""
    everything = evidence.experiment("fuse", "fuse_leaky")
    runs = everything[everything["intervention"] == "none"].assign(network=EXPERIMENTS["fuse"])
    runs = runs[runs["activation"].isin(("relu", "leaky_relu"))]
    if runs["activation"].nunique() < 2:
        raise NotEnoughData("the experiments 'fuse' and 'fuse_leaky' are both needed")
    selection, reporting = split(runs)
    below = spiked(selection).groupby([selection[name] for name in CASE], sort=False).any()
    calm = (~below)[~below].reset_index()[CASE]
    relu = (
        selection[selection["activation"] == "relu"]
        .merge(calm, on=CASE)
        .merge(at_the_end(evidence), on="run")
    )
    median = relu.groupby([*CASE, "depth"], sort=False)["new_dead"].median()
    dying = median[median >= some].reset_index()[[*CASE, "depth"]]
    cases = dying[CASE].drop_duplicates()
    if cases.empty:
        raise NotEnoughData(
            "at no rate do enough units die while neither selection networks nor their leaky twins spike"
        )
    pairs = _pairs(evidence, reporting[finite(reporting)].merge(cases, on=CASE)).merge(
        dying, on=[*CASE, "depth"]
    )
    differences = pairs.assign(difference=(pairs["new_dead"] - pairs["newly_inactive"]).abs())
    values = by_seed(
        differences, ["optimiser"], lambda rows: ratio(rows["difference"].sum(), rows["new_dead"].sum())
    )
    details: dict[str, Detail] = {
        "Cells": len(cases),
        "NewlyDead": float(pairs["new_dead"].mean()),
        "Correlation": _correlation(pairs["new_dead"], pairs["newly_inactive"]),
    }
    return (
        2 * len(pairs[[*CASE, "replicate"]].drop_duplicates()),
        cells_of(values, reporting, ["optimiser"]),
        details,
    )


def _correlation(one: pd.Series, other: pd.Series) -> float:
    """Pearson's; NaN where one of them does not vary."""
    return float(one.corr(other)) if min(one.nunique(), other.nunique()) > 1 else np.nan


def _pairs(evidence: Evidence, runs: pd.DataFrame) -> pd.DataFrame:
    """A row a layer and pair of twins: the newly dead share of ReLU's, and the newly silent one of its leaky twin's."""
    layers = runs.merge(at_the_end(evidence), on="run")
    keys = [*CASE, "replicate", "depth"]
    relu = layers.loc[layers["activation"] == "relu", [*keys, "new_dead"]]
    leaky = layers.loc[layers["activation"] == "leaky_relu", [*keys, "newly_inactive"]]
    return relu.merge(leaky, on=keys)


@finding(
    "F3c",
    "Death is no rescue",
    experiment="fuse, fuse_cnn",
    measure="share of the untouched networks that train and come near the best accuracy, in cells with mass death",
    rule=f"{_MASS_DEATH}Each other seed: the share of the untouched networks in these cells that are trained and within "
    f"{100 * PAPER.near_the_best:.0f} points of the accuracy of their twin at the best rate of the setting (chosen on the selection "
    f"seeds; cells at that rate are left out, and counted); MLPs and CNNs are two cells. Holds if below {PAPER.rescued:.0%}.",
    details={"Cells": "number", "AtTheBest": "number", "Trained": "percent", "Overflowed": "percent"},
)
def no_rescue(evidence: Evidence) -> Finding:
    """Judge F3c."""
    limits = evidence.thresholds
    networks, cells, details = _rescued(evidence, limits.mass_death, limits.near_the_best)
    return Finding.of(decide(cells, Below(limits.rescued)), networks, details=details)


@measured
def _rescued(evidence: Evidence, share: float, near: float) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The networks, the share that trains and comes near the best accuracy, and the outcomes."""
    dying, reporting = _dying(evidence, share)
    dying = dying[dying["intervention"] == "none"]
    runs = scored(_networks(evidence))
    runs = runs[runs["intervention"] == "none"]
    selection = split(runs).selection
    rates = best(selection, SETTING, ["learning_rate"])
    at_the_best = runs.merge(rates, on=CASE)[[*CASE, "replicate", "score"]]
    compared = dying.merge(at_the_best, on=[*SETTING, "replicate"], suffixes=("", "_best"))
    compared = compared[compared["learning_rate"] != compared["learning_rate_best"]]
    near_the_best = compared["test_accuracy"] >= compared["score"] - near
    compared = compared.assign(rescued=trained(compared) & near_the_best)
    values = by_seed(compared, ["network"], lambda rows: float(rows["rescued"].mean()))
    details: dict[str, Detail] = {
        "Cells": len(dying[CASE].drop_duplicates()),
        "AtTheBest": len(dying.merge(rates, on=CASE)[CASE].drop_duplicates()),
        "Trained": float(trained(dying).mean()),
        "Overflowed": float((~finite(dying)).mean()),
    }
    return len(dying), cells_of(values, reporting, ["network"]), details
