"""Dead fraction over training time, by layer, for ReLU networks at several learning rates."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dying_relu.analysis.figures import marks, style
from dying_relu.analysis.outcomes import trained, untrained

CAPTION = (
    "Dead units over training time, by layer, in the setting without divergence or collapse in which most units die or revive "
    "(named above each panel). Means over replicates; the bands span the replicates. Runs that did not train are counted and left out."
)
TABLES = ("runs", "layers")
EXPERIMENT = "causes"


@style.paper
def figure(runs: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """Means over replicates with the range of the replicates, in the setting whose units come and go the most.

    A panel for each data set and architecture; its initial bias and learning rate are those, among the ReLU runs of experiment
    ``causes`` that all trained, at which the most units die or revive after the first checkpoint.

    Args:
        runs: the study's table of runs.
        layers: the study's table of layers; the rows on the training probe set are drawn.
    """
    runs = runs[(runs["experiment"] == EXPERIMENT) & (runs["activation"] == "relu")]
    layers = layers[layers["probe"] == "train"]
    left_out = marks.left_out(runs)
    # What overflows before its first checkpoint has no layers.
    runs = runs[runs["run"].isin(layers["run"])]
    if runs.empty:
        return style.note(
            f"This study has no ReLU networks with a checkpoint in an experiment “{EXPERIMENT}”; {left_out}."
        )
    layers = layers.merge(runs[["run", "initial_bias", "learning_rate", "outcome"]], on="run")
    names = [style.layer(*place) for place in zip(layers["layer"], layers["depth"], strict=True)]
    layers = layers.assign(layer=names)
    places = style.settings(runs, "optimiser", "initialisation")
    looks = {layer: style.look(position) for position, layer in enumerate(sorted(set(names)))}
    figure, axes = style.places(len(places), 1, height=1.35, margin=0.75)
    for column, (title, here) in enumerate(places):
        _panel(axes[0, column], layers[layers["run"].isin(here["run"])], title, looks)
        style.shares(axes[0, column], "dead units" if column % style.MOST_COLUMNS == 0 else "")
    handles = [Line2D([], [], **look) for look in looks.values()]
    figure.legend(
        handles,
        list(looks),
        title=left_out,
        loc="outside lower center",
        ncols=min(3, len(looks)),
    )
    return figure


def liveliest(layers: pd.DataFrame) -> tuple[float, float]:
    """The initial bias and learning rate at which most units die or revive, among those in which all networks trained if there are any.

    Args:
        layers: a row a run, checkpoint and layer, with the columns initial_bias, learning_rate, outcome, died and revived.
    """
    settings = ["initial_bias", "learning_rate"]
    lost = layers.assign(lost=untrained).groupby(settings)["lost"].transform("any")
    candidates = layers[~lost]
    candidates = layers if candidates.empty else candidates
    changes = (
        candidates.assign(changes=candidates["died"] + candidates["revived"])
        .groupby(settings)["changes"]
        .sum()
    )
    most: Any = changes.idxmax()
    bias, rate = most
    return float(bias), float(rate)


def _panel(axes: Axes, layers: pd.DataFrame, title: str, looks: dict[str, dict[str, Any]]) -> None:
    bias, rate = liveliest(layers)
    chosen = layers[(layers["initial_bias"] == bias) & (layers["learning_rate"] == rate)]
    # A run that overflowed later has early checkpoints, which would make the mean another one after its end.
    chosen = chosen[trained(chosen)].assign(share=chosen["dead"] / chosen["units"])
    title = f"{title}\n{style.factor('initial_bias', bias)}, {style.factor('learning_rate', rate)}"
    axes.set_title(title if len(chosen) else f"{title}\nno run trained")
    for layer, rows in chosen.groupby("layer"):
        share = rows.groupby("step")["share"].agg(["mean", "min", "max"]).reset_index()
        look = looks[str(layer)]
        axes.plot(share["step"], share["mean"], **look)
        axes.fill_between(
            share["step"], share["min"], share["max"], color=look["color"], alpha=0.2, linewidth=0
        )
    axes.set_xscale("symlog", linthresh=1, linscale=0.4)
    last = max([1, *chosen["step"]])
    # The axis is shared by panels that may end at different steps.
    axes.set_xlim(-0.15, max(axes.get_xlim()[1], last * 1.3))
    decades = [10**power for power in range(9) if 10**power <= axes.get_xlim()[1]]
    axes.set_xticks([0, *decades], ["0", *(f"{step:g}" for step in decades)])
    axes.minorticks_off()
    axes.set_xlabel("step")
