"""Dead fraction and test accuracy against the initial bias of the hidden units, by learning rate, for ReLU."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.figures import curves, style
from dying_relu.analysis.outcomes import trained

CAPTION = (
    "Dead units and test accuracy against the initial bias of the hidden units, for ReLU at a low, a middle and a high learning rate. "
    "Means over the networks that trained, with 95% t intervals over seeds; crosses above the "
    "scale mark networks that did not train."
)
TABLES = ("runs",)
EXPERIMENT = "causes"
MOST_CURVES = 3
MOST_LABELS = 4


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """Means with intervals over replicates, at a low, a middle and a high learning rate at which something trains.

    Args:
        runs: the study's table of runs; the ReLU runs of experiment ``causes`` are drawn.
    """
    runs = runs[(runs["experiment"] == EXPERIMENT) & (runs["activation"] == "relu")]
    if runs.empty:
        return style.note(f"This study has no ReLU networks in an experiment “{EXPERIMENT}”.")
    rates = sorted(runs.loc[trained(runs), "learning_rate"].unique()) or sorted(
        runs["learning_rate"].unique()
    )
    chosen = rates if len(rates) <= MOST_CURVES else [rates[0], rates[len(rates) // 2], rates[-1]]
    runs = runs[runs["learning_rate"].isin(chosen)]
    labels = [f"learning rate {style.number(rate)}" for rate in chosen]
    named = runs["learning_rate"].map(dict(zip(chosen, labels, strict=True)))
    named_runs = runs.assign(rate=pd.Categorical(named, labels))
    return curves.grid(named_runs, "initial_bias", "rate", _biases, others=("optimiser", "initialisation"))


def _biases(axes: Axes, values: Sequence[float]) -> None:
    """Labelled at the values, where there is room."""
    if len(values) == 1 or np.diff(values).min() >= np.ptp(values) / MOST_LABELS:
        axes.set_xticks(values)
    else:
        axes.locator_params(axis="x", nbins=MOST_LABELS)
    axes.set_xlabel("initial bias")
