"""Dead fraction and test accuracy against the slope left of zero, in networks that die with ReLU."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dying_relu.analysis.figures import marks, style
from dying_relu.analysis.inference.summaries import summarise
from dying_relu.analysis.outcomes import trained, untrained

CAPTION = (
    "Inactive units and test accuracy against the slope left of zero, in the settings named above the panels, in which ReLU dies. Means "
    "with 95% t intervals over seeds; open markers are PReLU networks at the slope they have learned; crosses above the "
    "scale mark networks that did not train."
)
TABLES = ("runs",)
EXPERIMENT = "slopes"
FACTORS = ("optimiser", "initialisation", "initial_bias")
METRICS = {"inactive_fraction": "inactive units", "test_accuracy": "test accuracy"}


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """Lines through the means, bands for their intervals; each PReLU network stands at the slope it has learned, as an open marker.

    A row for each learning rate; its title names what its networks have in common.

    Args:
        runs: the study's table of runs; experiment ``slopes`` is drawn.
    """
    runs = runs[(runs["experiment"] == EXPERIMENT) & runs["slope"].notna()]
    if runs.empty:
        return style.note(f"This study has no experiment “{EXPERIMENT}”.")
    rates = sorted(runs["learning_rate"].unique())
    fixed = sorted(runs.loc[runs["activation"] != "prelu", "slope"].unique())
    figure, axes = style.panels(
        len(rates), len(METRICS), min(0.9 + 1.6 * len(rates), style.MOST_HEIGHT), sharex=True
    )
    for row, rate in zip(axes, rates, strict=True):
        at_rate = runs[runs["learning_rate"] == rate]
        row[0].set_title(_in_common(at_rate), loc="left")
        lost = untrained(at_rate[at_rate["activation"] != "prelu"]).any()
        for panel, (metric, label) in zip(row, METRICS.items(), strict=True):
            curves = style.settings(at_rate, *FACTORS)
            for position, (title, here) in enumerate(curves):
                _dose_response(
                    panel, here[here["activation"] != "prelu"], metric, position, title.replace("\n", ", ")
                )
                _learned(panel, here[here["activation"] == "prelu"], metric, position)
            style.shares(panel, label)
            if lost:
                marks.make_room(panel, len(curves))
            _slopes(panel, fixed)
    for panel in axes[-1]:
        panel.set_xlabel("slope left of zero")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    for handle, label in _further_entries(runs):
        handles, labels = [*handles, handle], [*labels, label]
    figure.legend(
        handles,
        labels,
        title=style.replicates(runs),
        loc="outside lower center",
        ncols=min(4, len(labels)),
        columnspacing=1.2,
    )
    return figure


def _in_common(runs: pd.DataFrame) -> str:
    """The factors that all of ``runs`` share, and the number that learn their slope and did not train: "SGD, bias -4, rate 0.1"."""
    shared = [
        column for column in ("optimiser", "initial_bias", "learning_rate") if _is_constant(runs[column])
    ]
    setting = ", ".join(style.factor(column, runs[column].iloc[0]) for column in shared)
    lost = untrained(runs[runs["activation"] == "prelu"])
    return setting + (f"; {lost.sum()} of {len(lost)} PReLU networks did not train" if lost.any() else "")


def _is_constant(levels: pd.Series) -> bool:
    return len(levels.unique()) == 1


def _dose_response(axes: Axes, runs: pd.DataFrame, metric: str, position: int, label: str) -> None:
    look = style.look(position)
    summary = summarise(runs, ["slope"], metric).astype(float)
    axes.plot(summary["slope"], summary["estimate"], label=label, **look)
    axes.fill_between(
        summary["slope"], summary["low"], summary["high"], color=look["color"], alpha=0.2, linewidth=0
    )
    marks.mark(axes, summary["slope"], summary, position, look["color"])


def _learned(axes: Axes, runs: pd.DataFrame, metric: str, position: int) -> None:
    each = runs[trained(runs)]
    look = style.look(position)
    axes.plot(each["mean_slope"], each[metric], **_open(str(look["marker"])), color=look["color"])


def _open(marker: str) -> dict[str, Any]:
    return {"linestyle": "", "marker": marker, "markerfacecolor": "none", "markeredgewidth": 0.9}


def _further_entries(runs: pd.DataFrame) -> Iterator[tuple[Line2D, str]]:
    """The open markers and the crosses in the legend, with their meaning."""
    if (runs["activation"] == "prelu").any():
        yield Line2D([], [], **_open("o"), color="0.25"), "PReLU"
    if untrained(runs[runs["activation"] != "prelu"]).any():
        yield marks.legend_entry()


def _slopes(axes: Axes, values: Sequence[float]) -> None:
    """Logarithmic down to the smallest of ``values`` above 0, then linear to ReLU's slope of 0."""
    smallest = min((value for value in values if value > 0), default=0.01)
    axes.set_xscale("symlog", linthresh=smallest, linscale=0.6)
    axes.set_xlim(-smallest / 3, max([1.0, *values]) * 1.6)
    if values:
        axes.set_xticks(values, ["0\n(ReLU)" if value == 0 else f"{value:g}" for value in values])
        axes.xaxis.set_minor_locator(axes.xaxis.get_major_locator())
