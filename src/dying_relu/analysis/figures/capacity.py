"""The cost of death: test accuracy and effective rank against the dead fraction, a mark for each plain ReLU network."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from dying_relu.analysis.figures import marks, style
from dying_relu.analysis.inference.correlation import rank_correlation
from dying_relu.analysis.outcomes import trained

CAPTION = (
    "What death costs: test accuracy and effective rank of the last hidden layer against the share of dead units at the end of "
    "training, a mark for each ReLU network of the experiment `causes`, by initial bias. Above each panel Spearman's rank correlation. "
    "Runs that did not train are counted and left out."
)
TABLES = ("runs",)
EXPERIMENT = "causes"
METRICS = {"test_accuracy": "test accuracy", "effective_rank": "effective rank"}


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """A column for each data set and architecture, with Spearman's correlation above each panel.

    Args:
        runs: the study's table of runs; the ReLU runs of experiment ``causes`` are drawn.
    """
    runs = runs[(runs["experiment"] == EXPERIMENT) & (runs["activation"] == "relu")]
    if runs.empty:
        return style.note(f"This study has no ReLU networks in an experiment “{EXPERIMENT}”.")
    places = style.settings(runs, "optimiser", "initialisation")
    biases = sorted(runs["initial_bias"].unique(), reverse=True)
    figure, axes = style.places(len(places), len(METRICS), height=0.88, margin=0.7, sharey=False)
    for column, (title, here) in enumerate(places):
        those = here[trained(here)]
        for row, (metric, label) in enumerate(METRICS.items()):
            panel = axes[row, column]
            for position, bias in enumerate(biases):
                own = those[those["initial_bias"] == bias]
                panel.plot(own["dead_fraction"], own[metric], **_mark(position))
            panel.set_title("\n".join([title] * (row == 0) + [_correlation(those, metric)]), pad=3)
            panel.set_ylabel(label if column % style.MOST_COLUMNS == 0 else "")
    for column in range(len(places)):
        _scales(*axes[:, column])
    figure.legend(
        [Line2D([], [], **_mark(position)) for position in range(len(biases))],
        [style.factor("initial_bias", bias) for bias in biases],
        title=marks.left_out(runs),
        loc="outside lower center",
        ncols=len(biases),
    )
    return figure


def _mark(position: int) -> dict[str, Any]:
    """Hollow, because many networks lie upon each other."""
    look = style.look(position)
    return look | {"linestyle": "", "markerfacecolor": "none", "markersize": 3, "markeredgewidth": 0.7}


def _correlation(runs: pd.DataFrame, metric: str) -> str:
    """Spearman's correlation of ``metric`` with the dead fraction; undefined where one of them does not vary."""
    known = runs[["dead_fraction", metric]].dropna()
    if (known.nunique() < 2).any():
        return "$\\rho$ is not defined"
    return f"$\\rho$ = {style.correlation(rank_correlation(known['dead_fraction'], known[metric]))}"


def _scales(accuracy: Axes, rank: Axes) -> None:
    style.shares(accuracy, accuracy.get_ylabel())
    accuracy.set_yticks([0, 0.5, 1])
    accuracy.tick_params(labelleft=bool(accuracy.get_ylabel()))
    # Networks differ in how many units their last hidden layer has.
    rank.set_ylim(bottom=0)
    rank.set_xlim(-0.04, 1.04)
    rank.set_xticks([0, 0.5, 1])
    rank.xaxis.set_major_formatter(PercentFormatter(1, symbol="%"))
    rank.set_xlabel("dead units")
