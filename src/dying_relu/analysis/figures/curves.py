"""Dead fraction and test accuracy against one factor, with intervals over replicates: a grid of panels for several figures."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dying_relu.analysis.figures import marks, style
from dying_relu.analysis.inference.summaries import summarise
from dying_relu.analysis.outcomes import trained, untrained

METRICS = {"dead_fraction": "dead units", "test_accuracy": "test accuracy"}
HEIGHT = 0.88
"""Of a panel, in inches."""
ONE_ROW = 90
"""Characters of a legend's labels that fit the paper's width."""
LINES: tuple[dict[str, Any], ...] = (
    {"linestyle": "-"},
    {"linestyle": "--", "markerfacecolor": "white"},
    {"linestyle": ":", "fillstyle": "left"},
)
"""Line and filling of the curves of one colour."""


class Curve(NamedTuple):
    """One curve of every panel.

    Attributes:
        levels: the column's name -> the level that the curve's runs have.
        look: the options of matplotlib's ``plot``.
    """

    levels: dict[str, Any]
    look: dict[str, Any]

    def of(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The runs that belong to the curve.

        Args:
            runs: a row a run, with the columns of ``levels``.

        Returns:
            Some of the rows, with all columns.
        """
        return runs[(runs[list(self.levels)] == list(self.levels.values())).all(axis=1)]


def grid(
    runs: pd.DataFrame,
    factor: str,
    curve: str,
    scale: Callable[[Axes, Sequence[float]], None],
    others: Sequence[str],
    line: str | None = None,
) -> Figure:
    """A row for each metric, a column for each data set and architecture, a curve for each level of ``curve``.

    Points are means over the networks that trained, bars their intervals, dots the replicates; a cross above the
    scale marks a setting in which networks did not train.

    Args:
        runs: a row a run, with the columns replicate, outcome, dead_fraction, test_accuracy, those of a setting, and those named below.
        factor: the column on the horizontal axis.
        curve: the column whose levels are curves; in the order of its categories, or else of the table.
        scale: sets up the horizontal axis for the factor's levels.
        others: the columns of the remaining factors; where one has several levels, each has panels of its own.
        line: a column with a curve for each of its levels, too, from the largest on: they differ in line and filling, not
            in colour.
    """
    places = style.settings(runs, *others)
    curves, entries = _curves(runs, curve, line)
    figure, axes = style.places(len(places), len(METRICS), height=HEIGHT, margin=0.8)
    for column, (title, here) in enumerate(places):
        axes[0, column].set_title(title)
        for row, (metric, label) in enumerate(METRICS.items()):
            panel = axes[row, column]
            style.shares(panel, label if column % style.MOST_COLUMNS == 0 else "")
            for position, one in enumerate(curves):
                _draw(panel, one.of(here), factor, metric, position, one.look)
            if untrained(runs).any():
                marks.make_room(panel, len(curves))
            # The panels are low.
            panel.set_yticks([0, 0.5, 1])
        scale(axes[-1, column], sorted(runs[factor].unique()))
    if untrained(runs).any():
        entries = [*entries, marks.legend_entry()]
    handles, labels = zip(*entries, strict=True)
    figure.legend(
        handles,
        labels,
        title=style.replicates(runs),
        loc="outside lower center",
        ncols=len(labels) if len("".join(labels)) < ONE_ROW else 3,
        columnspacing=1.2,
    )
    return figure


def _curves(runs: pd.DataFrame, curve: str, line: str | None) -> tuple[list[Curve], list[tuple[Line2D, str]]]:
    """The curves and the legend's entries: one for each colour, and where they differ one for each kind of line."""
    colours = [
        Curve({curve: level}, style.look(position)) for position, level in enumerate(_levels(runs[curve]))
    ]
    entries = [(_handle(one.look), style.name(str(one.levels[curve]))) for one in colours]
    lines = [] if line is None else sorted(runs[line].unique(), reverse=True)
    if line is None or len(lines) < 2:
        return colours, entries
    kinds = [Curve({line: level}, look) for level, look in zip(lines, LINES, strict=False)]
    grey = {"color": "0.4", "marker": style.MARKERS[0]}
    return (
        [Curve(one.levels | kind.levels, one.look | kind.look) for one, kind in product(colours, kinds)],
        [
            (_handle(one.look | {"linestyle": ""}), label)
            for one, (_, label) in zip(colours, entries, strict=True)
        ]
        + [(_handle(grey | kind.look), style.factor(line, kind.levels[line])) for kind in kinds],
    )


def _levels(values: pd.Series) -> list:
    ordered = isinstance(values.dtype, pd.CategoricalDtype)
    return list(values.cat.categories if ordered else values.unique())


def _handle(look: dict[str, Any]) -> Line2D:
    return Line2D([], [], **look)


def _draw(
    axes: Axes, runs: pd.DataFrame, factor: str, metric: str, position: int, look: dict[str, Any]
) -> None:
    summary = summarise(runs, [factor], metric)
    errors = np.array([summary["estimate"] - summary["low"], summary["high"] - summary["estimate"]]).clip(
        min=0
    )
    axes.errorbar(summary[factor], summary["estimate"], errors, capsize=1.5, elinewidth=0.8, **look)
    each = runs[trained(runs)]
    axes.plot(each[factor], each[metric], ".", color=look["color"], alpha=0.35, markersize=2)
    marks.mark(axes, summary[factor], summary, position, look["color"])
