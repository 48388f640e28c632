"""The look of every figure: the paper's width, font and sizes, one palette, and the same words for the same things."""

import io
import math
import textwrap
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from dying_relu.analysis import latex
from dying_relu.analysis.outcomes import untrained
from dying_relu.files.atomic import atomic_path
from dying_relu.stack.activations import ACTIVATIONS

Parameters = ParamSpec("Parameters")

TEXT_WIDTH = 6.5
"""Width of the paper's text block in inches; figures are included unscaled."""

COLOURS = [mpl.color_sequences["okabe_ito"][place] for place in (0, 1, 5, 7, 3, 2, 6, 4)]
"""Okabe and Ito's, in an order in which neighbours differ in lightness too."""
# Seven, so that eight colours and seven markers are together again only after 56 curves.
MARKERS = "osD^vPX"
LINES = ("-", "--", "-.", ":")
SEQUENTIAL = "cividis"
"""For shares: ordered in lightness, so that it reads in greyscale and without red or green."""
THRESHOLD: dict[str, Any] = {"color": "0.35", "linestyle": (0, (4, 3)), "linewidth": 0.6, "zorder": 0.5}
"""The line of a verdict's threshold."""
DATASETS = ("mnist", "cifar10")
OPTIMISERS = ("sgd", "momentum", "adam")
"""The usual order of data sets and optimisers in figures."""
PERCENT = mpl.ticker.PercentFormatter(1, symbol="%")
MINUS = "\N{MINUS SIGN}"
MOST_COLUMNS = 4
"""Panels side by side; at the text width more of them have no room for their titles."""
MOST_HEIGHT = 8.0
"""Height in inches that a page has for a figure and its caption."""

PAPER: Any = {
    "font.family": "serif",
    # Ships with matplotlib, as TrueType: fonts of the system may be OpenType with PostScript outlines, which matplotlib embeds as what
    # they are not ("Mismatch between font type and embedded font file"), and another machine would draw another figure.
    "font.serif": ["STIXGeneral"],
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.6,
    "figure.constrained_layout.use": True,
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}


class PaperFigure(Figure):
    """A figure that is only laid out where matplotlib would draw it and throw the drawing away, which takes half of the time."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw, or lay out if nothing would be shown."""
        layout = self.get_layout_engine()
        # In place of its methods, a renderer that must not draw has functions that do nothing.
        is_drawn = hasattr(renderer.draw_path, "__self__")
        if is_drawn or not isinstance(layout, ConstrainedLayoutEngine):
            super().draw(renderer)
        else:
            layout.execute(self)


