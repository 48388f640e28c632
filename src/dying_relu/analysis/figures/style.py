"""The look of every figure: the paper's width, font and sizes, one palette, and the same words for the same things."""

import io
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
from dying_relu.analysis.claims.evidence import NotEnoughData
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
    """Draw the decorated figure in the paper's style, whatever the caller's own.

    Of a study that has too little data for it (:exc:`~dying_relu.analysis.claims.evidence.NotEnoughData`) it says so in its place.
    """

    @wraps(figure)
    def styled(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Figure:
        with mpl.rc_context(PAPER):
            try:
                drawn = figure(*args, **kwargs)
            except NotEnoughData as reason:
                drawn = note(unmeasured(reason))
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
    r"""Say in a figure, or in a part of it, that something was not measured.

    Args:
        reason: why not, a clause, such as that of a :class:`~dying_relu.analysis.claims.evidence.NotEnoughData`.

    >>> unmeasured("the study has no experiment 'when'")
    "not measured in this study:\nthe study has no experiment 'when'"
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
