"""F1: without a mean of its inputs a first layer loses no unit at any rate; with one it does.

The newly dead share of the first layer over the learning rate, a row a data set and a column an optimiser, with the numbers of F1a.
"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.figures import curve_names, evidence, marks, style
from dying_relu.analysis.figures.medians import curve, medians
from dying_relu.analysis.findings.f1_mean import CENTRED, OFFSET
from dying_relu.analysis.findings.layers import at_the_end, first_inputs, with_new_dead
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import finite

CAPTION = (
    "Share of the first layer that is newly dead over the learning rate, MLPs: inputs with an offset of share 0.6, standardised, and "
    "centred; rho is their offset share. Medians of finite networks over seeds with exact 95% intervals; dashed: mass death; crosses "
    "above: some (small) or most (large) networks overflowed. Titles: newly dead units of all finite networks with centred inputs."
)
TABLES = ("runs", "layers")
COLUMNS = {"layers": evidence.LAYERS}
EXPERIMENT = "mean_inputs"
INPUTS = {OFFSET: "offset", "standardised": "standardised", CENTRED: "centred"}
"""The inputs that are shown, in words."""
LOOKS: dict[str, dict[str, Any]] = {
    OFFSET: {"color": style.COLOURS[3], "marker": "s"},
    "standardised": {"color": style.COLOURS[2], "marker": "^"},
    CENTRED: {"color": style.COLOURS[0], "marker": "o", "linewidth": 2.2, "markersize": 5, "zorder": 1.9},
}
PLACE = ["dataset", "optimiser"]


@style.paper
def figure(runs: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """A panel for each data set and optimiser, a curve for each kind of inputs.

    Args:
        runs: the study's table of runs; experiment ``mean_inputs`` is drawn.
        layers: its table of layers.
    """
    of_study = evidence.of(runs=runs, layers=layers)
    networks = shares(of_study)
    datasets = style.in_order(networks["dataset"], style.DATASETS)
    optimisers = style.in_order(networks["optimiser"], style.OPTIMISERS)
    drawn, axes = style.panels(
        len(datasets), len(optimisers), 0.5 + 1.5 * len(datasets), sharex=True, sharey=True
    )
    curve_names.make_room(drawn, 0.75)
    rho = offset_shares(of_study, networks)
    for row, dataset in enumerate(datasets):
        for column, optimiser in enumerate(optimisers):
            here = networks[(networks["dataset"] == dataset) & (networks["optimiser"] == optimiser)]
            _panel(axes[row, column], here, of_study)
            dead, units = newly_dead_units(of_study, here)
            counts = f"\ncentred: {dead:,} of {units:,} units" if units else ""
            axes[row, column].set_title(f"{style.name(dataset)}, {style.name(optimiser)}{counts}")
        _labels(axes[row, -1], networks[networks["dataset"] == dataset], rho[dataset])
        axes[row, 0].set_ylabel("newly dead, layer 1")
    style.rates(axes[-1, 0], sorted(networks["learning_rate"].unique()))
    for panel in axes[-1]:
        panel.set_xlabel("learning rate")
    return drawn


def shares(of_study: Evidence) -> pd.DataFrame:
    """The networks that are shown, with the newly dead share of their first layer.

    Args:
        of_study: the study's evidence.

    Returns:
        Rows of the table of runs with a column ``new_dead``, NaN where a network overflowed.

    Raises:
        NotEnoughData: the study has no such networks.
    """
    runs = reported(of_study.relu(EXPERIMENT))
    runs = runs[(runs["architecture"] == "mlp") & runs["inputs"].isin(list(INPUTS))]
    if runs.empty:
        raise NotEnoughData(f"the experiment {EXPERIMENT!r} has none of the inputs {', '.join(INPUTS)}")
    return with_new_dead(of_study, runs, 1)


def offset_shares(of_study: Evidence, networks: pd.DataFrame) -> pd.Series:
    """The offset share of the inputs before the first step.

    Args:
        of_study: the study's evidence.
        networks: of :func:`shares`.

    Returns:
        A mean over networks; index dataset and inputs.
    """
    rho = first_inputs(of_study)["offset_share"]
    return networks.assign(rho=networks["run"].map(rho)).groupby(["dataset", "inputs"])["rho"].mean()


def newly_dead_units(of_study: Evidence, networks: pd.DataFrame) -> tuple[int, int]:
    """The newly dead units of first layers without a mean of their inputs.

    Args:
        of_study: the study's evidence.
        networks: of :func:`shares`.

    Returns:
        The newly dead units of the first layers of finite networks with centred inputs, and the number of all their units.
    """
    counted = networks[finite(networks) & (networks["inputs"] == CENTRED)]
    layers = at_the_end(of_study)
    first = layers[(layers["depth"] == 1) & layers["run"].isin(counted["run"])]
    return int(first["new_dead_units"].sum()), int(first["units"].sum())


def _panel(axes: Axes, networks: pd.DataFrame, of_study: Evidence) -> None:
    axes.axhline(of_study.thresholds.mass_death, **style.THRESHOLD)
    for position, inputs in enumerate(INPUTS):
        here = networks[networks["inputs"] == inputs]
        if here.empty:
            continue
        curve(axes, "learning_rate", medians(here, ["learning_rate"], "new_dead"), **LOOKS[inputs])
        lost = here.groupby("learning_rate")["overflowed"].mean()
        marks.above(axes, lost.index.to_numpy(), lost.to_numpy(), position, LOOKS[inputs]["color"])
    style.shares(axes, "")
    marks.make_room(axes, len(INPUTS))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])


def _labels(axes: Axes, networks: pd.DataFrame, rho: pd.Series) -> None:
    """Name the curves beside the last panel, at the height of their ends."""
    last = networks[networks["optimiser"] == style.in_order(networks["optimiser"], style.OPTIMISERS)[-1]]
    labels = []
    for inputs, words in INPUTS.items():
        if inputs in rho.index:
            summary = medians(last[last["inputs"] == inputs], ["learning_rate"], "new_dead")["estimate"]
            height = float(summary.dropna().iloc[-1]) if summary.notna().any() else 0.5
            labels.append((height, f"{words}\n$\\rho$ = {rho[inputs]:.2f}", LOOKS[inputs]["color"]))
    curve_names.beside(axes, labels, 0.34)