def paper(figure: Callable[Parameters, Figure]) -> Callable[Parameters, Figure]:
    """Draw the decorated figure in the paper's style, whatever the caller's own."""

    @wraps(figure)
    def styled(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Figure:
        with mpl.rc_context(PAPER):
            drawn = figure(*args, **kwargs)
            # The caller's style must not reach what matplotlib would otherwise leave until it renders.
            drawn.draw_without_rendering()
            return drawn

    return styled


def panels(rows: int, columns: int, height: float, **sharing: Any) -> tuple[Figure, np.ndarray]:
    """Make a figure of the text width with a grid of axes.

    Args:
        rows: of the grid.
        columns: of the grid.
        height: of the figure in inches.
        sharing: as in ``plt.subplots``.

    Returns:
        The figure, and its axes (rows, columns).
    """
    return plt.subplots(
        rows, columns, FigureClass=PaperFigure, figsize=(TEXT_WIDTH, height), squeeze=False, **sharing
    )


def places(
    number: int, rows: int, height: float, margin: float, sharey: bool = True
) -> tuple[Figure, np.ndarray]:
    """A figure with ``rows`` panels, one above the other, for each of ``number`` places; further places continue below.

    Args:
        number: of data sets and architectures, say.
        rows: panels of each of them.
        height: of a panel, in inches; less where the figure would not fit a page.
        margin: height in inches for what is not panels: titles, a legend.
        sharey: whether all panels share their vertical axis.

    Returns:
        The figure and its axes, (rows, number); all share their horizontal axis, and every place has its own labels below.
    """
    columns = min(number, MOST_COLUMNS)
    blocks = math.ceil(number / columns)
    total = min(margin + blocks * rows * height, MOST_HEIGHT)
    figure, grid = panels(blocks * rows, columns, total, sharex=True, sharey=sharey)
    axes = grid.reshape(blocks, rows, columns).transpose(1, 0, 2).reshape(rows, blocks * columns)
    for unused in axes[:, number:].flat:
        unused.remove()
    for lowest in axes[-1, :number]:
        lowest.tick_params(labelbottom=True)
    return figure, axes[:, :number]


def save(figure: Figure, out: Path) -> None:
    """Write a figure as a PDF and as a PNG beside it; the same figure gives the same bytes.

    Args:
        figure: to write.
        out: PDF file.
    """
    for path, metadata in (
        (out, {"CreationDate": None, "Producer": None}),
        (out.with_suffix(".png"), {"Software": None}),
    ):
        with mpl.rc_context(PAPER), atomic_path(path) as beside:
            # In memory first: on a full disk matplotlib's own complaint does not say so.
            drawn = io.BytesIO()
            figure.savefig(drawn, format=path.suffix[1:], metadata=metadata)
            beside.write_bytes(drawn.getvalue())
    plt.close(figure)


def look(position: int) -> dict[str, Any]:
    """Colour, marker and line style of the n-th curve: each tells it from the others, with or without colour."""
    return {
        "color": COLOURS[position % len(COLOURS)],
        "marker": MARKERS[position % len(MARKERS)],
        "linestyle": LINES[position % len(LINES)],
    }


def name(key: str) -> str:
    """A factor's level as readers know it; for the names of data sets, architectures, optimisers, activations."""
    return latex.name(key)


def layer(key: str, depth: int) -> str:
    """Name a hidden layer as readers know it.

    Args:
        key: its name in the tables.
        depth: 1 for the first hidden layer.
    """
    return latex.layer(key, depth)


def with_activation_names(runs: pd.DataFrame) -> pd.DataFrame:
    """``runs`` with a column ``function``: the activation's name, in the order of their entries and by slope."""
    names = [latex.activation_name(*pair) for pair in zip(runs["activation"], runs["slope"], strict=True)]
    order = {activation: place for place, activation in enumerate(ACTIVATIONS)}
    places = runs.assign(function=names, place=runs["activation"].map(order).fillna(len(order)))
    ordered = places.sort_values(["place", "slope"])["function"].unique()
    return runs.assign(function=pd.Categorical(names, ordered))


def factor(column: str, level: object) -> str:
    """Name a factor's level in a title or a legend.

    Args:
        column: the factor.
        level: its value.

    >>> factor("initial_bias", 0.5), factor("learning_rate", 0.1), factor("dataset", "mnist")
    ('bias 0.5', 'rate 0.1', 'MNIST')
    """
    if column in ("initial_bias", "learning_rate"):
        return f"{'bias' if column == 'initial_bias' else 'rate'} {number(level)}"
    return name(str(level))


def number(value: Any) -> str:
    """A number with a minus sign and not a hyphen.

    >>> number(-0.25) == MINUS + "0.25"
    True
    """
    return f"{value:g}".replace("-", MINUS)


def correlation(value: float) -> str:
    """A correlation to two decimals.

    >>> correlation(-0.9) == MINUS + "0.90"
    True
    """
    return f"{value:.2f}".replace("-", MINUS)


def settings(runs: pd.DataFrame, *factors: str) -> list[tuple[str, pd.DataFrame]]:
    """Split runs by the places of a figure: a data set, an architecture and a level of each factor that has several.

    Args:
        runs: rows of the table of runs.
        factors: columns that the figure does not show. Runs that differ in one must not pass for replicates of each other.

    Returns:
        (title, runs) of each place, in the order of the table.
    """
    varying = [column for column in factors if len(runs[column].unique()) > 1]
    found = []
    for levels, group in runs.groupby(["dataset", "architecture", *varying], sort=False):
        further = (factor(column, level) for column, level in zip(varying, levels[2:], strict=True))
        title = f"{name(str(levels[0]))}, {name(str(levels[1]))}"
        found.append(("\n".join((title, *filter(None, [", ".join(further)]))), group))
    return found


def replicates(runs: pd.DataFrame) -> str:
    """Explain the marks and bars of a figure, by the number of replicates."""
    count = runs["replicate"].nunique()
    if count == 1:
        return "one seed, so no intervals"
    # What did not train is in no mean.
    up_to = "up to " if untrained(runs).any() else ""
    return f"means and 95% intervals of {up_to}{count} seeds"


def rates(axes: Axes, values: Sequence[float]) -> None:
    """Make the horizontal axis logarithmic, for learning rates; labelled at its decades, or at the values if it has none.

    Args:
        axes: to change.
        values: rates that it covers.
    """
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 1.4, max(values) * 1.4)
    if max(values) < 10 * min(values):
        axes.set_xticks(values, [number(value) for value in values])
        axes.minorticks_off()
    axes.set_xlabel("learning rate")


