"""The explorer's page: the verdicts, the reader's choices and the charts, with all scripts inside."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd
import vl_convert

from dying_relu.analysis.explorer import verdict_table
from dying_relu.analysis.explorer.networks import Networks

STYLE = """\
body { font: 16px/1.45 system-ui, sans-serif; color: #222; background: white; max-width: 76rem; margin: 0 auto; padding: 0 1rem 3rem; }
.verdicts table { border-collapse: collapse; font-size: .9rem; width: 100%; }
.verdicts :is(th, td) { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid #ddd; }
.verdicts :is(th, td) { overflow-wrap: anywhere; }
.verdicts > table > thead th { border-bottom: 2px solid #444; overflow-wrap: normal; }
.verdicts small { color: #555; }
.verdicts details table { font-size: .8rem; }
.verdicts summary { cursor: pointer; color: #0060a0; }
@media (max-width: 40rem) {
  .verdicts > table > thead { display: none; }
  .verdicts > table > tbody > tr { display: block; border-bottom: 2px solid #444; padding: .4rem 0; }
  .verdicts > table > tbody > tr > * { display: block; border: 0; padding: .1rem 0; }
  .verdicts > table > tbody > tr > td::before { content: attr(data-title) ": "; color: #555; font-size: .8rem; }
}
"""
"""Of the text and the table, on either page."""

CHARTS_STYLE = """\
#choices { display: flex; flex-wrap: wrap; gap: .6rem 1rem; margin: 1rem 0; }
.vega-bind label { display: flex; flex-direction: column; font-size: .85rem; }
.vega-bind select, .vega-bind input { font: inherit; min-height: 2rem; max-width: 100%; }
.vega-bind:has([type=number]) { order: 1; }
.vega-bind input[type=number] { width: 6rem; }
#charts { width: 100%; }
@media (max-width: 40rem) {
  .vega-bind { flex: 1 1 40%; }
}
"""

HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
"""

SCRIPT = """\
const specification = JSON.parse(document.getElementById("specification").textContent);
const container = document.getElementById("charts");
const isWide = () => container.clientWidth >= 800;
let wide;
let view;
async function draw() {
  const state = view ? view.getState({signals: (name) => /^(chosen_|vertical$|dead_)/.test(name), data: () => false}) : null;
  if (view) view.finalize();
  wide = isWide();
  const width = Math.max(160, (wide ? container.clientWidth / 2 : container.clientWidth) - 95);
  specification.columns = wide ? 2 : 1;
  for (const chart of specification.concat) chart.width = width;
  // Errors only: Vega warns when a choice leaves nothing to draw, which is no fault.
  const embedded = await vegaEmbed(container, specification, {
    bind: "#choices", renderer: "svg", logLevel: 1, actions: {export: true, source: false, compiled: false, editor: false},
  });
  view = embedded.view;
  if (state) await view.setState(state).runAsync();
  container.dataset.ready = "yes";
}
draw();
addEventListener("resize", () => { if (isWide() !== wide) draw(); });
"""


def html(study: str, verdicts: pd.DataFrame, networks: Networks, specification: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        study: its name.
        verdicts: of :func:`dying_relu.analysis.claims.read`, a row a claim or finding.
        networks: that are shown.
        specification: of the charts, in Vega-Lite.
    """
    title = escape(f"Do ReLUs die? The study “{study}”")
    # Within a script element, "</" would end it.
    data = json.dumps(specification, separators=(",", ":"), sort_keys=True).replace("</", "<\\/")
    return "".join(
        [
            HEAD.format(title=title, style=STYLE + CHARTS_STYLE),
            f"<h1>{title}</h1>\n",
            f'<p><a href="#networks">Explore the networks</a></p>\n<h2>Verdicts</h2>\n{verdict_table.tables(verdicts)}\n',
            f"<h2 id='networks'>Explore the networks</h2>\n<p>{escape(_about(networks))}</p>\n",
            "<noscript><p>The charts need JavaScript; the table above does not.</p></noscript>\n",
            '<div id="choices" role="group" aria-label="Choices"></div>\n<div id="charts"></div>\n',
            f'<script type="application/json" id="specification">{data}</script>\n',
            f"<script>{library()}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def library() -> str:
    """Vega, Vega-Lite and Vega-Embed, as one script that comes with Altair's companion."""
    return vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its types lack the default


def verdicts_alone(study: str, verdicts: pd.DataFrame) -> str:
    """A page with the verdicts only.

    Args:
        study: its name.
        verdicts: of :func:`dying_relu.analysis.claims.read`, a row a claim or finding.
    """
    title = escape(f"Verdicts of the study “{study}”")
    return f"{HEAD.format(title=title, style=STYLE)}{verdict_table.tables(verdicts)}\n</body>\n</html>\n"


def _about(networks: Networks) -> str:
    shown = len(networks.sample)
    if shown == networks.total:
        return f"All {networks.total:,} networks of the study are shown."
    return f"The phase diagram shows all {networks.total:,} networks of the study; the other charts a random sample of {shown:,}."
