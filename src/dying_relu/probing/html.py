"""A report as one HTML page that needs nothing else: its script and its figure are in it."""

import base64
import io
import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.probing.advice import advice
from dying_relu.probing.columns import SUMMARY, UNITS
from dying_relu.probing.markup import fragment, page, paragraphs, table
from dying_relu.probing.plot import plot, pyplot
from dying_relu.probing.text import headline

if TYPE_CHECKING:
    from dying_relu.probing.findings import Findings

MOST_ROWS = 500
"""Units shown of a layer, dead ones first; the page says how many it leaves out."""
MOST_ON_PAGE = 5000
"""Units shown of all layers, so that the page of a large model opens at once and can be mailed."""
FIRST = ["not_finite", "dead", "nearly_dead", "saturated", "dormant"]
"""Columns by which a layer's units are sorted at first."""
BAD = ("dead", "not_finite")


def write(report: "Findings", path: Path) -> None:
    """Write the page, all of it or nothing.

    Args:
        report: findings to show.
        path: file to write.
    """
    body = "\n".join(
        [
            _head(report),
            f'<h2>Likely causes</h2><div class="panel">{paragraphs(advice(report))}</div>',
            f"<h2>Figure</h2>{_figure(report)}",
            "<h2>Units</h2><p class='quiet'>Open a layer; click a column to sort by it.</p>",
            "<noscript><p>The units are listed by a script, which this viewer does not run.</p></noscript>",
            *(_units(report, name) for name in report.layers),
            _meanings(),
        ]
    )
    title = f"{report.dead_fraction:.1%} dead: {report.provenance.model or 'dead units'}"
    with atomic_path(path) as scratch:
        scratch.write_text(page(title, body, _safe_json(UNITS)), encoding="utf-8")


def top(report: "Findings") -> str:
    """The page's top, for a notebook: counts, origin, layers.

    Args:
        report: findings to show.
    """
    return fragment(_head(report))


def _head(report: "Findings") -> str:
    summary = report.summary()
    summary = summary.drop(
        columns=[name for name in ("mean_gradient", "offset_share") if summary[name].isna().all()]
    )
    return (
        f"<h1>{escape(headline(report))}</h1>\n<p class='quiet'>{escape(_origin(report))}</p>\n"
        f"{table(summary, SUMMARY, BAD)}"
    )


def _origin(report: "Findings") -> str:
    """Model, data, date and versions, as far as they are known."""
    provenance, examples, inputs = report.provenance, report.examples, report.inputs
    batches = (
        f"{provenance.batches:,} batch{'' if provenance.batches == 1 else 'es'}" if provenance.batches else ""
    )
    parts = [
        provenance.model,
        f"{examples:,} examples in {batches}" if examples and batches else batches,
        f"inputs of mean {inputs.mean:.3g} and standard deviation {inputs.deviation:.3g}"
        if inputs.count
        else "",
        provenance.date.replace("T", " ").replace("Z", " UTC"),
        f"dying-relu {provenance.version}" if provenance.version else "",
        f"PyTorch {provenance.torch}" if provenance.torch else "",
    ]
    return " · ".join(part for part in parts if part)


def _figure(report: "Findings") -> str:
    """The figure as an image, or a sentence where there is no matplotlib to draw it with."""
    try:
        plt = pyplot()
    except DyingReluError as error:
        return f"<p>There is no figure: {escape(str(error))}.</p>"
    figure = plot(report)
    content = io.BytesIO()
    # Tall figures of deep models would be most of the page.
    figure.savefig(content, format="png", dpi=150 if len(report.layers) <= 12 else 90)
    plt.close(figure)
    image = base64.b64encode(content.getvalue()).decode("ascii")
    words = "Shares of dead, dormant and saturated units, and the largest pre-activations, by layer"
    return f'<img alt="{words}" src="data:image/png;base64,{image}">'


def _units(report: "Findings", name: str) -> str:
    """The units of a layer, folded; the script makes their table when it is opened."""
    rows = report.units(name).drop(columns="calls")
    dead, nearly = int(rows["dead"].sum()), int(rows["nearly_dead"].sum())
    rows = rows.sort_values(FIRST, ascending=False, kind="stable").dropna(axis="columns", how="all")
    most = min(MOST_ROWS, max(MOST_ON_PAGE // len(report.layers), 10))
    head = rows.head(most).reset_index()
    content = {
        "columns": list(head),
        "rows": [[_short(value) for value in row] for row in head.itertuples(index=False, name=None)],
    }
    left_out = f"<p class='quiet'>{len(rows) - len(head):,} more units.</p>" if len(rows) > len(head) else ""
    title = f"{escape(name)}: {dead} of {len(rows)} dead" + (f", {nearly} nearly" if nearly else "")
    calls = len(report.layers[name].calls)
    title += f", in {calls} calls" if calls > 1 else ""
    return (
        f'<details><summary>{title}</summary><script type="application/json" class="units">{_safe_json(content)}</script>'
        f'<div class="wide"></div>{left_out}</details>'
    )


def _short(value: object) -> object:
    """A number with as many digits as a page needs; null for one that is not known."""
    if isinstance(value, float):
        if value != value:  # NaN
            return None
        short = float(f"{value:.3g}") if abs(value) < float("inf") else str(value)
        return int(short) if isinstance(short, float) and short.is_integer() else short
    return value if isinstance(value, bool | int | str) else str(value)


def _safe_json(content: object) -> str:
    """JSON that may stand in a page: no tag can begin in it."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")


def _meanings() -> str:
    entries = {**SUMMARY, **UNITS}
    lines = "".join(
        f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(words)}</dd>"
        for name, words in entries.items()
    )
    return f"<details><summary>Columns</summary><dl>{lines}</dl></details>"
