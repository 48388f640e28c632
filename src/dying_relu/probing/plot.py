"""A report as a figure."""

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from dying_relu.probing.findings import Findings

KINDS = ("dead", "dormant", "saturated")
STYLE: Any = {
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
}
INCHES_PER_LAYER = 0.32


def plot(report: "Findings") -> Figure:
    """Two panels with a row for each layer, the first on top.

    Left: shares of its units that are dead, dormant and saturated. Right: each unit's largest pre-activation; those at or left
    of zero are inactive. The axis is linear around zero and logarithmic beyond.
    """
    names = list(report.layers)
    with mpl.rc_context(STYLE):
        height = 1.3 + INCHES_PER_LAYER * len(names)
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, height), sharey=True)
        _shares(left, report)
        _largest(right, report)
        left.set_yticks(range(len(names)), names)
        left.set_ylim(len(names) - 0.5, -0.5)
        return figure


def _shares(axes: Axes, report: "Findings") -> None:
    summary = report.summary().head(len(report.layers))
    colours = [mpl.color_sequences["okabe_ito"][place] for place in (0, 1, 5)]
    width = 0.8 / len(KINDS)
    for place, (kind, colour) in enumerate(zip(KINDS, colours, strict=True)):
        share = (summary[kind] / summary["units"]).to_numpy(float)
        rows = np.arange(len(summary)) + (place - (len(KINDS) - 1) / 2) * width
        axes.barh(rows, share, height=width, color=colour, label=kind)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(mpl.ticker.PercentFormatter(1))
    axes.set_xlabel("share of the units")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(KINDS))


def _largest(axes: Axes, report: "Findings") -> None:
    for row, name in enumerate(report.layers):
        table = report.units(name)
        finite = table[np.isfinite(table["pre_activation_max"])]
        # Spread over the row, always in the same way, so that equal values can be told apart.
        spread = row + np.random.default_rng(0).uniform(-0.3, 0.3, len(finite))
        alive = mpl.color_sequences["okabe_ito"][2]
        colours = ["black" if dead else alive for dead in finite["dead"]]
        axes.scatter(
            finite["pre_activation_max"], spread, s=5, c=colours, alpha=0.6, linewidths=0, rasterized=True
        )
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=1.0)
    axes.set_xlabel("largest pre-activation of each unit (black: dead)")
