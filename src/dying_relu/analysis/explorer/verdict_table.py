"""The table of verdicts in HTML: each claim with its verdict, its effect and interval, and its cells behind a disclosure."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from dying_relu.analysis.inference.intervals import LEVEL
from dying_relu.analysis.numbers.verdicts import estimate, verdict
from dying_relu.analysis.readme import plain, summary

TITLES = (
    "claim",
    "the post says",
    "verdict",
    "literally",
    f"effect ({LEVEL:.0%} interval over seeds)",
    "networks",
)


def table(verdicts: pd.DataFrame) -> str:
    """The verdicts as an HTML table below a sentence that counts them.

    Args:
        verdicts: of :func:`dying_relu.analysis.claims.read`, a row a claim.
    """
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in TITLES)
    body = "\n".join(_row(row) for row in verdicts.to_dict("records"))
    return (
        f'<div class="verdicts"><p>{escape(summary(verdicts))}</p>\n'
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )


def _row(row: Mapping[Any, Any]) -> str:
    measured = escape(plain(estimate(row)))
    details = [f"<p>Rule: {escape(row['rule'])}</p>"]
    if row["note"]:
        details.append(f"<p>{escape(row['note'])}</p>")
    if row["cells"]:
        details.append(_cells(row["cells"]))
    effect = (
        f"<strong>{measured}</strong> <small>{escape(row['measure'])}</small>"
        f"<details><summary>rule{' and cells' if row['cells'] else ''}</summary>{''.join(details)}</details>"
    )
    cells = (
        escape(row["statement"]),
        escape(verdict(row)),
        escape(row["literal"] or "the same"),
        effect,
        f"{row['n']:,}",
    )
    columns = "".join(
        f'<td data-title="{escape(title)}">{cell}</td>' for title, cell in zip(TITLES[1:], cells, strict=True)
    )
    return f'<tr><th scope="row">{escape(row["claim"])}</th>{columns}</tr>'


def _cells(cells: list[Mapping[str, Any]]) -> str:
    head = "".join(f'<th scope="col">{title}</th>' for title in ("cell", "median (interval)", "state"))
    rows = "".join(
        f"<tr><td>{escape(str(cell['name']))}</td><td>{_interval(cell)}</td><td>{escape(str(cell['state']))}</td></tr>"
        for cell in cells
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _interval(cell: Mapping[str, Any]) -> str:
    estimate, low, high = (cell[end] for end in ("estimate", "low", "high"))
    if estimate is None:
        return "not measured"
    ends = "" if low is None or high is None else f" ({low:.3g} to {high:.3g})"
    return f"{estimate:.3g}{ends}"
