"""A report as one HTML page that needs nothing else: no scripts, no other files."""

import base64
import io
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.probing.advice import advice
from dying_relu.probing.plot import plot, pyplot

if TYPE_CHECKING:
    import pandas as pd

    from dying_relu.probing.findings import Findings

MOST_ROWS = 500
"""Units shown of a layer, dead ones first; the page says how many it leaves out."""

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Dead units</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
pre { background: #f5f5f5; padding: 1rem; white-space: pre-wrap; }
img { max-width: 100%; }
summary { cursor: pointer; padding: .2rem 0; }
.wide { overflow-x: auto; }
</style>
</head>
<body>
<h1>$dead of the units are dead</h1>
<div class="wide">$layers</div>
<h2>Likely causes</h2>
<pre>$advice</pre>
<h2>Figure</h2>
$figure
<h2>Units</h2>
$units
</body>
</html>
""")


IMAGE = Template(
    '<img alt="Shares of dead, dormant and saturated units, and the largest pre-activations, by layer" src="data:image/png;base64,$png">'
)


def write(report: "Findings", path: Path) -> None:
    """Write the page, all of it or nothing.

    Args:
        report: findings to show.
        path: file to write.
    """
    page = PAGE.substitute(
        dead=f"{report.dead_fraction:.1%}",
        layers=_table(report.summary(), index=False),
        advice=escape(advice(report)),
        figure=_figure(report),
        units="\n".join(_units(report, name) for name in report.layers),
    )
    with atomic_path(path) as scratch:
        scratch.write_text(page, encoding="utf-8")


def _figure(report: "Findings") -> str:
    """The figure as an image, or a sentence where there is no matplotlib to draw it with."""
    try:
        plt = pyplot()
    except DyingReluError as error:
        return f"<p>There is no figure: {escape(str(error))}.</p>"
    figure = plot(report)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    plt.close(figure)
    return IMAGE.substitute(png=base64.b64encode(content.getvalue()).decode("ascii"))


def _units(report: "Findings", name: str) -> str:
    table = report.units(name).sort_values("dead", ascending=False, kind="stable")
    dead = int(table["dead"].sum())
    head = table.head(MOST_ROWS).reset_index()
    left_out = f"<p>{len(table) - len(head):,} more units.</p>" if len(table) > len(head) else ""
    title = f"{escape(name)}: {dead} of {len(table)} dead"
    return f'<details><summary>{title}</summary><div class="wide">{_table(head, index=False)}</div>{left_out}</details>'


def _table(table: "pd.DataFrame", index: bool) -> str:
    return str(table.to_html(index=index, border=0, na_rep="", float_format="{:.4g}".format))
