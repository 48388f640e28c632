"""A report as a figure; matplotlib is imported when one is drawn."""

from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from dying_relu.errors import missing_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dying_relu.probing.findings import Findings

COLOURS = {"dead": "#000000", "dormant": "#E69F00", "saturated": "#0072B2"}
ALIVE = "#56B4E9"
"""Colours of Okabe and Ito (2008), which people with any colour vision can tell apart."""
STYLE: Any = {
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
}
INCHES_PER_LAYER = 0.32


def pyplot() -> ModuleType:
    """The module ``matplotlib.pyplot``.

    Raises:
        DyingReluError: matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot as plt
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise  # matplotlib is installed, and misses something itself
        raise missing_package("matplotlib is not installed", "plot") from error
    return plt


def plot(report: "Findings") -> "Figure":
    """Draw two panels with a row for each layer, the first on top.

    Left: shares of its units that are dead, dormant and saturated. Right: each unit's largest pre-activation; those at or left
    of zero are inactive. The axis is linear around zero and logarithmic beyond.
    """
    names = list(report.layers)
    plt = pyplot()
    with plt.rc_context(STYLE):
        height = 1.3 + INCHES_PER_LAYER * len(names)
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, height), sharey=True)
        _shares(left, report)
        _largest(right, report)
        left.set_yticks(range(len(names)), names)
        left.set_ylim(len(names) - 0.5, -0.5)
        return figure


def _shares(axes: "Axes", report: "Findings") -> None:
    from matplotlib.ticker import PercentFormatter

    summary = report.summary().head(len(report.layers))
    width = 0.8 / len(COLOURS)
    for place, (kind, colour) in enumerate(COLOURS.items()):
        share = (summary[kind] / summary["units"]).to_numpy(float)
        rows = np.arange(len(summary)) + (place - (len(COLOURS) - 1) / 2) * width
        axes.barh(rows, share, height=width, color=colour, label=kind)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("share of the units")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(COLOURS))


def _largest(axes: "Axes", report: "Findings") -> None:
    for row, name in enumerate(report.layers):
        table = report.units(name)
        finite = table[np.isfinite(table["pre_activation_max"])]
        # Spread over the row, always in the same way, so that equal values can be told apart.
        spread = row + np.random.default_rng(0).uniform(-0.3, 0.3, len(finite))
        colours = [COLOURS["dead"] if dead else ALIVE for dead in finite["dead"]]
        axes.scatter(
            finite["pre_activation_max"], spread, s=5, c=colours, alpha=0.6, linewidths=0, rasterized=True
        )
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=1.0)
    axes.set_xlabel("largest pre-activation of each unit (black: dead)")
