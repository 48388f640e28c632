"""F3: forbid units to die, and the network overflows; do the same to living units, and it does not.

The share of the cells with mass death in which a network overflows, a row an arm, MLPs and CNNs, with the cells and arms of F3a.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.claims.cells import by_seed
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.figures import evidence, style
from dying_relu.analysis.figures.medians import interval, points
from dying_relu.analysis.findings.f3_fuse import CASE, EXPERIMENTS, FORBID, HALF, PLACEBOS
from dying_relu.analysis.findings.layers import most_new_dead
from dying_relu.analysis.inference.selection import split

CAPTION = (
    "Share of the cells with mass death (setting and rate at which most untouched networks lose a quarter of a layer) in which a network "
    "overflows. Median seeds with exact 95% intervals. Dashed: 50 points above the placebo of renewing that overflows "
    "more, where F3a's threshold lies for MLPs. CNNs have four of the arms."
)
TABLES = ("runs", "layers")
COLUMNS = {"layers": evidence.LAYERS}
EXPERIMENT = "fuse"
"""Experiments whose names begin so."""
LEAKY = "fuse_leaky"


class Arm(NamedTuple):
    """An arm of the twin groups: one thing that is done to a network.

    Attributes:
        intervention: its name in the study's file.
        words: for the reader.
        leaky: whether the network begins with leaky ReLU.
    """

    intervention: str
    words: str
    leaky: bool = False


GROUPS = {
    "units may die": [
        Arm("none", "untouched"),
        Arm("relu_at_spike", "leaky, made ReLU at the first spike", leaky=True),
    ],
    "placebo:\nliving units": [
        Arm("placebo_of_undoing", "a step of living units undone"),
        Arm("placebo_of_renewal", "as many living units renewed"),
        Arm("placebo_of_renewal_again", "the same after every step"),
    ],
    "units may\nnot die": [
        Arm("forbid_by_bias", "bias raised until active"),
        Arm("forbid_by_undoing", "the step that kills undone"),
        Arm(FORBID, "dying units renewed"),
    ],
    "no flat side": [
        Arm("leaky_at_100", "made leaky at step 100"),
        Arm("none", "leaky from the start", leaky=True),
    ],
}
"""The arms, from top to bottom, by what units may do."""
LOOKS: dict[str, dict[str, Any]] = {
    "MLP": {"color": style.COLOURS[2], "marker": "o", "markersize": 4.5},
    "CNN": {"color": style.COLOURS[3], "marker": "s", "markersize": 4.0, "markerfacecolor": "white"},
}


@style.paper
def figure(runs: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """A row for each arm, a point for each kind of network, with intervals over seeds.

    Args:
        runs: the study's table of runs; the experiments ``fuse...`` are drawn.
        layers: its table of layers.
    """
    of_study = evidence.of(runs=runs, layers=layers)
    table, counts = overflows(of_study)
    arms = [arm for group in GROUPS.values() for arm in group]
    drawn, axes = style.panels(1, 1, 0.55 + 0.24 * len(arms))
    panel = axes[0, 0]
    heights = np.arange(len(arms), dtype=float)
    measured = style.in_order(table["network"], list(LOOKS))
    for place, network in enumerate(measured):
        offset = 0.32 * (place - (len(measured) - 1) / 2)
        _points(panel, table[table["network"] == network], arms, network, offset)
    _threshold(panel, table, arms, of_study.thresholds.overflow_more)
    panel.set_yticks(heights, [arm.words for arm in arms])
    panel.set_ylim(len(arms) - 0.4, -0.6)
    panel.tick_params(axis="y", length=0)
    panel.set_xlim(-0.03, 1.03)
    panel.xaxis.set_major_formatter(style.PERCENT)
    panel.set_xlabel("cells with mass death in which the network overflows")
    _groups(panel)
    _names(panel, table, counts)
    return drawn


def overflows(of_study: Evidence) -> tuple[pd.DataFrame, dict[str, int]]:
    """The share of a seed's cells with mass death in which its network overflows.

    Args:
        of_study: the study's evidence.

    Returns:
        A row an arm, kind of network and seed: ``network``, ``intervention``, ``leaky``, ``replicate``, ``share``; and the number of
        cells of each kind of network.

    Raises:
        NotEnoughData: no selection networks die in mass.
    """
    runs = of_study.relu(*EXPERIMENTS)
    runs = runs.assign(network=runs["experiment"].map(EXPERIMENTS))
    cases, reporting = _mass_death(of_study, runs)
    dying = reporting.merge(cases, on=CASE).assign(leaky=False)
    twins = of_study.runs[of_study.runs["experiment"] == LEAKY].assign(network="MLP", leaky=True)
    twins = twins.merge(dying[[*CASE, "replicate"]].drop_duplicates(), on=[*CASE, "replicate"])
    arms = ["network", "intervention", "leaky"]
    shares = by_seed(pd.concat([dying, twins]), arms, lambda rows: float(rows["overflowed"].mean()))
    counts = cases["network"].value_counts()
    return shares.rename("share").reset_index(), {name: int(counts.get(name, 0)) for name in LOOKS}


def _mass_death(of_study: Evidence, runs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells with mass death, by the untouched selection networks; and all reported runs."""
    selection, reporting = split(runs)
    untouched = selection[selection["intervention"] == "none"]
    dies = most_new_dead(of_study, untouched) >= of_study.thresholds.mass_death
    shares = dies.groupby([untouched[name] for name in CASE], sort=False).mean()
    cases = shares[shares >= HALF].reset_index()[CASE]
    if cases.empty:
        raise NotEnoughData(
            "at no rate do half of the untouched selection networks die in mass and stay finite"
        )
    return cases, reporting


def _points(axes: Axes, table: pd.DataFrame, arms: list[Arm], network: str, offset: float) -> None:
    for height, arm in enumerate(arms):
        here = table[(table["intervention"] == arm.intervention) & (table["leaky"] == arm.leaky)]
        if here.empty:
            continue
        summary = pd.DataFrame([interval(here["share"])])
        points(axes, [height + offset], summary, **LOOKS[network])


def _threshold(axes: Axes, table: pd.DataFrame, arms: list[Arm], more: float) -> None:
    """The threshold of the difference between renewing and its placebo, in the row of the former."""
    of_mlps = table[table["network"] == "MLP"]
    placebos = [of_mlps.loc[of_mlps["intervention"] == arm, "share"].median() for arm in PLACEBOS.values()]
    row = next(place for place, arm in enumerate(arms) if arm.intervention == FORBID)
    if np.isfinite(np.nanmax([*placebos, -np.inf])):
        axes.plot([np.nanmax(placebos) + more] * 2, [row - 0.45, row + 0.45], **style.THRESHOLD)


def _groups(axes: Axes) -> None:
    """Shade every second group of arms, and name each at the right."""
    top = -0.5
    for place, (words, arms) in enumerate(GROUPS.items()):
        bottom = top + len(arms)
        if place % 2:
            axes.axhspan(top, bottom, color="0.94", zorder=0, linewidth=0)
        axes.text(
            1.01, (top + bottom) / 2, words, va="center", fontsize=7, transform=axes.get_yaxis_transform()
        )
        top = bottom


def _names(axes: Axes, table: pd.DataFrame, counts: dict[str, int]) -> None:
    """Say which mark is which kind of network, and which was not measured."""
    for network in LOOKS:
        measured = (table["network"] == network).any()
        words = (
            f"{network}s: {counts[network]} cells" if measured else f"{network}s: not measured in this study"
        )
        axes.plot([], [], linestyle="", label=words, **LOOKS[network])
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.2, handletextpad=0.2)
