"""Remedies side by side: dead fraction and test accuracy, at each learning rate."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dying_relu.analysis.figures import marks, style
from dying_relu.analysis.inference.summaries import summarise
from dying_relu.analysis.outcomes import untrained
from dying_relu.analysis.remedies import BASELINE, side_by_side

CAPTION = (
    "Remedies side by side: dead units and test accuracy at each learning rate; lines: ReLU at that rate; no mark: not trained. Means "
    "over the networks that trained, with 95% t intervals over seeds; crosses beyond the scale mark networks that did not train."
)
TABLES = ("runs",)
EXPERIMENT = "remedies"
METRICS = {"dead_fraction": "dead units", "test_accuracy": "test accuracy"}


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """A row for each remedy, a mark for each learning rate, with intervals over replicates; lines go on from ReLU's marks.

    A lower rate stands beside the other remedies at the highest one. A cross beyond the scale marks a setting in which networks did not
    train.

    Args:
        runs: the study's table of runs; the experiments ``remedies...`` are drawn.
    """
    runs = side_by_side(runs)
    if runs.empty:
        return style.note(f"This study has no experiment “{EXPERIMENT}”.")
    places, remedies = style.settings(runs, "optimiser"), list(runs["remedy"].cat.categories)
    rates = sorted(runs["learning_rate"].unique())
    apart = min(0.2, 0.8 / len(rates))
    figure, axes = style.places(
        len(places), len(METRICS), height=max(0.7, 0.11 * len(remedies) + 0.3), margin=0.95
    )
    for column, (title, here) in enumerate(places):
        axes[0, column].set_title(title)
        for row, (metric, label) in enumerate(METRICS.items()):
            for position, rate in enumerate(rates):
                offset = apart * (position - (len(rates) - 1) / 2)
                _marks(
                    axes[row, column], here[here["learning_rate"] == rate], remedies, metric, position, offset
                )
            _decorate(axes[row, column], remedies, label)
            if untrained(runs).any():
                marks.make_room(axes[row, column], 1, scale="x")
    handles = [Line2D([], [], **style.look(position) | {"linestyle": ""}) for position in range(len(rates))]
    labels = [style.factor("learning_rate", rate) for rate in rates]
    if untrained(runs).any():
        handle, label = marks.legend_entry()
        handles, labels = [*handles, handle], [*labels, label]
    figure.legend(
        handles,
        labels,
        title=style.replicates(runs),
        loc="outside lower center",
        ncols=min(5, len(labels)),
        columnspacing=1,
    )
    return figure


def _marks(
    axes: Axes, runs: pd.DataFrame, remedies: list[str], metric: str, position: int, offset: float
) -> None:
    summary = summarise(runs.assign(remedy=runs["remedy"].astype(str)), ["remedy"], metric)
    look = style.look(position)
    for level in summary.loc[summary["remedy"] == BASELINE, "estimate"].dropna():
        axes.axvline(level, color=look["color"], linewidth=0.6, linestyle=look["linestyle"], zorder=0)
    heights = np.array([remedies.index(remedy) for remedy in summary["remedy"]]) + offset
    errors = np.array([summary["estimate"] - summary["low"], summary["high"] - summary["estimate"]]).clip(
        min=0
    )
    axes.errorbar(
        summary["estimate"],
        heights,
        xerr=errors,
        linestyle="",
        marker=look["marker"],
        color=look["color"],
        elinewidth=0.8,
        markersize=3,
    )
    marks.mark_beside(axes, heights, summary, look["color"])


def _decorate(axes: Axes, remedies: list[str], label: str) -> None:
    axes.set_xlim(-0.04, 1.04)
    axes.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    axes.set_yticks(range(len(remedies)), remedies)
    axes.set_ylim(len(remedies) - 0.5, -0.5)
    axes.set_xlabel(label)
    axes.tick_params(labelbottom=True)
    axes.grid(axis="y", color="0.9", linewidth=0.5)
