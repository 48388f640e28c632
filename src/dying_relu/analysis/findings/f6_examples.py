"""F6: how many examples one must look at."""

import pandas as pd

from dying_relu.analysis.claims.cells import by_seed, cells_of
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured, ratio
from dying_relu.analysis.claims.verdict import Detail, Finding, finding
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.inference.criteria import Above, Within
from dying_relu.analysis.inference.decisions import Cell, decide, mean_of
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.latex import listed, name
from dying_relu.analysis.outcomes import trained
from dying_relu.analysis.thresholds import PAPER

LOOKED_AT = 500
"""Examples that were looked at, n."""
TIMES = (1, 10)
"""Further examples, m, as multiples of n."""
EXPERIMENTS = ("activity", "activity_adam", "activity_cnn")
_AMONG = (
    f"ReLU networks that trained, units not dead on all training examples before training; of those silent on the first n = {LOOKED_AT} "
    "training examples, how many are active on m more. Estimate of a network: f1 ln(1 + m/n), at most its silent units, f1 being its "
    "units active on exactly one of the n. "
)


@finding(
    "F6a",
    "Fisher's log-series predicts how many dead units further examples wake",
    experiment="activity, activity_adam, activity_cnn",
    measure="predicted over true number of units that further examples wake",
    unit="number",
    rule=f"{_AMONG}Each seed: predicted / true, both summed over its networks and over m = n and m = 10 n; cells: data set, architecture, "
    f"optimiser, if further examples wake at least {PAPER.woken_units:g} of their units, counted alike; the others are named. A cell holds "
    f"if the whole interval lies within {PAPER.estimate_low:g} and {PAPER.estimate_high:g}.",
    details={"Units": "number", "AsMany": "number", "TenTimes": "number", "LeftOut": "words"},
)
def the_series_predicts(evidence: Evidence) -> Finding:
    """Judge F6a."""
    limits = evidence.thresholds
    networks, cells, details = _ratios(evidence, limits.woken_units)
    return Finding.of(
        decide(cells, Within(limits.estimate_low, limits.estimate_high)), networks, details=details
    )


@measured
def _ratios(evidence: Evidence, fewest: float) -> tuple[int, list[Cell], dict[str, Detail]]:
    """The networks, predicted over true where enough units wake, and the details."""
    runs, estimates = _estimates(evidence)
    woken = estimates.groupby(SETTING, sort=False)["woken"].sum()
    kept = woken[woken >= fewest].reset_index()[SETTING]
    if kept.empty:
        raise NotEnoughData(f"in no cell have further examples woken {fewest:g} units")

    def cells(table: pd.DataFrame) -> list[Cell]:
        values = by_seed(table, SETTING, lambda rows: ratio(rows["expected"].sum(), rows["woken"].sum()))
        return cells_of(values, runs.merge(kept, on=SETTING), SETTING)

    left_out = woken[woken < fewest].index
    as_many, ten_times = (mean_of(cells(estimates[estimates["times"] == times])) for times in TIMES)
    details: dict[str, Detail] = {
        "Units": float(estimates.loc[estimates["times"] == 1, "units"].sum()),
        "AsMany": as_many,
        "TenTimes": ten_times,
        "LeftOut": listed([", ".join(map(name, setting)) for setting in left_out])
        if len(left_out)
        else "none",
    }
    return runs["run"].nunique(), cells(estimates), details


@finding(
    "F6b",
    "The estimate's interval covers the true number",
    experiment="activity, activity_adam, activity_cnn",
    measure="share of the networks whose 95 % interval covers the true number",
    rule=f"{_AMONG}Interval: quantiles of the negative binomial distribution (f1 + 1/2, 1 / (1 + ln(1 + m/n))), at most the silent units. "
    "Each seed: the share of its networks of all data sets, architectures and optimisers, those without a silent unit left out, whose 95 % "
    f"interval covers the true number, over m = n and m = 10 n: one cell. Holds if above {PAPER.estimate_covers:g}.",
    details={"Intervals": "number"},
)
def the_interval_covers(evidence: Evidence) -> Finding:
    """Judge F6b."""
    networks, cells, details = _coverage(evidence)
    return Finding.of(decide(cells, Above(evidence.thresholds.estimate_covers)), networks, details=details)


