"""F5: under SGD and Adam units die as soon as the rate is too high; under momentum they die later.

The share of all new deaths that have happened, over the steps since the rate became too high; at step 20 it is the number of F5a and F5b.
"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.figures import evidence, style
from dying_relu.analysis.figures.medians import curve, medians
from dying_relu.analysis.findings.f5_when import BY, JUDGED, RATES, STEPS, SWITCHES
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import finite

CAPTION = (
    "Share of all units newly dead at the end that were so already, over the steps since the rate became too high: from the start on "
    "(filled, solid) or after step 100 (open, dashed), MNIST, MLPs. Median seeds with exact 95% intervals, of finite networks that newly "
    "lose at least 5% of their units. Thin lines: step 20, and one half."
)
TABLES = ("runs", "layers")
COLUMNS = {"layers": evidence.LAYERS}
EXPERIMENT = "when"
COLOURS = (2, 3, 4, 6)
APART = 1.4
"""The least factor between the steps of checkpoints that are shown."""
WORDS = {"none": "too high from the start on", "low_until_100": "too high after step 100, a tenth before"}
LINES: dict[str, dict[str, Any]] = {
    "none": {"linestyle": "-", "marker": "o"},
    "low_until_100": {"linestyle": "--", "marker": "s", "markerfacecolor": "white"},
}


@style.paper
def figure(runs: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """A panel for each optimiser, a curve for each rate and switch.

    Args:
        runs: the study's table of runs; experiment ``when`` is drawn.
        layers: its table of layers.
    """
    of_study = evidence.of(runs=runs, layers=layers)
    table = progress(of_study)
    drawn, axes = style.panels(1, len(RATES), 2.6, sharex=True, sharey=True)
    for panel, optimiser in zip(axes[0], RATES, strict=True):
        here = table[table["optimiser"] == optimiser]
        if here.empty:
            panel.set_title(style.name(optimiser))
            style.without(panel, style.unmeasured("no such networks"))
        else:
            _panel(panel, here, style.name(optimiser), of_study.thresholds.fast)
    axes[0, 0].set_ylabel("new deaths so far")
    for panel in axes[0]:
        panel.set_xlabel("steps since the rate became too high")
    handles = [Line2D([], [], color="0.3", markersize=3.2, label=WORDS[arm], **LINES[arm]) for arm in LINES]
    drawn.legend(handles=handles, loc="outside lower center", ncols=2)
    return drawn


def progress(of_study: Evidence) -> pd.DataFrame:
    """The share of a network's new deaths that have happened, at every checkpoint since the rate became too high.

    Args:
        of_study: the study's evidence.

    Returns:
        A row a network and checkpoint, networks of the findings' cells: ``optimiser``, ``learning_rate``, ``intervention``,
        ``replicate``, ``since`` (steps since then) and ``share``, NaN where the network overflowed or too few of its units died.

    Raises:
        NotEnoughData: the study has no such networks.
    """
    runs = reported(of_study.relu(EXPERIMENT))
    pairs = [(optimiser, rate) for optimiser, rates in RATES.items() for rate in rates]
    here = [pair in pairs for pair in zip(runs["optimiser"], runs["learning_rate"], strict=True)]
    runs = runs[here]
    runs = runs[(runs["dataset"] == "mnist") & runs["intervention"].isin(JUDGED)]
    if runs.empty:
        raise NotEnoughData(f"the experiment {EXPERIMENT!r} has none of the rates of the rule")
    layers = of_study.layers
    layers = layers[(layers["probe"] == "train") & layers["run"].isin(runs["run"])]
    dead = layers.groupby(["run", "step"])["new_dead_all"].sum(min_count=1).astype(float).reset_index()
    table = runs.assign(switch=runs["intervention"].map(SWITCHES)).merge(dead, on="run")
    at = {
        name: table.loc[table["step"] == table[name]].set_index("run")["new_dead_all"]
        for name in ("switch", "steps")
    }
    before, end = (table["run"].map(at[name]) for name in ("switch", "steps"))
    deaths = end - before
    enough = finite(table) & (deaths >= of_study.thresholds.some_deaths * table["hidden_units"])
    share = ((table["new_dead_all"] - before) / deaths.where(enough)).clip(0, 1)
    table = table.assign(since=table["step"] - table["switch"], share=share)
    return table.loc[table["since"] > 0, [*BY, "replicate", "since", "share"]]


def spread_out(table: pd.DataFrame) -> pd.Series:
    """Choose the checkpoints that are shown: from one to the next at least a factor, step 20 and the last ones among them.

    Args:
        table: of :func:`progress`.

    Returns:
        (rows,) bool.
    """
    ends = table.groupby("intervention")["since"].transform("max")
    shown = {STEPS}
    for step in sorted(table["since"].unique()):
        if all(max(step, other) >= APART * min(step, other) for other in shown):
            shown.add(step)
    near_the_end = (table["since"] < ends) & (table["since"] * APART > ends)
    return (table["since"].isin(shown) & ~near_the_end) | (table["since"] == ends)


def _seeds(table: pd.DataFrame) -> str:
    """The numbers of seeds with enough deaths, for each switch, where some lack them."""
    known = table[table["share"].notna()].groupby("intervention")["replicate"].nunique()
    counts = [int(known.get(arm, 0)) for arm in LINES if arm in set(table["intervention"])]
    every = table["replicate"].nunique()
    return "" if min(counts) == every else f" ({' and '.join(map(str, counts))} of {every} seeds)"


def _panel(axes: Axes, table: pd.DataFrame, title: str, fast: float) -> None:
    axes.axhline(fast, **style.THRESHOLD)
    axes.axvline(STEPS, color="0.35", linewidth=0.5, zorder=0)
    axes.set_xscale("log")
    rates = sorted(table["learning_rate"].unique())
    table = table[spread_out(table)]
    for rate, of_rate in table.groupby("learning_rate"):
        colour = style.COLOURS[COLOURS[rates.index(rate) % len(COLOURS)]]
        for arm in (arm for arm in LINES if arm in set(of_rate["intervention"])):
            summary = medians(of_rate[of_rate["intervention"] == arm], ["since"], "share")
            curve(axes, "since", summary, color=colour, markersize=3.2, **LINES[arm])
        axes.plot([], [], color=colour, linewidth=3, label=f"rate {style.number(rate)}{_seeds(of_rate)}")
    axes.legend(
        title=title,
        title_fontsize=8,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        handlelength=1.0,
        labelspacing=0.25,
    )
    style.shares(axes, "")
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xticks([5, 20, 100, 500], ["5", "20", "100", "500"])
    axes.minorticks_off()
