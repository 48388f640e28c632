"""Dead fraction and test accuracy against the slope left of zero, in networks that die with ReLU."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.figures import style
from dying_relu.analysis.statistics import summarise

TABLES = ("runs",)
EXPERIMENT = "slopes"
METRICS = {"inactive_fraction": "inactive units", "test_accuracy": "test accuracy"}


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """A point a replicate, lines through the means; PReLU stands at the slope it has learned, as an open marker.

    Args:
        runs: the study's table of runs; experiment ``slopes`` is drawn.
    """
    runs = runs[(runs["experiment"] == EXPERIMENT) & runs["slope"].notna()]
    if runs.empty:
        return style.note(f"This study has no experiment “{EXPERIMENT}”.")
    figure, axes = style.panels(1, len(METRICS), 2.2, sharex=True)
    smallest = runs.loc[runs["slope"] > 0, "slope"].min()
    for panel, (metric, label) in zip(axes[0], METRICS.items(), strict=True):
        for position, (_, _, title, here) in enumerate(style.settings(runs)):
            _dose_response(panel, here, metric, position, title)
        style.shares(panel, label)
        _slopes(panel, sorted(runs.loc[runs["activation"] != "prelu", "slope"].unique()), smallest)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    open_marker = axes[0, 0].scatter([], [], facecolors="none", edgecolors="0.25", s=14, linewidths=0.9)
    figure.legend(
        [*handles, open_marker], [*labels, "PReLU"], loc="outside lower center", ncols=5, columnspacing=1.2
    )
    return figure


def _dose_response(axes: Axes, runs: pd.DataFrame, metric: str, position: int, label: str) -> None:
    look = style.look(position)
    fixed, learned = (
        runs[runs["activation"] != "prelu"],
        runs[(runs["activation"] == "prelu") & ~runs["diverged"]],
    )
    summary = summarise(fixed, ["slope"], metric)
    axes.plot(summary["slope"], summary["estimate"], label=label, **look)
    axes.fill_between(
        summary["slope"], summary["low"], summary["high"], color=look["color"], alpha=0.2, linewidth=0
    )
    axes.scatter(
        learned["mean_slope"],
        learned[metric],
        marker=str(look["marker"]),
        facecolors="none",
        edgecolors=[look["color"]],
        s=14,
        linewidths=0.9,
    )


def _slopes(axes: Axes, values: Sequence[float], smallest: float) -> None:
    """Logarithmic down to the smallest slope, then linear to ReLU's slope of 0."""
    axes.set_xscale("symlog", linthresh=smallest, linscale=0.6)
    axes.set_xlim(-smallest / 3, max(values) * 1.6)
    axes.set_xticks(values, ["0\n(ReLU)" if value == 0 else f"{value:g}" for value in values])
    axes.xaxis.set_minor_locator(axes.xaxis.get_major_locator())
    axes.set_xlabel("slope left of zero")
