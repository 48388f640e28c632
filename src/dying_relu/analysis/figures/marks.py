"""The marks of networks that did not train in figures: crosses beyond the scale of shares, where no value can be."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from dying_relu.analysis.outcomes import untrained

HATCH = "////"
FIRST = 1.08
"""Where the crosses of the first curve stand on a scale from 0 to 1."""
APART = 0.07
SOME, ALL = 2.5, 4.5
"""Sizes of a cross, in points."""


def make_room(axes: Axes, curves: int, scale: str = "y") -> None:
    """Extend a scale of shares beyond 100%, for the crosses of networks that did not train; the spine ends at 100%.

    Args:
        axes: changed in place.
        curves: the number of curves, each with crosses of its own.
        scale: "x" or "y".
    """
    top = FIRST + APART * (curves - 0.5)
    if scale == "y":
        axes.set_ylim(-0.03, top)
        axes.set_yticks(np.linspace(0, 1, 6))
    else:
        axes.set_xlim(-0.04, top)
    axes.spines["left" if scale == "y" else "bottom"].set_bounds(-0.03, 1.03)


def mark(axes: Axes, places: pd.Series, summary: pd.DataFrame, position: int, colour: Any) -> None:
    """A cross above every place of the horizontal axis at which networks did not train; larger where none did.

    Args:
        axes: with room made.
        places: (settings,) where each setting stands.
        summary: (settings,) from :func:`dying_relu.analysis.inference.summaries.summarise`.
        position: of the curve.
        colour: of the curve.
    """
    for size, chosen in _sizes(summary):
        height = np.full(chosen.sum(), FIRST + APART * position)
        axes.plot(places[chosen], height, **_cross(size), color=colour)


def mark_beside(axes: Axes, heights: np.ndarray, summary: pd.DataFrame, colour: Any) -> None:
    """A cross beyond the right end of a horizontal scale for every setting in which networks did not train; larger where none did.

    Args:
        axes: with room made on "x".
        heights: (settings,) the vertical position of each setting.
        summary: (settings,) from :func:`dying_relu.analysis.inference.summaries.summarise`.
        colour: of the crosses.
    """
    for size, chosen in _sizes(summary):
        axes.plot(np.full(chosen.sum(), FIRST), heights[chosen], **_cross(size), color=colour)


def counted(runs: pd.DataFrame) -> str:
    """The number of runs that did not train, as words for a figure that leaves them out.

    Args:
        runs: a row a run, with the column outcome.

    >>> counted(pd.DataFrame({"outcome": ["collapsed", "trained"]})), counted(pd.DataFrame({"outcome": ["trained"]}))
    ('1 of 2 runs did not train', 'all of 1 runs trained')
    """
    if not untrained(runs).any():
        return f"all of {len(runs)} runs trained"
    return f"{untrained(runs).sum()} of {len(runs)} runs did not train"


def left_out(runs: pd.DataFrame) -> str:
    """The number of runs that did not train, as words that say that the figure leaves them out.

    Args:
        runs: a row a run, with the column outcome.
    """
    return counted(runs) + (" and are left out" if untrained(runs).any() else "")


def legend_entry() -> tuple[Line2D, str]:
    """The handle and the label of the crosses in a legend."""
    return Line2D([], [], **_cross(ALL), color="0.25"), "not trained (small: some networks)"


def _sizes(summary: pd.DataFrame) -> list[tuple[float, np.ndarray]]:
    some = (summary["untrained"] > 0).to_numpy()
    all_of_them = some & (summary["n"] == 0).to_numpy()
    return [(ALL, all_of_them), (SOME, some & ~all_of_them)]


def _cross(size: float) -> dict[str, Any]:
    return {"linestyle": "", "marker": "x", "markersize": size, "markeredgewidth": 0.9}
