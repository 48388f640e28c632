"""For how long dead units stay dead: those that died apart from those born dead, by layer and optimiser."""

from typing import cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dying_relu.analysis.figures import marks, style
from dying_relu.analysis.inference.survival import band, spells, still_dead
from dying_relu.analysis.outcomes import trained, untrained

CAPTION = (
    "For how long dead units stay dead: Kaplan-Meier estimates by layer and optimiser, experiment `recovery`, apart for units that were "
    "born dead and for units that died in training, with the number of such units above each panel. A unit that is dead until training "
    "ends is counted for as long as it was seen. Bands: 95 % jackknife intervals over seeds. Runs that did not train are counted for "
    "each optimiser and left out."
)
TABLES = ("runs", "units")
COLUMNS = {"units": ("run", "layer", "depth", "unit", "step", "dead")}
EXPERIMENT = "recovery"
FACTORS = ["optimiser", "replicate"]
MARKERS = 6
"""Markers along a curve, from end to end."""


@style.paper
def figure(runs: pd.DataFrame, units: pd.DataFrame) -> Figure:
    """Kaplan-Meier curves of the spells of death in experiment ``recovery``, a curve an optimiser.

    A panel for each layer, and in it for the units born dead and for those that died later, where there are any.

    Args:
        runs: the study's table of runs.
        units: the study's table of units.
    """
    runs = runs[(runs["experiment"] == EXPERIMENT) & (runs["activation"] == "relu")]
    lives = units[list(COLUMNS["units"])]
    found = spells(lives.merge(runs.loc[trained(runs), ["run", *FACTORS]], on="run"))
    if found.empty:
        return style.note(
            f"No unit was seen dead in an experiment “{EXPERIMENT}” of this study; {marks.counted(runs)}."
        )
    groups = list(found.groupby(["depth", "layer", "born_dead"]))
    optimisers = list(runs["optimiser"].unique())
    figure, axes = style.panels(1, len(groups), 2.3, sharex=True, sharey=True)
    for column, (place, here) in enumerate(groups):
        depth, layer, born_dead = cast("tuple[int, str, bool]", place)
        panel = axes[0, column]
        for position, optimiser in enumerate(optimisers):
            own = here[here["optimiser"] == optimiser]
            if len(own):
                _curve(panel, own, position)
        panel.set_xscale("log")
        panel.set_title(f"{style.layer(layer, depth)}:\n{len(here)} {'born dead' if born_dead else 'died'}")
        panel.set_xlabel(f"steps since {'the start' if born_dead else 'the death'}")
        style.shares(panel, "still dead" if column == 0 else "")
    figure.legend(
        [Line2D([], [], **style.look(position)) for position in range(len(optimisers))],
        [_label(runs[runs["optimiser"] == optimiser]) for optimiser in optimisers],
        title=marks.left_out(runs),
        loc="outside lower center",
        ncols=3,
        handlelength=3,
    )
    return figure


def _label(runs: pd.DataFrame) -> str:
    """An optimiser, and how many of its runs no curve can show."""
    lost = f" ({untrained(runs).sum()} of {len(runs)} did not train)" if untrained(runs).any() else ""
    return style.name(str(runs["optimiser"].iloc[0])) + lost


def _curve(axes: Axes, spells: pd.DataFrame, position: int) -> None:
    steps = np.union1d([1.0], spells["duration"])
    look = style.look(position)
    # Each begins its markers elsewhere, so that curves that coincide can be told apart.
    apart = max(1, len(steps) // MARKERS)
    axes.step(steps, still_dead(spells, steps), where="post", markevery=(position % apart, apart), **look)
    axes.fill_between(steps, *band(spells, steps), step="post", color=look["color"], alpha=0.15, linewidth=0)
