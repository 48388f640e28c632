"""The death of one unit: its pre-activations over the data, what moves them, its bias and its weights, step by step."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dying_relu.analysis.factors import UNIT
from dying_relu.analysis.figures import marks, style
from dying_relu.analysis.inference.attribution import attributed
from dying_relu.analysis.outcomes import trained

CAPTION = (
    "A unit around its death (dotted line), step by step: the distribution of its pre-activation over the training probe set (where "
    "needed on a scale that is linear about zero and logarithmic beyond), what its bias, its weights and its inputs made of each change "
    "of the largest pre-activation, its bias, and the norm of its weights. Shown is a typical death: of all units that died for good, "
    "the one whose largest pre-activation fell by the median in the step of its death. Runs that did not train are counted and left out."
)
TABLES = ("runs", "units")
COLUMNS = {
    "units": (
        "run",
        "step",
        "layer",
        "depth",
        "unit",
        "dead",
        "pre_activation_min",
        "pre_activation_q05",
        "pre_activation_q25",
        "pre_activation_median",
        "pre_activation_q75",
        "pre_activation_q95",
        "pre_activation_max",
        "bias",
        "weight_norm",
        "pre_activation_max_new_weights",
        "pre_activation_max_new_inputs",
    )
}
EXPERIMENT = "anatomy"
BANDS = (("min", "max", "0.88"), ("q05", "q95", "0.72"), ("q25", "q75", "0.5"))
"""Ends, and a grey: opaque, so that the bands look as they do in the legend."""
PARTS = {"by_weights": ("weights", 2), "by_bias": ("bias", 1), "by_inputs": ("inputs", 0)}
"""What moves a unit: in words, and whose colour of the palette it has."""
LARGE = 20
"""A largest pre-activation of this many times the first one needs a logarithmic scale."""
MOST_DECADES = 5
"""Powers of ten labelled on either side of 0."""
STEPS_AROUND = 10
"""Steps shown before and after the death."""


@style.paper
def figure(runs: pd.DataFrame, units: pd.DataFrame) -> Figure:
    """The unit of experiment ``anatomy`` whose death is the median one, around its death.

    Args:
        runs: the study's table of runs.
        units: the study's table of units, recorded at every step.
    """
    runs = runs[(runs["experiment"] == EXPERIMENT) & (runs["activation"] == "relu")]
    steps = _steps(units[units["run"].isin(runs.loc[trained(runs), "run"])])
    death = typical_death(steps)
    if death is None:
        return style.note(
            f"No unit dies for good in an experiment “{EXPERIMENT}” of this study; {marks.counted(runs)}."
        )
    run, layer, unit, step = death
    trace = units[(units["run"] == run) & (units["layer"] == layer) & (units["unit"] == unit)].sort_values(
        "step"
    )
    moves = steps[(steps[UNIT] == [run, layer, unit]).all(axis=1)]
    around = (step - STEPS_AROUND, step + STEPS_AROUND)
    trace, moves = trace[trace["step"].between(*around)], moves[moves["step_next"].between(*around)]
    figure, axes = style.panels(2, 2, 3.3, sharex=True, height_ratios=(5, 4))
    _distribution(axes[0, 0], trace)
    _moves(axes[0, 1], moves)
    _curve(axes[1, 0], trace, "bias", "bias", PARTS["by_bias"][1])
    _curve(axes[1, 1], trace, "weight_norm", "weight norm", PARTS["by_weights"][1])
    for panel in axes.flat:
        panel.axvline(step, color="0.3", linewidth=0.8, linestyle=":")
    setting: dict[Any, Any] = runs.set_index("run").loc[run].to_dict()
    figure.suptitle(
        f"{style.name(setting['dataset'])}, {style.name(setting['architecture'])}, "
        f"{style.name(setting['optimiser'])} at rate {setting['learning_rate']:g}: "
        f"unit {unit} of {style.layer(layer, int(trace['depth'].iloc[0]))} dies in step {step}",
        fontsize=8,
    )
    for panel in axes[1]:
        panel.set_xlabel("step")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.align_ylabels()
    bands, (in_all, *parts) = (
        list(zip(*panel.get_legend_handles_labels(), strict=True)) for panel in axes[0]
    )
    figure.legend(
        *zip(*bands, *parts, in_all, strict=True),
        title=marks.left_out(runs),
        loc="outside lower center",
        ncols=4,
    )
    return figure


def _steps(units: pd.DataFrame) -> pd.DataFrame:
    """The parts of every unit's movement in every step; in double precision, so that the parts sum up."""
    return attributed(units.astype({"pre_activation_max": float, "bias": float}))