def shares(axes: Axes, label: str) -> None:
    """Make the vertical axis one for a share of the whole.

    Args:
        axes: to change.
        label: of the axis.
    """
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PERCENT)
    axes.set_ylabel(label)


def points(axis: Axis) -> None:
    """Label an axis of differences between shares in percentage points.

    Args:
        axis: to change, such as ``axes.xaxis``.
    """
    axis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: number(round(100 * value, 6))))


def empty(height: float) -> Figure:
    """Make a figure of the text width without axes.

    Args:
        height: in inches.
    """
    return plt.figure(FigureClass=PaperFigure, figsize=(TEXT_WIDTH, height))


def unmeasured(reason: object) -> str:
    """Say in a figure, or in a part of it, that something was not measured.

    Args:
        reason: why not, a clause, such as that of a :class:`~dying_relu.analysis.claims.evidence.NotEnoughData`.

    >>> unmeasured("the study has no experiment 'when'")
    "not measured in this study:\\nthe study has no experiment 'when'"
    """
    return f"not measured in this study:\n{reason}"


def without(axes: Axes, message: str) -> None:
    """Leave a panel empty but for the reason.

    Args:
        axes: to change.
        message: the reason.
    """
    axes.set_axis_off()
    axes.text(
        0.5, 0.5, textwrap.fill(message, 40), ha="center", va="center", fontsize=7, transform=axes.transAxes
    )


def in_order(levels: pd.Series, order: Sequence[str]) -> list[str]:
    """The distinct levels, those that ``order`` has first and in its order.

    Args:
        levels: with repetitions.
        order: of the usual levels.
    """
    present = list(dict.fromkeys(levels))
    return [level for level in order if level in present] + [level for level in present if level not in order]


def names_beside(axes: Axes, labels: Sequence[tuple[float, str, Any]], apart: float) -> None:
    """Write names to the right of a panel, at heights on its scale, moved apart where they would overlap.

    Args:
        axes: whose scale it is.
        labels: height, words and colour of each.
        apart: the least distance between two of them, on the scale.
    """
    ordered = sorted(labels, key=lambda label: -label[0])
    heights = [height for height, _, _ in ordered]
    for place in range(1, len(heights)):
        heights[place] = min(heights[place], heights[place - 1] - apart)
    # Back up again, where the lowest were moved below the panel.
    for place in range(len(heights) - 1, 0, -1):
        lowest = axes.get_ylim()[0] + apart / 2 if place == len(heights) - 1 else heights[place + 1] + apart
        heights[place] = max(heights[place], lowest)
    for height, (_, words, colour) in zip(heights, ordered, strict=True):
        axes.annotate(
            words,
            (1.0, height),
            (4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=colour,
            annotation_clip=False,
            in_layout=False,
        )


def room_beside(figure: Figure, inches: float) -> None:
    """Keep the right margin free, for names beside the last panels.

    Args:
        figure: of the paper's width.
        inches: width of the margin.
    """
    layout = figure.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):
        layout.set(rect=(0, 0, 1 - inches / TEXT_WIDTH, 1))


def note(message: str, height: float = 1.0) -> Figure:
    """Make a figure that says why there is nothing to draw.

    Args:
        message: the reason.
        height: of the figure in inches.
    """
    figure, axes = panels(1, 1, height)
    axes[0, 0].set_axis_off()
    axes[0, 0].text(0.5, 0.5, message, ha="center", va="center", transform=axes[0, 0].transAxes)
    return figure
