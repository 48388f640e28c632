"""F4: ten working units carry a layer, and the strictly dead ones explain little of what a damaged network lost.

Left, the loss of accuracy over the number of living units (F4a); right, the part of the damage of a high rate that removing units
explains (F4b, F4c), and what renewing dead units gains beside renewing as many living ones (F4d).
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.figures import evidence, style
from dying_relu.analysis.figures.medians import curve, interval, medians, points
from dying_relu.analysis.findings.f4_price import DAMAGED, DAMAGES, SAFE_RATE, WIDTHS
from dying_relu.analysis.inference.selection import reported

CAPTION = (
    "Left: accuracy lost when layer 1 has few living units from birth (MNIST, SGD at rate 0.1); dashed: 10 points. Right, above: part of "
    "the accuracy lost to 30 steps at a high rate that a network lacking the dead, or the dead and nearly dead, units from birth loses; "
    "open: as many random units; dashed: the thresholds of F4b and F4c. Below: accuracy gained by renewing the dead, and as many living, "
    "units of the damaged network. Median seeds with exact 95% intervals, which are cut where they leave the panel."
)
TABLES = ("runs",)
EXPERIMENTS = ("living", "damage", "renewal")
"""What the names of the experiments begin with."""
EXPERIMENT = EXPERIMENTS[0]
DEAD, NEARLY = "strictly dead", "dead and nearly dead"
LIVING_LOOKS = ((2, "o"), (3, "s"), (4, "D"))
"""Colour and marker of each width."""
APART = 1.07
"""Factor between the places of the widths."""
WIDEST = (-0.6, 2.0)
"""Parts of the damage beyond which intervals are cut."""
REMOVED: dict[str, Any] = {"color": style.COLOURS[2], "marker": "o", "markersize": 4.5}
RANDOM: dict[str, Any] = {"color": "0.45", "marker": "s", "markersize": 4.0, "markerfacecolor": "white"}


class Arm(NamedTuple):
    """An arm of the damaged networks, or of the twins that lack units instead.

    Attributes:
        kind: of what is removed or renewed.
        before, after: the name of the intervention around that of the damage.
        placebo: whether as many other units are meant.
    """

    kind: str
    before: str
    after: str = ""
    placebo: bool = False


REMOVALS = (
    Arm(DEAD, "lack_dead_"),
    Arm(DEAD, "lack_random_", placebo=True),
    Arm(NEARLY, "lack_nearly_"),
    Arm(NEARLY, "lack_random_nearly_", placebo=True),
)
RENEWALS = (Arm("renewed", "high_", "_renewed"), Arm("renewed", "high_", "_placebo", placebo=True))


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """Accuracy over living units, parts of the damage, and gains by renewal.

    Args:
        runs: the study's table of runs; the experiments ``living...``, ``damage...`` and ``renewal...`` are drawn.
    """
    of_study = evidence.of(runs=runs)
    if not runs["experiment"].str.startswith(EXPERIMENTS).any():
        return style.note(style.unmeasured(f"it has no experiments '{EXPERIMENT}...' or 'damage...'"))
    drawn = style.empty(3.1)
    grid = drawn.add_gridspec(2, 2, width_ratios=(1, 1.25), height_ratios=(2.1, 1))
    left, above, below = (drawn.add_subplot(place) for place in (grid[:, 0], grid[0, 1], grid[1, 1]))
    _living(left, of_study)
    try:
        numbers = of_damage(of_study)
    except NotEnoughData as reason:
        for panel in (above, below):
            style.without(panel, style.unmeasured(reason))
        return drawn
    _parts(above, numbers, of_study)
    _gains(below, numbers)
    return drawn


def losses(of_study: Evidence) -> pd.DataFrame:
    """The accuracy that networks with few living units in layer 1 lose to their whole twins.

    Args:
        of_study: the study's evidence.

    Returns:
        ``width``, ``living``, ``replicate`` and ``loss``, NaN where a network overflowed; no rows without such experiments.
    """
    runs = reported(of_study.runs)
    runs = runs[
        (runs["dataset"] == "mnist") & (runs["optimiser"] == "sgd") & (runs["learning_rate"] == SAFE_RATE)
    ]
    parts = []
    for width in WIDTHS:
        here = runs[runs["experiment"] == f"living_{width}"]
        whole = here[here["intervention"] == "none"].groupby("replicate")["test_accuracy"].mean()
        killed = pd.to_numeric(here["intervention"].str.removeprefix("kill_"), errors="coerce")
        loss = here["replicate"].map(whole) - here["test_accuracy"]
        parts.append(here.assign(width=width, living=width - killed, loss=loss)[killed.notna()])
    return pd.concat(parts)[["width", "living", "replicate", "loss"]]


def of_damage(of_study: Evidence) -> pd.DataFrame:
    """The part of the damage that each removal explains, and the gain of each renewal.

    Args:
        of_study: the study's evidence.

    Returns:
        ``damage`` (in words), ``kind``, ``placebo``, ``replicate``, ``damaged`` (the accuracy lost), ``part`` of it, and ``gain``; NaN
        where a seed loses too little to the damage, as F4b to F4d have it.

    Raises:
        NotEnoughData: the study has no damaged networks.
    """
    runs = reported(of_study.relu(*DAMAGED))
    runs = runs[(runs["dataset"] == "mnist") & (runs["architecture"] == "mlp")]
    rows = []
    for damage, words in DAMAGES.items():
        optimiser = words.partition(",")[0].lower()
        whole = _accuracies(runs[runs["optimiser"] == optimiser], "none")
        high = _accuracies(runs, f"high_{damage}")
        damaged = (whole - high).where(whole - high >= of_study.thresholds.damaged)
        for arm in (*REMOVALS, *RENEWALS):
            accuracy = _accuracies(runs, f"{arm.before}{damage}{arm.after}")
            numbers = {"damaged": damaged, "part": (whole - accuracy) / damaged, "gain": accuracy - high}
            table = pd.DataFrame(numbers).rename_axis("replicate").reset_index()
            rows.append(table.assign(damage=words, kind=arm.kind, placebo=arm.placebo))
    table = pd.concat(rows, ignore_index=True)
    return table.assign(gain=table["gain"].where(_revived(table, of_study)))


def _revived(table: pd.DataFrame, of_study: Evidence) -> pd.Series:
    """Whether something was lost and something gained by a renewal, so that there is something to compare."""
    renewals = table["gain"].where(table["kind"] == RENEWALS[0].kind)
    groups = [table["damage"], table["replicate"]]
    known = renewals.groupby(groups).transform("count") == len(RENEWALS)
    most = renewals.groupby(groups).transform("max")
    return table["damaged"].notna() & known & (most > of_study.thresholds.renewal_gains)


def _accuracies(runs: pd.DataFrame, arm: str) -> pd.Series:
    return runs[runs["intervention"] == arm].groupby("replicate")["test_accuracy"].mean()


def _living(axes: Axes, of_study: Evidence) -> None:
    table = losses(of_study)
    if table.empty:
        style.without(axes, style.unmeasured("it has no experiments 'living...'"))
        return
    axes.axhline(-of_study.thresholds.living_loss, **style.THRESHOLD)
    table = table.assign(change=-table["loss"])
    axes.set_xscale("log")
    widths = table.groupby("width")
    for place, ((width, here), (colour, marker)) in enumerate(zip(widths, LIVING_LOOKS, strict=False)):
        # Side by side, where they would hide each other.
        summary = medians(here.assign(across=here["living"] * APART ** (place - 1)), ["across"], "change")
        look: dict[str, Any] = {"color": style.COLOURS[colour], "marker": marker}
        curve(axes, "across", summary, label=f"{width} units wide", **look)
    axes.legend(loc="lower right", borderaxespad=0.2)
    ticks = sorted(table["living"].astype(int).unique())
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(ticks[0] / 1.4, ticks[-1] * 1.4)
    style.points(axes.yaxis)
    axes.set_xlabel("living units in layer 1 (MNIST)")
    axes.set_ylabel("accuracy minus that of the whole network (points)")


def _parts(axes: Axes, numbers: pd.DataFrame, of_study: Evidence) -> None:
    """A row for each damage, under the kind of units that is removed."""
    limits = of_study.thresholds
    row, labels = 0.0, []
    for kind, threshold in ((DEAD, limits.strictly_dead_part), (NEARLY, limits.nearly_dead_part)):
        axes.text(
            0.0,
            row,
            f"{kind} removed",
            fontsize=7,
            style="italic",
            va="center",
            transform=axes.get_yaxis_transform(),
        )
        first = row + 0.5
        for words in DAMAGES.values():
            row += 1
            _row(axes, numbers[(numbers["kind"] == kind) & (numbers["damage"] == words)], "part", row)
            labels.append((row, words))
        axes.plot([threshold] * 2, [first, row + 0.5], **style.THRESHOLD)
        row += 1.2
    axes.axvline(0, color="0.8", linewidth=0.6, zorder=0)
    axes.set_yticks(*zip(*labels, strict=True))
    axes.set_ylim(row - 0.5, -0.6)
    axes.tick_params(axis="y", length=0)
    low, high = axes.get_xlim()
    medians_shown = numbers.groupby(["damage", "kind", "placebo"])["part"].median()
    axes.set_xlim(
        max(low, min(WIDEST[0], 1.1 * medians_shown.min())),
        min(high, max(WIDEST[1], 1.1 * medians_shown.max())),
    )
    axes.xaxis.set_major_formatter(style.PERCENT)
    axes.set_xlabel("part of the damage explained")
    _legend(axes, "these units", "as many random ones")


def _gains(axes: Axes, numbers: pd.DataFrame) -> None:
    for row, words in enumerate(DAMAGES.values()):
        here = numbers[(numbers["kind"] == RENEWALS[0].kind) & (numbers["damage"] == words)]
        _row(axes, here, "gain", float(row))
    axes.axvline(0, color="0.8", linewidth=0.6, zorder=0)
    axes.set_yticks(range(len(DAMAGES)), list(DAMAGES.values()))
    axes.set_ylim(len(DAMAGES) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    style.points(axes.xaxis)
    axes.set_xlabel("accuracy gained by renewing (points)")
    _legend(axes, "dead units", "as many living ones")


def _row(axes: Axes, here: pd.DataFrame, value: str, height: float) -> None:
    for placebo, look in ((False, REMOVED), (True, RANDOM)):
        values = here.loc[here["placebo"] == placebo, value]
        if values.notna().any():
            summary = pd.DataFrame([interval(values)])
            points(axes, np.array([height + (0.17 if placebo else -0.17)]), summary, **look)
    if here[value].isna().all():
        axes.text(0, height, "  no seed to compare", va="center", fontsize=7, color="0.4")


def _legend(axes: Axes, own: str, placebo: str) -> None:
    looks: list[tuple[str, dict[str, Any]]] = [(own, REMOVED), (placebo, RANDOM)]
    for words, look in looks:
        axes.plot([], [], linestyle="", label=words, **look)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.1, handletextpad=0.1)
