"""Names of curves beside the last panel of a row, instead of a legend."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from dying_relu.analysis.figures.style import TEXT_WIDTH


def beside(axes: Axes, labels: Sequence[tuple[float, str, Any]], apart: float) -> None:
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


def make_room(figure: Figure, inches: float) -> None:
    """Keep the right margin free, for names beside the last panels.

    Args:
        figure: of the paper's width.
        inches: width of the margin.
    """
    layout = figure.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):
        layout.set(rect=(0, 0, 1 - inches / TEXT_WIDTH, 1))