@measured
def _coverage(evidence: Evidence) -> tuple[int, list[Cell], dict[str, Detail]]:
    runs, estimates = _estimates(evidence)
    # Where no unit is silent, the interval is 0 to 0 and covers of itself.
    estimates = estimates[estimates["silent"] > 0]
    covered = estimates["low"].le(estimates["woken"]) & estimates["woken"].le(estimates["high"])
    shares = covered.groupby(estimates["replicate"]).mean()
    numbers = shares.reindex(sorted(runs["replicate"].unique())).to_numpy()
    return runs["run"].nunique(), [Cell("all networks", tuple(numbers))], {"Intervals": len(estimates)}


@finding(
    "F6c",
    "Under SGD most units that are dead on 500 examples are alive on all",
    experiment="activity",
    measure=f"share of the units dead on {LOOKED_AT} examples that are active on all training examples",
    rule=f"ReLU networks that trained under SGD; units not dead on all training examples before training. Each seed: of those dead on the "
    f"first {LOOKED_AT} training examples, the share active on at least one of all; cells: data set (MLPs). Holds if above "
    f"{PAPER.misled:.0%}.",
    details={"Momentum": "percent", "Adam": "percent"},
)
def few_examples_mislead(evidence: Evidence) -> Finding:
    """Judge F6c."""
    networks, cells, details = _alive_on_all(evidence)
    return Finding.of(decide(cells, Above(evidence.thresholds.misled)), networks, details=details)


@measured
def _alive_on_all(evidence: Evidence) -> tuple[int, list[Cell], dict[str, Detail]]:
    runs = _runs(evidence)
    counts = _counts(evidence, runs)
    silent = counts[counts["on_few"] == 0].merge(runs[["run", "replicate", *SETTING]], on="run")
    values = by_seed(silent, SETTING, lambda rows: float((rows["on_all"] > 0).mean()))
    cells = cells_of(values, runs, SETTING)
    of = {
        optimiser: [cell for cell in cells if cell.levels["optimiser"] == optimiser]
        for optimiser in ("SGD", "momentum", "Adam")
    }
    if not of["SGD"]:
        raise NotEnoughData("the experiment 'activity' has no networks under SGD")
    sgd = runs[runs["optimiser"] == "sgd"]
    return len(sgd), of["SGD"], {words.capitalize(): mean_of(of[words]) for words in ("momentum", "Adam")}


def _runs(evidence: Evidence) -> pd.DataFrame:
    return reported(evidence.relu(*EXPERIMENTS))


def _counts(evidence: Evidence, runs: pd.DataFrame) -> pd.DataFrame:
    """The units of those runs that trained, not born dead: ``run``, and on how many examples each was active.

    Returns:
        ``on_few`` of the first ``LOOKED_AT``, ``on_1`` and ``on_10`` of so many times as many more and these, and ``on_all``.
    """
    activity = evidence.study.table("activity")
    activity = activity[activity["run"].isin(runs.loc[trained(runs), "run"])]
    activity = activity[~activity["born_dead"].astype(bool)]
    if activity.empty:
        raise NotEnoughData("activities were not counted in any network that trained")
    wide = activity.pivot_table(index=["run", "layer", "unit"], columns="examples", values="active")
    names = {LOOKED_AT: "on_few"} | {LOOKED_AT * (1 + times): f"on_{times}" for times in TIMES}
    missing = [examples for examples in names if examples not in wide]
    if missing:
        raise NotEnoughData(f"activities were not counted on the first {missing[0]} examples")
    # The largest number of examples of a run is all that it used.
    counts = wide.rename(columns=names)[list(names.values())].assign(on_all=wide.max(axis=1))
    return counts.astype(float).reset_index()


@measured
def _estimates(evidence: Evidence) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs, and the estimates: a row a network that trained and number of further examples, with what came true."""
    runs = _runs(evidence)
    counts = _counts(evidence, runs)
    # Here, because the package of units is slow to import.
    from dying_relu.units.estimates import expected_alive

    rows = []
    for run, units in counts.groupby("run"):
        silent = units[units["on_few"] == 0]
        once = int((units["on_few"] == 1).sum())
        for times in TIMES:
            estimate = expected_alive([once], [len(silent)], LOOKED_AT, times * LOOKED_AT)
            woken = int((silent[f"on_{times}"] > 0).sum())
            rows.append(
                (run, times, len(units), len(silent), estimate.expected, estimate.low, estimate.high, woken)
            )
    columns = ["run", "times", "units", "silent", "expected", "low", "high", "woken"]
    estimates = pd.DataFrame(rows, columns=columns)
    return runs, estimates.merge(runs[["run", "replicate", *SETTING]], on="run")
