"""Dead fraction and test accuracy against one factor, with intervals over replicates: what several figures share."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.figures import divergence, style
from dying_relu.analysis.statistics import summarise

METRICS = {"dead_fraction": "dead units", "test_accuracy": "test accuracy"}


def grid(
    runs: pd.DataFrame,
    factor: str,
    curve: str,
    scale: Callable[[Axes, Sequence[float]], None],
    others: Sequence[str],
) -> Figure:
    """A row for each metric, a column for each data set and architecture, a curve for each level of ``curve``.

    Points are means over the replicates that did not diverge, bars their intervals, dots the replicates; a cross above the
    scale marks a setting in which replicates diverged.

    Args:
        runs: the runs to draw.
        factor: the column on the horizontal axis.
        curve: the column whose levels are curves; in the order of its categories, or else of the table.
        scale: sets up the horizontal axis for the factor's levels.
        others: the columns of the remaining factors; where one has several levels, each has panels of its own.
    """
    places = style.settings(runs, *others)
    ordered = isinstance(runs[curve].dtype, pd.CategoricalDtype)
    levels = list(runs[curve].cat.categories if ordered else runs[curve].unique())
    figure, axes = style.places(len(places), len(METRICS), height=1.2, margin=0.8)
    for column, (title, here) in enumerate(places):
        axes[0, column].set_title(title)
        for row, (metric, label) in enumerate(METRICS.items()):
            panel = axes[row, column]
            style.shares(panel, label if column % style.MOST_COLUMNS == 0 else "")
            for position, level in enumerate(levels):
                _curve(panel, here[here[curve] == level], factor, metric, position, style.name(str(level)))
            if runs["diverged"].any():
                divergence.make_room(panel, len(levels))
        scale(axes[-1, column], sorted(runs[factor].unique()))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if runs["diverged"].any():
        handle, label = divergence.legend_entry()
        handles, labels = [*handles, handle], [*labels, label]
    figure.legend(
        handles, labels, title=style.replicates(runs), loc="outside lower center", ncols=min(4, len(labels))
    )
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
    divergence.mark(axes, summary[factor], summary, position, look["color"])
