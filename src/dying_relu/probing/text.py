"""A report as plain text: a line with the counts, and a table of the layers that fits a terminal."""

from textwrap import fill
from typing import TYPE_CHECKING

from dying_relu.units.estimates import TRUSTED

if TYPE_CHECKING:
    import pandas as pd

    from dying_relu.probing.findings import Findings

WIDTH = 80
"""Columns of a terminal."""
MOST_LAYERS = 20
"""Layers that are printed, those with the most dead units where there are more."""
COLUMNS = ["units", "dead", "nearly_dead", "dormant", "saturated", "offset_share"]


def short(report: "Findings") -> str:
    """A line for a list of reports.

    Args:
        report: findings to name.
    """
    units = sum(layer.units for layer in report.layers.values())
    dead = int(report.summary()["dead"].sum())
    return f"<Report of {report.provenance.model or 'a model'}: {dead:,} of {units:,} units dead in {len(report.layers):,} layers>"


def headline(report: "Findings") -> str:
    """The number of dead units, on how many examples, and how many would wake on ten times as many more.

    Args:
        report: findings to count.
    """
    summary = report.summary()
    units, dead = int(summary["units"].sum()), int(summary["dead"].sum())
    counts = f"{dead:,} of {units:,} units are dead ({report.dead_fraction:.1%})"
    if report.not_finite:
        counts += f", {report.not_finite:,} are not finite"
    examples = report.examples
    if examples is None:
        return f"{counts}."
    estimate = report.expected_alive(round(TRUSTED) * examples)
    if not dead or estimate is None or not estimate.dead:
        return f"{counts} on {examples:,} examples."
    if estimate.dead < dead:
        return f"{counts} on {examples:,} examples; {estimate.outlook}."
    return f"{counts}: {estimate}."


def overview(report: "Findings") -> str:
    """The counts and a table of the layers, no line longer than 80 characters.

    Args:
        report: findings to print.
    """
    summary = report.summary()
    shown = summary
    if len(summary) > MOST_LAYERS:
        bad = summary[["not_finite", "dead", "nearly_dead", "saturated"]].fillna(0)
        shown = summary.loc[
            bad.sort_values(list(bad), ascending=False, kind="stable").index[:MOST_LAYERS].sort_values()
        ]
    lines = [fill(headline(report), WIDTH), *_table(shown)]
    if len(shown) < len(summary):
        lines.append(f"... and {len(summary) - len(shown):,} more layers; report.summary() has all")
    return "\n".join(lines)


def _table(summary: "pd.DataFrame") -> list[str]:
    columns = [name for name in COLUMNS if name != "offset_share" or summary[name].notna().any()]
    if (summary["not_finite"].fillna(0) > 0).any():
        columns[2:2] = ["not_finite"]
    heads = [name.replace("_", " ") for name in columns]
    rows = [[_cell(row[name]) for name in columns] for _, row in summary.iterrows()]
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(columns))]
    room = WIDTH - sum(widths) - 2 * len(widths)
    names = [_cut(str(name), room) for name in summary["layer"]]
    wide = max([len("layer"), *map(len, names)])
    return [
        "  ".join(
            [name.ljust(wide), *(cell.rjust(width) for cell, width in zip(row, widths, strict=True))]
        ).rstrip()
        for name, row in zip(["layer", *names], [heads, *rows], strict=True)
    ]


def _cell(value: object) -> str:
    """A number as it is printed; nothing for one that is not known."""
    if value is None or value != value or str(value) == "<NA>":  # noqa: PLR0124 - NaN
        return ""
    return f"{value:.2f}" if isinstance(value, float) else f"{value:,}"


def _cut(name: str, room: int) -> str:
    """A name that is too long loses its middle, since layers differ at the end."""
    if len(name) <= room:
        return name
    head = max((room - 3) // 3, 1)
    return f"{name[:head]}...{name[-(room - 3 - head) :]}"