def typical_death(steps: pd.DataFrame) -> tuple[str, str, int, int] | None:
    """Of the units that died for good, the one whose largest pre-activation fell by the median in the step of its death.

    Args:
        steps: a row a unit and step, from :func:`dying_relu.analysis.inference.attribution.attributed`.

    Returns:
        (run, layer, unit, step of the death); of an even number of deaths the smaller of the two in the middle. None if no
        unit dies for good.
    """
    ordered = steps.sort_values([*UNIT, "step"])
    for_good = ordered.groupby(UNIT)["dead_next"].transform("last")
    # A unit may die, revive and die again; the last time is for good.
    deaths = ordered[for_good & ordered["died"]].groupby(UNIT).tail(1).sort_values(["fall", *UNIT])
    if deaths.empty:
        return None
    median = deaths.iloc[(len(deaths) - 1) // 2]
    return str(median["run"]), str(median["layer"]), int(median["unit"]), int(median["step_next"])


def _distribution(axes: Axes, trace: pd.DataFrame) -> None:
    labels = ("all examples", "middle 90%", "middle 50%")
    for (low, high, grey), label in zip(BANDS, labels, strict=True):
        axes.fill_between(
            trace["step"],
            trace[f"pre_activation_{low}"],
            trace[f"pre_activation_{high}"],
            color=grey,
            linewidth=0,
            label=label,
        )
    axes.plot(trace["step"], trace["pre_activation_median"], color="black", linewidth=1, label="median")
    axes.axhline(0, color="0.3", linewidth=0.6)
    _scale(axes, trace)
    axes.set_ylabel("pre-activation")


def _moves(axes: Axes, moves: pd.DataFrame) -> None:
    """Rises above zero and falls below it, one upon the other; the marks are what they sum up to."""
    above = below = np.zeros(len(moves))
    for column, (label, position) in PARTS.items():
        part = -moves[column].fillna(0).to_numpy()
        rise, fall = part.clip(min=0), part.clip(max=0)
        for height, bottom in ((rise, above), (fall, below)):
            axes.bar(moves["step_next"], height, bottom=bottom, color=style.COLOURS[position], width=0.8)
        axes.containers[-1].set_label(f"moved by the {label}")
        above, below = above + rise, below + fall
    axes.plot(
        moves["step_next"],
        -moves["fall"],
        linestyle="",
        marker="D",
        markersize=3,
        color="white",
        markeredgecolor="black",
        markeredgewidth=0.6,
        label="in all",
    )
    axes.axhline(0, color="0.3", linewidth=0.6)
    # Bars would end where the panel does.
    axes.use_sticky_edges = False
    axes.margins(y=0.08)
    axes.set_ylabel("change of the largest\npre-activation")


def _scale(axes: Axes, trace: pd.DataFrame) -> None:
    """Linear up to the largest pre-activation at first and logarithmic beyond: a death can be a thousand times what was before."""
    sizes = trace[["pre_activation_min", "pre_activation_max"]].abs().max(axis=1)
    if sizes.max() < LARGE * sizes.iloc[0]:
        return
    linear, largest = 10.0 ** np.ceil(np.log10([max(sizes.iloc[0], 0.1), max(sizes.max(), 0.1)]))
    axes.set_yscale("symlog", linthresh=linear, linscale=1)
    decades = int(np.log10(largest / linear)) + 1
    powers = [linear * 10.0**power for power in range(0, decades, math.ceil(decades / MOST_DECADES))]
    low, high = trace["pre_activation_min"].min(), trace["pre_activation_max"].max()
    ticks = [
        tick
        for tick in (*(-power for power in reversed(powers)), 0.0, *powers)
        if low <= tick <= high or tick == 0
    ]
    axes.set_yticks(ticks, [style.number(tick) for tick in ticks])
    axes.minorticks_off()


def _curve(axes: Axes, trace: pd.DataFrame, column: str, label: str, position: int) -> None:
    axes.plot(trace["step"], trace[column], color=style.COLOURS[position])
    axes.set_ylabel(label)
