"""F7: the law's line separates the first layers that die in mass from those that do not.

Newly dead share of the first layer and outcomes over learning rate and offset share, with the line that the law predicts.
"""

from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.figures import evidence, style
from dying_relu.analysis.findings import f2_law
from dying_relu.analysis.findings.law import scales
from dying_relu.analysis.findings.layers import first_inputs, with_new_dead
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import COLLAPSED, DIVERGED

CAPTION = (
    "Share of the first layer that is newly dead (colour: median of finite networks), over learning rate and offset share of the inputs, "
    "MLPs; the darkest two colours lie below mass death. Line: the rate at which the law predicts mass death. Most networks of a cell "
    "diverged (cross) or collapsed (dot); no colour: none stayed finite."
)
TABLES = ("runs", "layers")
COLUMNS = {"layers": evidence.LAYERS}
EXPERIMENT = "phase_diagram"
BOUNDS = (0.0, 0.05, 0.25, 0.5, 0.75, 1.0)
"""Of the colours; a quarter is mass death."""
LINE = "#d55e00"
"""Okabe and Ito's vermilion stands out from all colours of cividis."""
MARKED = {DIVERGED: "x", COLLAPSED: "."}
MOST = 1 / 2
"""An outcome is marked where more than this share of a cell's networks has it."""
DARK = 0.5
"""Newly dead shares below this have a dark colour."""


