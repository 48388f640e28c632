"""For how long dead units stay dead, by layer and optimiser."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.figures import style
from dying_relu.analysis.survival import band, spells, still_dead

TABLES = ("runs", "units")
EXPERIMENT = "recovery"
FACTORS = ["optimiser", "replicate"]


@style.paper
def figure(runs: pd.DataFrame, units: pd.DataFrame) -> Figure:
    """Kaplan-Meier curves of the spells of death in experiment ``recovery``: a panel a layer, a curve an optimiser.

    Args:
        runs: the study's table of runs.
        units: the study's table of units.
    """
    runs = runs[(runs["experiment"] == EXPERIMENT) & (runs["activation"] == "relu")]
    lives = units[["run", "layer", "depth", "unit", "step", "dead"]]
    found = spells(lives.merge(runs.loc[~runs["diverged"], ["run", *FACTORS]], on="run"))
    if found.empty:
        return style.note(f"No unit was seen dead in an experiment “{EXPERIMENT}” of this study.")
    layers = list(found.sort_values("depth")["layer"].unique())
    figure, axes = style.panels(1, len(layers), 2.1, sharex=True, sharey=True)
    optimisers = list(runs["optimiser"].unique())
    for column, layer in enumerate(layers):
        panel = axes[0, column]
        for position, optimiser in enumerate(optimisers):
            here = found[(found["layer"] == layer) & (found["optimiser"] == optimiser)]
            if len(here):
                _curve(panel, here, position, style.name(optimiser))
        panel.set_xscale("log")
        panel.set_title(layer)
        panel.set_xlabel("steps since the death")
        style.shares(panel, "still dead" if column == 0 else "")
    handles = {
        label: line
        for panel in axes.flat
        for line, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return figure


def _curve(axes: Axes, spells: pd.DataFrame, position: int, label: str) -> None:
    steps = np.union1d([1.0], spells["duration"])
    look = style.look(position)
    axes.step(steps, still_dead(spells, steps), where="post", label=label, markevery=5, **look)
    axes.fill_between(steps, *band(spells, steps), step="post", color=look["color"], alpha=0.2, linewidth=0)
