"""Figures of a Monitor: the dead share of each layer, and the activity of every unit, over the steps of a training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dying_relu.probing.plot import STYLE, pyplot

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Activity = tuple[int, dict[str, np.ndarray]]
"""A step, and the share of examples on which each unit was active then, by layer: (U,) in steps of 1/255, 0 for never."""

MOST_ROWS = 200
"""Units of a layer that are drawn; of more, some that lie evenly between the most and the least active."""


def new_axes() -> "tuple[Axes, Axes]":
    """Axes of a new figure: for the dead shares, and for the activity."""
    plt = pyplot()
    with plt.rc_context(STYLE):
        left, right = plt.subplots(1, 2, figsize=(10, 4))[1]
    return left, right


def draw_dead_shares(axes: "Axes", history: "pd.DataFrame") -> None:
    """Draw the dead share of each layer over the steps.

    Args:
        axes: to draw on.
        history: of a Monitor.
    """
    for layer, rows in history.groupby("layer", sort=False):
        axes.plot(rows["step"], rows["dead"] / rows["units"], marker=".", label=layer)
    axes.set(xlabel="step", ylabel="dead units (share)", ylim=(-0.02, 1.02))
    axes.legend()


def draw_activity(axes: "Axes", activity: Sequence[Activity]) -> None:
    """Draw a heat map: a row a unit, a column a measurement; black where a unit was active on no example.

    Args:
        axes: to draw on.
        activity: of every measurement, in order.
    """
    steps = [step for step, _ in activity]
    layers = list(dict.fromkeys(name for _, by_layer in activity for name in by_layer))
    blocks = [_block(activity, layer) for layer in layers]
    shares = np.ma.masked_equal(np.concatenate(blocks), 0.0)
    colours = pyplot().get_cmap("viridis").with_extremes(bad="black")
    # The last measurement holds until the next would have come.
    width = steps[-1] - steps[-2] if len(steps) > 1 else 1
    edges = [*steps, steps[-1] + max(width, 1)]
    mesh = axes.pcolormesh(
        edges, np.arange(len(shares) + 1), shares, cmap=colours, vmin=0.0, vmax=1.0, rasterized=True
    )
    axes.figure.colorbar(mesh, ax=axes, label="share of examples on which a unit is active (black: none)")
    ends = np.cumsum([len(block) for block in blocks])
    for end in ends[:-1]:
        axes.axhline(end, color="white", linewidth=1)
    axes.set_yticks(ends - [len(block) / 2 for block in blocks], layers)
    axes.set(xlabel="step", ylim=(len(shares), 0))
    axes.set_title("units of each layer", fontsize="medium")


def _block(activity: Sequence[Activity], layer: str) -> np.ndarray:
    """(units, measurements): the active shares of a layer, NaN where it was not measured; the most active at the end on top."""
    units = max(len(by_layer[layer]) for _, by_layer in activity if layer in by_layer)
    columns = [
        by_layer[layer] / 255.0 if layer in by_layer else np.full(units, np.nan) for _, by_layer in activity
    ]
    block = np.stack(columns, axis=1)
    block = block[np.argsort(-np.nan_to_num(block[:, -1]), kind="stable")]
    drawn = np.linspace(0, units - 1, min(units, MOST_ROWS)).round().astype(int)
    return block[drawn]
