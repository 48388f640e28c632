"""The effect of the data on the share of dead units: raw pixels, and other sizes of minibatches."""

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.factors import FACTORS
from dying_relu.analysis.inference.summaries import differences
from dying_relu.analysis.numbers.macro import Macro, macro, with_interval
from dying_relu.analysis.outcomes import TRAINED, trained
from dying_relu.analysis.study_results import StudyResults

BASELINE = "causes"
"""The experiment with standardised pixels and minibatches of the usual size."""
EXPERIMENTS = {
    "RawPixels": "data_raw_pixels",
    "SmallBatches": "data_small_batches",
    "LargeBatches": "data_large_batches",
}
LEVELS = [name for name in FACTORS if name not in ("slope", "replicate", "batch_size", "inputs")]
"""The columns of which both sides of a comparison have the same levels."""


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros from the table of runs: differences of twins from the baseline, and the sizes of the minibatches."""
    runs = study.table("runs")
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
    """``value`` in ``experiment`` minus that in the baseline, over the settings that both have and in which all trained."""
    two = runs[runs["experiment"].isin([BASELINE, experiment])]
    common = two[two.groupby(LEVELS)["experiment"].transform("nunique") == 2].assign(trained=trained)
    common = common[common.groupby(LEVELS)["trained"].transform("all")]
    means = common.groupby(["activation", "experiment", "replicate"])[value].mean().reset_index()
    changes = differences(means.assign(outcome=TRAINED), ["activation"], "experiment", BASELINE, value)
    if changes.empty:
        return Macro(None, latex.NOT_MEASURED)
    change = changes.iloc[0]
    return Macro(
        change["estimate"], with_interval(change["estimate"], change["low"], change["high"], "points")
    )


def _size(runs: pd.DataFrame) -> Macro:
    return macro(int(runs["batch_size"].iloc[0]) if len(runs) else None, "number")
