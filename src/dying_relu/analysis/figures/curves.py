"""Dead fraction and test accuracy against one factor, with intervals over replicates: what several figures share."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.figures import style
from dying_relu.analysis.statistics import summarise

METRICS = {"dead_fraction": "dead units", "test_accuracy": "test accuracy"}


def grid(
    runs: pd.DataFrame, factor: str, curve: str, scale: Callable[[Axes, Sequence[float]], None]
) -> Figure:
    """A row for each metric, a column for each data set and architecture, a curve for each level of ``curve``.

    Points are means over the replicates that did not diverge, bars their intervals, dots the replicates; a cross at the
    upper edge marks a setting in which every replicate diverged, a small one a setting in which some did.

    Args:
        runs: the runs to draw.
        factor: the column on the horizontal axis.
        curve: the column whose levels are curves; in the order of its categories, or else of the table.
        scale: sets up the horizontal axis for the factor's levels.
    """
    places = list(style.settings(runs))
    levels = list(
        pd.Categorical(runs[curve], runs[curve].unique() if runs[curve].dtype == object else None).categories
    )
    figure, axes = style.panels(len(METRICS), len(places), 3.4, sharex=True, sharey="row")
    for column, (_, _, title, here) in enumerate(places):
        axes[0, column].set_title(title)
        for row, (metric, label) in enumerate(METRICS.items()):
            style.shares(axes[row, column], label if column == 0 else "")
            for position, level in enumerate(levels):
                _curve(
                    axes[row, column],
                    here[here[curve] == level],
                    factor,
                    metric,
                    position,
                    style.name(str(level)),
                )
        scale(axes[-1, column], sorted(runs[factor].unique()))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if runs["diverged"].any():
        handles.append(axes[0, 0].scatter([], [], marker="x", s=18, color="0.25", linewidths=0.9))
        labels.append("diverged replicates (large: all)")
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)))
    return figure


def _curve(axes: Axes, runs: pd.DataFrame, factor: str, metric: str, position: int, label: str) -> None:
    summary = summarise(runs, [factor], metric)
    look = style.look(position)
    errors = np.array([summary["estimate"] - summary["low"], summary["high"] - summary["estimate"]]).clip(
        min=0
    )
    axes.errorbar(
        summary[factor], summary["estimate"], errors, capsize=1.5, elinewidth=0.8, label=label, **look
    )
    trained = runs[~runs["diverged"]]
    axes.plot(trained[factor], trained[metric], ".", color=look["color"], alpha=0.35, markersize=2)
    diverged = summary[summary["diverged"] > 0]
    sizes = np.where(diverged["n"] == 0, 18, 6)
    height = 0.985 - 0.05 * position
    axes.scatter(
        diverged[factor], [height] * len(diverged), marker="x", s=sizes, color=look["color"], linewidths=0.9
    )
