"""How likely a network is born dead: over depth and width, by inputs and initialisation, beside the exact value for one input."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dying_relu.analysis.figures import style
from dying_relu.analysis.inference.intervals import proportion
from dying_relu.simulations.protocol import WEIGHT_LAYERS
from dying_relu.theory.born_dead import born_dead_probability_one_point

CAPTION = (
    "Probability that a ReLU network is born dead, that is, constant on its inputs before training. Left: over the number of layers, "
    "for networks of several widths on one input (filled; the lines are the exact values) and on the real line (open). Right: over the "
    "width, at ten layers, for He's weights on three sets of inputs and for randomised asymmetric initialisation (RAI) on an interval. "
    "Simulated networks with 95% intervals."
)
TABLES = ("born_dead",)
WIDTHS = (2, 3, 5, 10)
DEPTHS = (2, 3, 4, 6, 8, 10, 14, 20, 30)
THIN = 0.9
HOLLOW = {"markerfacecolor": "white", "zorder": 3}
SETS = {
    ("he", "one point"): (4, "He, one input"),
    ("he", "line"): (5, "He, the real line"),
    ("he", "plane"): (6, "He, the plane"),
    ("rai", "interval"): (8, "RAI, an interval"),
}
"""Initialisation and inputs: place among the looks, none of which stands for a width, and name."""


@style.paper
def figure(born_dead: pd.DataFrame) -> Figure:
    """Points are simulated networks with intervals, lines the exact probability on one input.

    Args:
        born_dead: the table of that name.
    """
    figure, axes = style.panels(1, 2, 2.6, sharey=True)
    _over_depth(axes[0, 0], born_dead[born_dead["initialisation"] == "he"])
    _over_width(axes[0, 1], born_dead[born_dead["weight_layers"] == WEIGHT_LAYERS])
    style.shares(axes[0, 0], "networks born dead")
    axes[0, 1].set_ylabel("")
    return figure


def _over_depth(axes: Axes, counts: pd.DataFrame) -> None:
    depths = range(1, max(DEPTHS) + 1)
    shown = counts[counts["weight_layers"].isin(DEPTHS)]
    for position, width in enumerate(WIDTHS):
        _exact(axes, depths, [born_dead_probability_one_point(width, depth) for depth in depths], position)
        here = shown[shown["width"] == width]
        _simulated(axes, "weight_layers", here[here["inputs"] == "one point"], position)
        _simulated(axes, "weight_layers", here[here["inputs"] == "line"], position, **HOLLOW)
    entries = [
        *((Line2D([], [], **_marker(position)), f"width {width}") for position, width in enumerate(WIDTHS)),
        (Line2D([], [], color="0.4", linewidth=THIN), "one input, exact"),
        (Line2D([], [], **_marker(0) | {"color": "0.4"}), "one input"),
        (Line2D([], [], **_marker(0) | {"color": "0.4"} | HOLLOW), "the real line"),
    ]
    axes.set_xlabel("layers of weights")
    axes.set_title("by width")
    axes.legend(*zip(*entries, strict=True), loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=2)


def _over_width(axes: Axes, counts: pd.DataFrame) -> None:
    widths = sorted(counts["width"].unique())
    exact = [born_dead_probability_one_point(width, WEIGHT_LAYERS) for width in widths]
    _exact(axes, widths, exact, SETS["he", "one point"][0])
    axes.lines[-1].set_label("one input, exact")
    for (scheme, inputs), (position, label) in SETS.items():
        here = counts[(counts["initialisation"] == scheme) & (counts["inputs"] == inputs)]
        _simulated(axes, "width", here, position, label=label)
    axes.set_xticks(widths)
    axes.set_xlabel("width")
    axes.set_title(f"by inputs and initialisation, {WEIGHT_LAYERS} layers of weights")
    axes.legend(handlelength=1.4)


def _exact(axes: Axes, places: Sequence[int], values: Sequence[float], position: int) -> None:
    axes.plot(places, values, color=style.COLOURS[position], linewidth=THIN)


def _simulated(axes: Axes, across: str, counts: pd.DataFrame, position: int, **look: Any) -> None:
    shares = [proportion(*row) for row in counts[["born_dead", "networks"]].itertuples(index=False)]
    estimates, low, high, _ = np.array(shares).reshape(-1, 4).T
    bars = np.array([estimates - low, high - estimates]).clip(min=0)
    axes.errorbar(counts[across], estimates, bars, **_marker(position) | look, elinewidth=0.8)


def _marker(position: int) -> dict[str, Any]:
    return style.look(position) | {"linestyle": "", "markeredgewidth": 0.8}