@style.paper
def figure(runs: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """A panel for each optimiser and data set, a cell for each rate and offset share.

    Args:
        runs: the study's table of runs; the MLPs of experiment ``phase_diagram`` are drawn.
        layers: its table of layers.
    """
    of_study = evidence.of(runs=runs, layers=layers)
    networks = shares(of_study)
    datasets = style.in_order(networks["dataset"], style.DATASETS)
    optimisers = style.in_order(networks["optimiser"], style.OPTIMISERS)
    drawn, axes = style.panels(
        len(optimisers), len(datasets), 0.7 + 1.45 * len(optimisers), sharex="row", sharey=True
    )
    for row, optimiser in enumerate(optimisers):
        for column, dataset in enumerate(datasets):
            here = networks[(networks["dataset"] == dataset) & (networks["optimiser"] == optimiser)]
            axes[row, column].set_title(f"{style.name(dataset)}, {style.name(optimiser)}")
            if here.empty:
                style.without(axes[row, column], style.unmeasured("no such networks"))
            else:
                _panel(axes[row, column], here, line(of_study, here, optimiser))
        axes[row, 0].set_ylabel(r"offset share $\rho$")
    for panel in axes[-1]:
        panel.set_xlabel("learning rate")
    _legends(drawn, axes)
    return drawn


def shares(of_study: Evidence) -> pd.DataFrame:
    """The MLPs of the experiment with the newly dead share of their first layer, and the offset share of their inputs.

    Args:
        of_study: the study's evidence.

    Returns:
        Rows of the table of runs with the columns ``new_dead``, NaN where a network overflowed, and ``rho``, the mean over the networks
        with the same inputs, to two digits.

    Raises:
        NotEnoughData: the study has no such networks.
    """
    runs = reported(of_study.relu(EXPERIMENT))
    runs = with_new_dead(of_study, runs[runs["architecture"] == "mlp"], 1)
    if runs.empty:
        raise NotEnoughData(f"the experiment {EXPERIMENT!r} has no MLPs")
    rho = runs["run"].map(first_inputs(of_study)["offset_share"])
    return runs.assign(rho=rho.groupby([runs["dataset"], runs["inputs"]]).transform("mean").round(2))


def line(of_study: Evidence, networks: pd.DataFrame, optimiser: str) -> pd.Series:
    """The rate at which the law predicts mass death, a mean over networks.

    Args:
        of_study: the study's evidence.
        networks: with the column ``rho``.
        optimiser: "sgd" or "adam".

    Returns:
        Index offset share, without 0, where there is none; empty where the study has no constant for the optimiser.
    """
    if optimiser == "sgd":
        constant = of_study.thresholds.sgd_constant
    else:
        try:
            fitted = f2_law.law_under_adam(of_study).details["Constant"]
        except NotEnoughData:
            return pd.Series(dtype=float)
        constant = fitted if isinstance(fitted, float) else np.nan
    rates = constant * scales(of_study, networks, ["rho"])[optimiser]
    # Centred inputs have a mean of rounding errors, and a line at a rate without meaning.
    return rates[np.isfinite(rates) & (rates.index > 0)].sort_index()


def cells(networks: pd.DataFrame, of: pd.Series, statistic: Literal["median", "mean"]) -> pd.DataFrame:
    """A statistic of the networks of every cell.

    Args:
        networks: with the columns ``rho`` and learning_rate.
        of: (rows,) a number a network, NaN where it has none.
        statistic: of the numbers of a cell.

    Returns:
        Rows: offset shares; columns: learning rates; NaN where no network has a number.
    """
    table = networks.assign(of=of.astype(float))
    return table.pivot_table("of", index="rho", columns="learning_rate", aggfunc=statistic, dropna=False)


def _panel(axes: Axes, networks: pd.DataFrame, predicted: pd.Series) -> None:
    dead = cells(networks, networks["new_dead"], "median")
    rates, levels = dead.columns.to_numpy(), dead.index.to_numpy()
    axes.pcolormesh(
        _edges(rates),
        np.arange(len(levels) + 1) - 0.5,
        np.ma.masked_invalid(dead.to_numpy()),
        cmap=style.SEQUENTIAL,
        norm=_norm(),
        edgecolors="face",
        linewidth=0.1,
    )
    for outcome, marker in MARKED.items():
        most = cells(networks, networks["outcome"] == outcome, "mean").to_numpy() > MOST
        for row, column in np.argwhere(most):
            light = dead.to_numpy()[row, column] < DARK
            look: dict[str, Any] = {
                "color": "0.95" if light else "0.15",
                "markersize": 2.5,
                "markeredgewidth": 0.6,
            }
            axes.plot(rates[column], row, marker=marker, linestyle="", **look)
    rows = [int(np.argmin(abs(levels - rho))) for rho in predicted.index]
    axes.plot(predicted.to_numpy(), rows, color="white", linewidth=2.6)
    axes.plot(predicted.to_numpy(), rows, color=LINE, linewidth=1.6)
    axes.set_xscale("log")
    axes.set_xlim(_edges(rates)[0], _edges(rates)[-1])
    axes.set_ylim(-0.5, len(levels) - 0.5)
    axes.set_yticks(range(len(levels)), [style.number(level) for level in levels], fontsize=6.5)
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)


def _edges(rates: np.ndarray) -> np.ndarray:
    """The edges of cells whose centres are the rates, halfway between them on a logarithmic scale."""
    if len(rates) == 1:
        return rates[0] * np.array([0.7, 1.4])
    logs = np.log(rates)
    middles = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middles[0]], middles, [2 * logs[-1] - middles[-1]]]))


def _norm() -> BoundaryNorm:
    return BoundaryNorm(BOUNDS, colormaps[style.SEQUENTIAL].N)


def _legends(figure: Figure, axes: np.ndarray) -> None:
    colours = ScalarMappable(_norm(), style.SEQUENTIAL)
    bar = figure.colorbar(colours, ax=list(axes.flat), aspect=30, pad=0.02, ticks=BOUNDS, spacing="uniform")
    bar.ax.set_yticklabels([f"{bound:.0%}" for bound in BOUNDS])
    bar.set_label("newly dead, layer 1")
    bar.outline.set_visible(False)
    marks: dict[str, Any] = {"markersize": 4, "linestyle": "", "color": "0.2"}
    handles = [
        Line2D([], [], color=LINE, linewidth=1.6, label="the law's line"),
        *(
            Line2D([], [], marker=marker, label=f"most {outcome}", **marks)
            for outcome, marker in MARKED.items()
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
