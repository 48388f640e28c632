"""C10 to C13: which remedies do better than leaky ReLU, and which do worse, each at its own best rate.

Accuracy of every remedy minus that of leaky ReLU, with the runs, the scores and the choice of rates of C10.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.claims.c10_leaky_is_best import BY
from dying_relu.analysis.claims.choices import best
from dying_relu.analysis.claims.evidence import NotEnoughData
from dying_relu.analysis.claims.scores import scored
from dying_relu.analysis.figures import marks, style
from dying_relu.analysis.figures.medians import medians, points
from dying_relu.analysis.inference.selection import split
from dying_relu.analysis.outcomes import untrained
from dying_relu.analysis.remedies import BASELINE, LEAKY, PREFIX, side_by_side
from dying_relu.analysis.thresholds import PAPER

CAPTION = (
    "Accuracy of every remedy minus that of leaky ReLU (slope 0.01), each at its own best rate, chosen on other seeds; a column each "
    "optimiser and initial bias; each seed a mean over data sets. Median seeds with exact 95% intervals. Dashed: one point better, from "
    "which on leaky ReLU is no longer as effective as any (C10); crosses: networks at that rate that did not train (large: most)."
)
TABLES = ("runs",)
EXPERIMENT = PREFIX
"""Experiments whose names begin so."""
PANEL = ["optimiser", "initial_bias"]
LOOKS: dict[str, dict[str, Any]] = {
    "mlp": {"color": style.COLOURS[2], "marker": "o", "markersize": 3.6},
    "cnn": {"color": style.COLOURS[3], "marker": "s", "markersize": 3.4, "markerfacecolor": "white"},
}


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """A row for each remedy, a column for each optimiser and initial bias, a point for each kind of network.

    Args:
        runs: the study's table of runs; the experiments ``remedies...`` are drawn.
    """
    table = differences(runs)
    remedies = _ordered(table)
    columns = sorted(
        set(table[PANEL].itertuples(index=False, name=None)), key=lambda one: (-one[1], one[0] == "adam")
    )
    drawn, axes = style.panels(1, len(columns), 0.85 + 0.115 * len(remedies), sharey=True)
    networks = style.in_order(table["architecture"], list(LOOKS))
    for panel, (optimiser, bias) in zip(axes[0], columns, strict=True):
        here = table[(table["optimiser"] == optimiser) & (table["initial_bias"] == bias)]
        panel.set_title(f"{style.name(optimiser)}, {style.factor('initial_bias', bias)}")
        _panel(panel, here, remedies, networks)
    axes[0, 0].set_yticks(range(len(remedies)), remedies)
    axes[0, 0].set_ylim(len(remedies) - 0.4, -0.6)
    drawn.supxlabel(f"accuracy minus that of {LEAKY} (points)", fontsize=8)
    for network in LOOKS:
        lacking = "" if network in networks else ": not measured in this study"
        axes[0, 0].plot([], [], linestyle="", label=f"{style.name(network)}s{lacking}", **LOOKS[network])
    axes[0, 0].plot([], [], **marks.cross(marks.SOME + 1), color="0.3", label="some networks did not train")
    drawn.legend(loc="outside upper center", ncols=3)
    return drawn


def differences(runs: pd.DataFrame) -> pd.DataFrame:
    """The accuracy of every remedy at its own best rate minus that of leaky ReLU, of twins.

    Args:
        runs: the study's table of runs.

    Returns:
        A row a reported run of a remedy at its best rate: the columns of the run, ``remedy`` and ``difference``.

    Raises:
        NotEnoughData: there are no remedies, or leaky ReLU or all seeds to report are missing.
    """
    named = side_by_side(runs)
    if named.empty:
        raise NotEnoughData(f"the study has no experiment {EXPERIMENT!r}")
    named = scored(named).astype({"remedy": str})
    selection, reporting = split(named)
    chosen = reporting.merge(
        best(selection, [*BY, "remedy"], ["learning_rate"]), on=[*BY, "remedy", "learning_rate"]
    )
    leaky = chosen.loc[chosen["remedy"] == LEAKY, [*BY, "replicate", "score"]]
    table = chosen[chosen["remedy"] != LEAKY].merge(leaky, on=[*BY, "replicate"], suffixes=("", "_leaky"))
    if table.empty:
        raise NotEnoughData("leaky ReLU, another remedy and a seed to report are needed")
    return table.assign(difference=table["score"] - table["score_leaky"])


def _ordered(table: pd.DataFrame) -> list[str]:
    """The remedies, from the one that is best on average over the panels of MLPs to the worst."""
    mlps = table[table["architecture"] == "mlp"]
    usual = mlps if len(mlps) else table
    means = usual.groupby([*PANEL, "remedy"])["difference"].median().groupby("remedy").mean()
    return list(means.sort_values(ascending=False).index)


def _panel(axes: Axes, table: pd.DataFrame, remedies: list[str], networks: list[str]) -> None:
    axes.axvline(0, color="0.2", linewidth=0.6, zorder=0.5)
    axes.axvline(PAPER.accuracy_matters, **style.THRESHOLD)
    axes.axhspan(
        remedies.index(BASELINE) - 0.5, remedies.index(BASELINE) + 0.5, color="0.9", linewidth=0, zorder=0
    )
    for place, network in enumerate(networks):
        here = table[table["architecture"] == network]
        if here.empty:
            continue
        offset = 0.3 * (place - (len(networks) - 1) / 2)
        summary = medians(here, ["remedy"], "difference")
        heights = np.array([remedies.index(remedy) for remedy in summary["remedy"]]) + offset
        points(axes, heights, summary, **LOOKS[network])
        lost = here.assign(lost=untrained(here)).groupby("remedy")["lost"].mean().reindex(summary["remedy"])
        _crosses(axes, heights, lost.to_numpy(), LOOKS[network]["color"])
    style.points(axes.xaxis)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color="0.93", linewidth=0.5)
    axes.set_axisbelow(True)


def _crosses(axes: Axes, heights: np.ndarray, lost: np.ndarray, colour: str) -> None:
    """Crosses at the right border, in the rows of remedies whose networks did not all train."""
    for size, chosen in marks.sizes(lost):
        if chosen.any():
            across = np.full(chosen.sum(), 1.0)
            look = marks.cross(size) | {"color": colour, "clip_on": False}
            axes.plot(across, heights[chosen], transform=axes.get_yaxis_transform(), **look)
