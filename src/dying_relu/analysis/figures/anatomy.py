"""What one unit goes through as it dies: its pre-activations over the data, its bias and its weights, step by step."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dying_relu.analysis.figures import style

TABLES = ("runs", "units")
EXPERIMENT = "anatomy"
UNIT = ["run", "layer", "unit"]
BANDS = (("min", "max", "0.88"), ("q05", "q95", "0.72"), ("q25", "q75", "0.5"))
"""Ends, and a grey: opaque, so that the bands look as they do in the legend."""
LARGE = 20
"""A largest pre-activation of this many times the first one needs a logarithmic scale."""
MOST_DECADES = 5
"""Powers of ten labelled on either side of 0."""
STEPS_AROUND = 10
"""Steps shown before and after the death."""


@style.paper
def figure(runs: pd.DataFrame, units: pd.DataFrame) -> Figure:
    """The unit of experiment ``anatomy`` that died for good from the most active life, around its death.

    Args:
        runs: the study's table of runs.
        units: the study's table of units, recorded at every step.
    """
    runs = runs[(runs["experiment"] == EXPERIMENT) & (runs["activation"] == "relu")]
    death = liveliest_death(units[units["run"].isin(runs.loc[~runs["diverged"], "run"])])
    if death is None:
        return style.note(f"No unit dies for good in an experiment “{EXPERIMENT}” of this study.")
    run, layer, unit, step = death
    trace = units[(units["run"] == run) & (units["layer"] == layer) & (units["unit"] == unit)].sort_values(
        "step"
    )
    trace = trace[trace["step"].between(step - STEPS_AROUND, step + STEPS_AROUND)]
    figure, axes = style.panels(3, 1, 3.4, sharex=True, height_ratios=(2, 1, 1))
    _distribution(axes[0, 0], trace)
    _curve(axes[1, 0], trace, "bias", "bias", position=1)
    _curve(axes[2, 0], trace, "weight_norm", "weight norm", position=2)
    for panel in axes[:, 0]:
        panel.axvline(step, color="0.3", linewidth=0.8, linestyle=":")
    setting: dict[Any, Any] = runs.set_index("run").loc[run].to_dict()
    axes[0, 0].set_title(
        f"{style.name(setting['dataset'])}, {style.name(setting['architecture'])}, "
        f"{style.name(setting['optimiser'])} at rate {setting['learning_rate']:g}: "
        f"unit {unit} of {layer} dies in step {step}"
    )
    axes[-1, 0].set_xlabel("step")
    axes[-1, 0].xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.align_ylabels()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def liveliest_death(units: pd.DataFrame) -> tuple[str, str, int, int] | None:
    """The unit that was active on the largest share of the data one step before it died for good.

    Returns:
        (run, layer, unit, step of the death); ties go to the smallest names and numbers. None if no unit dies for good.
    """
    ordered = units.sort_values([*UNIT, "step"])
    for_good = ordered.groupby(UNIT)["dead"].transform("last")
    last_lives = ordered[for_good & ~ordered["dead"]].groupby(UNIT).tail(1)
    if last_lives.empty:
        return None
    last = last_lives.sort_values(["active_share", *UNIT], ascending=[False, True, True, True]).iloc[0]
    life = ordered[(ordered[UNIT] == last[UNIT]).all(axis=1)]
    return (
        str(last["run"]),
        str(last["layer"]),
        int(last["unit"]),
        int(life.loc[life["step"] > last["step"], "step"].min()),
    )


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
    axes.plot(trace["step"], trace[column], color=style.COLOURS[position], linestyle=style.LINES[0])
    axes.set_ylabel(label)
