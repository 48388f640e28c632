"""A report as plain text: a line with the counts, and a table of the layers that fits a terminal."""

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from dying_relu.units.estimates import TRUSTED

if TYPE_CHECKING:
    import pandas as pd

    from dying_relu.probing.findings import Findings

WIDTH = 80
"""Columns of a terminal."""
MOST_LAYERS = 20
"""Layers that are printed, those with the most dead units where there are more."""
COLUMNS = ["layer", "units", "dead", "nearly_dead", "dormant", "saturated", "offset_share"]


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
    line = f"{report.dead_fraction:.1%} of the units are dead ({dead:,} of {units:,})"
    if report.not_finite:
        line = f"{report.not_finite:,} units are not finite. {line}"
    if (examples := report.examples) is None:
        return f"{line}."
    line += f" on {examples:,} examples"
    estimate = report.expected_alive(round(TRUSTED) * examples)
    if estimate is None or not estimate.dead:
        return f"{line}."
    return f"{line}; {estimate.outlook if estimate.dead == dead else estimate.outlook.replace('these ', '')}."


def overview(report: "Findings", width: int = WIDTH, most: int | None = MOST_LAYERS) -> str:
    """The counts and a table of the layers.

    Args:
        report: findings to print.
        width: no line is longer.
        most: how many layers are printed; None for all.
    """
    shown, left_out = _worst(report, most)
    return "\n".join([*lines(headline(report), width), *lines(shown, width), *_left_out(left_out)])


def markdown(report: "Findings") -> str:
    """The counts, the table of the layers and the advice, folded, for a pull request.

    Args:
        report: findings to print.
    """
    shown, left_out = _worst(report, MOST_LAYERS)
    advice = "\n".join(
        f"- {line}" if line[0] != " " else f"  - {line.strip()}" for line in _advice(report).splitlines()
    )
    parts = [
        f"**{headline(report)}**",
        markdown_table(shown),
        *_left_out(left_out),
        f"<details><summary>Likely causes</summary>\n\n{_escaped(advice)}\n\n</details>",
    ]
    return "\n\n".join(parts) + "\n"


def _advice(report: "Findings") -> str:
    from dying_relu.probing.advice import advice

    return advice(report)


def _worst(report: "Findings", most: int | None) -> tuple["pd.DataFrame", int]:
    """The columns that are printed, of the layers with the most dead units where there are many; and how many are left out."""
    summary = report.summary()
    columns = [name for name in COLUMNS if name != "offset_share" or summary[name].notna().any()]
    if report.not_finite:
        columns.insert(3, "not_finite")
    if most is None or len(summary) <= most:
        return summary[columns], 0
    order = ["not_finite", "dead", "nearly_dead", "saturated"]
    worst = (
        summary[order].fillna(0).sort_values(order, ascending=False, kind="stable").index[:most].sort_values()
    )
    return summary.loc[worst, columns], len(summary) - most


def _left_out(number: int) -> list[str]:
    return [f"... and {number:,} more layers; report.summary() has all"] if number else []


def lines(content: "str | pd.DataFrame", width: int = WIDTH) -> list[str]:
    """A sentence or a table in lines that are no longer than a terminal is wide.

    Args:
        content: a sentence, or a table whose first column holds names, the middle of which is left out where they are too long.
        width: of the terminal; at least 20 more than the numbers take.
    """
    if isinstance(content, str):
        return wrap(content, width)
    if content.empty:
        return []
    rows = [[_cell(value) for value in row] for row in content.itertuples(index=False, name=None)]
    heads = [str(name).replace("_", " ") for name in content]
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    widths[0] = min(widths[0], width - sum(widths[1:]) - 2 * (len(widths) - 1))
    cut = [[_cut(row[0], widths[0]), *row[1:]] for row in [heads, *rows]]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(wide) for cell, wide in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in cut
    ]


def markdown_table(content: "pd.DataFrame") -> str:
    """A table in Markdown, its numbers to the right.

    Args:
        content: the first column holds names.
    """
    heads = [str(name).replace("_", " ") for name in content]
    rows = [[_escaped(_cell(value)) for value in row] for row in content.itertuples(index=False, name=None)]
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, rule, *rows])


def _escaped(text: str) -> str:
    """Names of layers and messages are no markup."""
    for mark in "\\|*_`<":
        text = text.replace(mark, "\\" + mark)
    return text


def _cell(value: Any) -> str:
    """A number or a name as it is printed; nothing for one that is not known."""
    import pandas as pd

    if pd.isna(value):
        return ""
    return f"{value:.2f}" if isinstance(value, float) else value if isinstance(value, str) else f"{value:,}"


def _cut(name: str, room: int) -> str:
    """A name that is too long loses its middle, since layers differ at the end."""
    if len(name) <= room:
        return name
    head = max((room - 3) // 3, 1)
    return f"{name[:head]}...{name[-(room - 3 - head) :]}"
