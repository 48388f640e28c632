"""Remedies side by side: dead fraction and test accuracy of every activation and initialisation, at each learning rate."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dying_relu.analysis.figures import divergence, style
from dying_relu.analysis.statistics import summarise

TABLES = ("runs",)
EXPERIMENT = "remedies"
METRICS = {"dead_fraction": "dead units", "test_accuracy": "test accuracy"}


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """A row for each activation, a mark for each learning rate and initialisation, with intervals over replicates.

    A cross beyond the scale marks a setting in which replicates diverged.

    Args:
        runs: the study's table of runs; experiment ``remedies`` is drawn.
    """
    runs = runs[runs["experiment"] == EXPERIMENT]
    if runs.empty:
        return style.note(f"This study has no experiment “{EXPERIMENT}”.")
    runs = style.with_activation_names(runs)
    places, functions = (
        style.settings(runs, "optimiser", "initial_bias"),
        list(runs["function"].cat.categories),
    )
    variants = _variants(runs)
    apart = min(0.18, 0.8 / len(variants))
    figure, axes = style.places(
        len(places), len(METRICS), height=max(0.7, 0.26 * len(functions)), margin=0.95
    )
    for column, (title, here) in enumerate(places):
        axes[0, column].set_title(title)
        for row, (metric, label) in enumerate(METRICS.items()):
            for position, variant in enumerate(variants):
                chosen = here[(here["learning_rate"] == variant[0]) & (here["initialisation"] == variant[1])]
                offset = apart * (position - (len(variants) - 1) / 2)
                _marks(axes[row, column], chosen, functions, metric, position, offset)
            _decorate(axes[row, column], functions, label)
            if runs["diverged"].any():
                divergence.make_room(axes[row, column], 1, scale="x")
    marks = [
        Line2D(
            [],
            [],
            linestyle="",
            **{key: value for key, value in style.look(position).items() if key != "linestyle"},
        )
        for position in range(len(variants))
    ]
    labels = [f"{style.factor('learning_rate', rate)}, {style.name(scheme)}" for rate, scheme in variants]
    if runs["diverged"].any():
        handle, label = divergence.legend_entry()
        marks, labels = [*marks, handle], [*labels, label]
    figure.legend(
        marks,
        labels,
        title=style.replicates(runs),
        loc="outside lower center",
        ncols=min(5, len(labels)),
        columnspacing=1,
    )
    return figure


def _variants(runs: pd.DataFrame) -> list[tuple[float, str]]:
    """Learning rates and initialisations: the latter in the order of the table, the rates from low to high."""
    schemes = list(runs["initialisation"].unique())
    found = runs[["learning_rate", "initialisation"]].drop_duplicates().itertuples(index=False, name=None)
    return sorted(found, key=lambda variant: (schemes.index(variant[1]), variant[0]))


def _marks(
    axes: Axes, runs: pd.DataFrame, functions: list[str], metric: str, position: int, offset: float
) -> None:
    summary = summarise(runs.assign(function=runs["function"].astype(str)), ["function"], metric)
    look = style.look(position)
    heights = np.array([functions.index(function) for function in summary["function"]]) + offset
    errors = np.array([summary["estimate"] - summary["low"], summary["high"] - summary["estimate"]]).clip(
        min=0
    )
    axes.errorbar(
        summary["estimate"],
        heights,
        xerr=errors,
        linestyle="",
        marker=look["marker"],
        color=look["color"],
        elinewidth=0.8,
        markersize=3,
    )
    divergence.mark_beside(axes, heights, summary, look["color"])


def _decorate(axes: Axes, functions: list[str], label: str) -> None:
    axes.set_xlim(-0.04, 1.04)
    axes.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    axes.set_yticks(range(len(functions)), functions)
    axes.set_ylim(len(functions) - 0.5, -0.5)
    axes.set_xlabel(label)
    axes.tick_params(labelbottom=True)
    axes.grid(axis="y", color="0.9", linewidth=0.5)
