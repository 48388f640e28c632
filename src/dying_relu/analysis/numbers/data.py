"""What the data do to the share of dead units: raw pixels, and other sizes of minibatches."""

from pathlib import Path

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.claims.evidence import safe
from dying_relu.analysis.claims.verdict import MIN_REPLICATES
from dying_relu.analysis.inference.intervals import differences
from dying_relu.analysis.numbers.macro import Macro, macro, with_interval
from dying_relu.results import store

BASELINE = "causes"
"""The experiment with standardised pixels and minibatches of the usual size."""
EXPERIMENTS = {
    "RawPixels": "data_raw_pixels",
    "SmallBatches": "data_small_batches",
    "LargeBatches": "data_large_batches",
}
SETTING = [
    "dataset",
    "architecture",
    "optimiser",
    "activation",
    "initialisation",
    "initial_bias",
    "learning_rate",
]


def data(results_folder: Path) -> dict[str, Macro]:
    """Macros from the table of runs: differences from the baseline, paired by replicate, and the sizes of the minibatches."""
    runs = store.read("runs", results_folder / "runs.parquet")
    changes = {
        f"{name}Dead": _change(runs, experiment, "dead_fraction") for name, experiment in EXPERIMENTS.items()
    }
    # Before the first step minibatches do not matter.
    born_dead = {"RawPixelsBornDead": _change(runs, EXPERIMENTS["RawPixels"], "born_dead_fraction")}
    sizes = {
        f"{name}Size": _size(runs[runs["experiment"] == EXPERIMENTS[name]])
        for name in ("SmallBatches", "LargeBatches")
    }
    return changes | born_dead | sizes


def _change(runs: pd.DataFrame, experiment: str, value: str) -> Macro:
    """``value`` in ``experiment`` minus that in the baseline, over the settings that both have and in which nothing diverged."""
    two = runs[runs["experiment"].isin([BASELINE, experiment])]
    common = safe(two[two.groupby(SETTING)["experiment"].transform("nunique") == 2], SETTING)
    means = common.groupby(["activation", "experiment", "replicate"])[value].mean().reset_index()
    found = differences(means.assign(diverged=False), ["activation"], "experiment", BASELINE, value)
    if found.empty or found["n"].iloc[0] < MIN_REPLICATES:
        return Macro(None, latex.NOT_MEASURED)
    change = found.iloc[0]
    return Macro(
        change["estimate"], with_interval(change["estimate"], change["low"], change["high"], "points")
    )


def _size(runs: pd.DataFrame) -> Macro:
    return macro(int(runs["batch_size"].iloc[0]) if len(runs) else None, "number")
