"""The marks of networks that are in no median: crosses beyond the scale of shares, where no value can be."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

FIRST = 1.08
"""Where the crosses of the first curve stand on a scale from 0 to 1."""
APART = 0.07
SOME, MOST = 2.2, 4.2
"""Sizes of a cross, in points."""


def make_room(axes: Axes, curves: int) -> None:
    """Extend a vertical scale of shares beyond 100%, for the crosses of each curve; the spine ends at 100%.

    Args:
        axes: changed in place.
        curves: the number of curves, each with crosses of its own.
    """
    axes.set_ylim(-0.04, FIRST + APART * (curves - 0.4))
    axes.spines["left"].set_bounds(0, 1)


def above(axes: Axes, places: np.ndarray, lost: np.ndarray, position: int, colour: Any) -> None:
    """A cross above every place of the horizontal axis at which networks are missing; larger where most are.

    Args:
        axes: with room made.
        places: (settings,) where each setting stands.
        lost: (settings,) the share of its networks that is missing.
        position: of the curve.
        colour: of the curve.
    """
    for size, chosen in sizes(lost):
        if not chosen.any():
            continue  # A line without points would stand at the figure's corner.
        height = np.full(chosen.sum(), FIRST + APART * position)
        axes.plot(places[chosen], height, **cross(size), color=colour, clip_on=False)


def sizes(lost: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """The sizes of crosses, each with the settings that get one of it.

    Args:
        lost: (settings,) the share of its networks that is missing.
    """
    return [(MOST, lost > 1 / 2), (SOME, (lost > 0) & (lost <= 1 / 2))]


def cross(size: float) -> dict[str, Any]:
    """The options of matplotlib's ``plot`` for a cross of some size in points."""
    return {"linestyle": "", "marker": "x", "markersize": size, "markeredgewidth": 0.9}
