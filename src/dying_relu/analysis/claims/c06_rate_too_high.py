"""C6: a learning rate that is too high, as a cause."""

import pandas as pd

from dying_relu.analysis.claims.changes import change
from dying_relu.analysis.claims.evidence import Evidence, measured, safe
from dying_relu.analysis.claims.verdict import Detail, Finding, claim, exceeds, if_any, pooled
from dying_relu.analysis.latex import listed
from dying_relu.analysis.thresholds import PAPER

OPTIMISERS = ("sgd", "momentum", "adam")
"""Those that are answered for by themselves."""


@claim(
    "C6",
    "Cause 1: the learning rate is too high",
    experiment="causes, optimisers",
    measure="dead fraction at the highest learning rate at which nothing diverges, minus that at the lowest",
    unit="points",
    rule=f"ReLU networks with the initial bias nearest to 0, for each data set, architecture and optimiser; rates at which any "
    f"replicate diverged are left out, so that divergence is not counted as death. Supported if the dead fraction surely rises by "
    f"more than {100 * PAPER.matters:.0f} points everywhere, supported with a limit if somewhere, refuted if surely nowhere.",
    details={
        "Rates": "words",
        "Sgd": "points",
        "Momentum": "points",
        "Adam": "points",
        "Cases": "number",
        "AtEdge": "number",
        "DivergedShare": "percent",
    },
)
def rate_too_high(evidence: Evidence) -> Finding:
    """Judge C6."""
    runs, values, details = _rise_with_rate(evidence)
    verdict, note = exceeds(values, evidence.thresholds.matters)
    return Finding(verdict, pooled(values), runs, note, details)


@measured
def _rise_with_rate(evidence: Evidence) -> tuple[int, pd.DataFrame, dict[str, Detail]]:
    """The number of runs, the change of the dead fraction from the lowest rate to the highest safe one, and the details."""
    runs = _zero_bias(_relu_of_all_optimisers(evidence))
    trained = safe(runs, ["stratum", "learning_rate"])
    extremes = trained.groupby("stratum")["learning_rate"].agg(["min", "max"])
    values = change(trained, extremes.reset_index(), "learning_rate")
    pooled(values)  # Says first if there are too few.
    optimiser = runs.groupby("stratum")["optimiser"].first()
    highest = runs.groupby("stratum")["learning_rate"].max()
    details: dict[str, Detail] = {
        "Rates": _safe_rates(extremes.groupby(optimiser).agg(["min", "max"])),
        **{
            name.capitalize(): if_any(values[values["stratum"].map(optimiser) == name]) for name in OPTIMISERS
        },
        "Cases": len(extremes),
        # Where the highest rate of all is safe, nobody knows where divergence begins.
        "AtEdge": int((extremes["max"] == highest[extremes.index]).sum()),
        "DivergedShare": runs["diverged"].mean(),
    }
    return len(runs), values, details


def _safe_rates(extremes: pd.DataFrame) -> str:
    """From which rate to which, by optimiser, in words; ``extremes``: columns (min or max, min or max)."""
    known = extremes.loc[[name for name in OPTIMISERS if name in extremes.index]]
    return listed(
        f"{low:g} to {low_end:g}{'' if low_end == high_end else f' or up to {high_end:g}'} ({name})"
        for name, (low, _, low_end, high_end) in known.T.items()
    )


def _relu_of_all_optimisers(evidence: Evidence) -> pd.DataFrame:
    """The runs of ``optimisers`` and, for plain SGD, the finer grid of ``causes`` in place of theirs."""
    causes = evidence.relu("causes")
    optimisers = evidence.runs[evidence.runs["experiment"] == "optimisers"]
    return pd.concat(
        [causes, optimisers[(optimisers["activation"] == "relu") & (optimisers["optimiser"] != "sgd")]]
    )


def _zero_bias(runs: pd.DataFrame) -> pd.DataFrame:
    size = runs["initial_bias"].abs()
    return runs[size == size.groupby(runs["stratum"]).transform("min")]
