"""The table of verdicts in HTML: each claim with its verdict, its effect and interval, and its cells behind a disclosure."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from dying_relu.analysis import claims
from dying_relu.analysis.inference.intervals import LEVEL
from dying_relu.analysis.numbers.agreement import agreement
from dying_relu.analysis.numbers.verdicts import literal, note, verdict
from dying_relu.analysis.readme import plain_estimate, summary

EFFECT = f"effect ({LEVEL:.0%} interval over seeds)"
CLAIMS = ("claim", "the post says", "verdict", "literally", EFFECT, "networks")
FINDINGS = ("finding", "expected", "verdict", "seeds that agree", EFFECT, "networks")


def tables(verdicts: pd.DataFrame) -> str:
    """The verdicts as HTML: a sentence that counts those on claims, their table, and that of the findings.

    Args:
        verdicts: of :func:`dying_relu.analysis.claims.read`, a row a claim or finding.
    """
    on_claims, on_findings = claims.on_claims(verdicts), claims.on_findings(verdicts)
    parts = [f"<p>{escape(summary(on_claims))}</p>", _table(CLAIMS, on_claims)]
    if len(on_findings):
        parts += ["<h3>What this study adds</h3>", _table(FINDINGS, on_findings)]
    return f'<div class="verdicts">{"".join(parts)}</div>'


def _table(titles: tuple[str, ...], verdicts: pd.DataFrame) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "\n".join(_row(titles, row) for row in verdicts.to_dict("records"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>\n"


def _row(titles: tuple[str, ...], row: Mapping[Any, Any]) -> str:
    measured = escape(plain_estimate(row))
    details = [f"<p>Rule: {escape(row['rule'])}</p>"]
    if row["note"]:
        details.append(f"<p>{escape(note(row))}</p>")
    if row["cells"]:
        details.append(_cells(row["cells"]))
    effect = (
        f"<strong>{measured}</strong> <small>{escape(row['measure'])}</small>"
        f"<details><summary>rule{' and cells' if row['cells'] else ''}</summary>{''.join(details)}</details>"
    )
    second = agreement(row["cells"]) if titles is FINDINGS else literal(row)
    cells = (escape(row["statement"]), escape(verdict(row)), escape(second), effect, f"{row['n']:,}")
    columns = "".join(
        f'<td data-title="{escape(title)}">{cell}</td>' for title, cell in zip(titles[1:], cells, strict=True)
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
        # The median of seeds that count against a law without a number.
        return "infinite" if cell["seeds"] else "not measured"
    ends = "" if low is None or high is None else f" ({low:.3g} to {high:.3g})"
    return f"{estimate:.3g}{ends}"
