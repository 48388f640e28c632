"""Dead fraction over learning rate and initial bias: a panel for each activation, data set and architecture."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from dying_relu.analysis.figures import marks, style
from dying_relu.analysis.outcomes import trained, untrained

CAPTION = (
    "Share of hidden units that are dead at the end of training, over learning rate and initial bias; a panel for each activation, data "
    "set and architecture. Means over the networks that trained; hatched where some or all did not."
)
TABLES = ("runs",)
EXPERIMENT = "causes"
MOST_LABELS = 8
"""Levels of a factor that have room along the lower side of a panel."""
DARK = 0.55
"""Shares below this have a dark colour."""
LABEL_HEIGHT = 0.13
"""Height in inches of a level beside a panel."""


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """Mean dead fraction of the networks that trained; hatched where some did not, blank where none did.

    Args:
        runs: the study's table of runs; experiment ``causes`` is drawn.
    """
    runs = runs[runs["experiment"] == EXPERIMENT]
    if runs.empty:
        return style.note(f"This study has no experiment “{EXPERIMENT}”.")
    runs = style.with_activation_names(runs)
    rates, biases = (np.sort(runs[factor].unique()) for factor in ("learning_rate", "initial_bias"))
    functions, places = (
        list(runs["function"].cat.categories),
        style.settings(runs, "optimiser", "initialisation"),
    )
    figure, axes = style.places(len(places), len(functions), height=1.1, margin=0.55)
    for column, (title, here) in enumerate(places):
        for row, function in enumerate(functions):
            panel = axes[row, column]
            _panel(panel, here[here["function"] == function], rates, biases)
            panel.set_xticks(*_labels(rates, MOST_LABELS), rotation=60)
            panel.set_yticks(*_labels(biases, int(panel.bbox.height / figure.dpi / LABEL_HEIGHT)))
            panel.set_title(f"{title}\n{function}" if row == 0 else function)
    figure.supxlabel("learning rate", fontsize=8)
    figure.supylabel("initial bias", fontsize=8)
    colours = mpl.cm.ScalarMappable(Normalize(0, 1), style.SEQUENTIAL)
    bar = figure.colorbar(
        colours, ax=list(axes.flat), aspect=30, pad=0.02, format=mpl.ticker.PercentFormatter(1, symbol="%")
    )
    bar.set_label("dead units at the end")
    bar.outline.set_visible(False)
    lost = Patch(
        facecolor="white",
        edgecolor="0.3",
        hatch=marks.HATCH,
        label="some or all networks did not train",
    )
    if untrained(runs).any():
        figure.legend(handles=[lost], loc="outside lower right")
    return figure


def _panel(axes: Axes, runs: pd.DataFrame, rates: np.ndarray, biases: np.ndarray) -> None:
    cells: dict[str, Any] = {"index": "initial_bias", "columns": "learning_rate", "dropna": False}
    dead = (
        runs[trained(runs)]
        .pivot_table(values="dead_fraction", aggfunc="mean", **cells)
        .reindex(index=biases, columns=rates)
    )
    lost = (
        runs.assign(lost=untrained)
        .pivot_table(values="lost", aggfunc="any", **cells)
        .reindex(index=biases, columns=rates)
    )
    axes.imshow(dead, cmap=style.SEQUENTIAL, vmin=0, vmax=1, origin="lower", aspect="auto")
    for row, column in np.argwhere(lost.eq(True).to_numpy()):
        axes.add_patch(
            Rectangle(
                (column - 0.5, row - 0.5),
                1,
                1,
                fill=False,
                edgecolor=_hatch_colour(dead.to_numpy()[row, column]),
                linewidth=0,
                hatch=marks.HATCH,
            )
        )
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _labels(levels: Sequence[float] | np.ndarray, most: int) -> tuple[list[int], list[str]]:
    """The positions and labels of ``levels``: all of them, or every second, every third, ..., so that there are at most ``most``."""
    positions = list(range(0, len(levels), math.ceil(len(levels) / max(1, most))))
    return positions, [style.number(levels[position]) for position in positions]


def _hatch_colour(dead: float) -> str:
    """Grey that stands out from a cell's colour: light where it is dark, dark where it is light or there is none."""
    return "0.9" if dead < DARK else "0.2"
