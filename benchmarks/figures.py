"""The benchmarks' plots, in the paper's style."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from benchmarks.contestants import JOBS
from benchmarks.settings import is_of_study, title
from dying_relu.analysis.figures import style

STACKED = {
    "stacked": "ours",
    "torch_func": "torch.func",
    "torch_func_compiled": "torch.func, compiled",
    "jax": "JAX",
}
"""Methods that train stacks: a curve each; the others are a line."""


@style.paper
def engine(table: pd.DataFrame) -> Figure:
    """The share of the GEMM peak over the size of the stack, a panel for each of the benchmark's own cases and each device.

    Args:
        table: as ``tables.ENGINE``.
    """
    trained = table[table["ratio_to_usual"].notna() & ~table["case"].map(is_of_study)]
    panels = list(trained.groupby(["case", "device"], sort=False))
    columns = min(len(panels), style.MOST_COLUMNS)
    rows = -(-len(panels) // columns)
    figure, axes = style.panels(rows, columns, min(0.7 + 1.5 * rows, style.MOST_HEIGHT), sharey=True)
    for panel, ((case, device), here) in zip(axes.flat, panels, strict=False):
        _shares(panel, here)
        panel.set_title(_title(str(case), str(device)))
    for unused in axes.flat[len(panels) :]:
        unused.remove()
    entries = {
        label: handle
        for panel in figure.axes
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.supylabel("share of the GEMM peak", fontsize=style.PAPER["axes.labelsize"])
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=3)
    return figure


@style.paper
def scaling(table: pd.DataFrame) -> Figure:
    """What a network costs in studies of different size, a curve for each stage.

    Args:
        table: as ``scaling.SCALING``.
    """
    figure, axes = style.panels(1, 1, 2.6)
    (panel,) = axes.flat
    for position, (stage, here) in enumerate(table.groupby("stage", sort=False)):
        panel.plot(here["networks"], here["ms_per_network"], label=str(stage), **style.look(position))
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("networks in the study")
    panel.set_ylabel("milliseconds per network")
    figure.legend(loc="outside right center")
    return figure


def _shares(axes: Axes, table: pd.DataFrame) -> None:
    curves = table[table["method"].isin(STACKED)]
    for position, ((method, precision), curve) in enumerate(curves.groupby(["method", "precision"])):
        ordered = curve.sort_values("stack")
        label = STACKED[str(method)] + ("" if precision == "float32" else f", {precision}")
        axes.plot(ordered["stack"], ordered["share_of_peak"], label=label, **style.look(position))
    is_usual = table["method"].isin(["usual", JOBS])
    alone = table[is_usual & (table["precision"] == "float32")]
    rows: list[Any] = list(alone.itertuples())
    for line, here in zip(style.LINES[1:], rows, strict=False):
        axes.axhline(here.share_of_peak, color="0.4", linestyle=line, linewidth=0.9, label=_usual(here))
    axes.axhline(1, color="black", linewidth=0.6)
    sizes = sorted(curves["stack"].unique())
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("networks in a stack")
    axes.set_ylim(0, 1.05)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol="%"))


def _usual(contestant: Any) -> str:
    if contestant.method == JOBS:
        return "usual loop, one job per network"
    if contestant.processes == 1:
        return "usual loop, one process"
    return "usual loop, one process per core"


def _title(case: str, device: str) -> str:
    words = title(case)
    return words if device == "cpu" else f"{words}\non the GPU"
