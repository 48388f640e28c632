"""An interactive chart as a piece of HTML that draws itself without a connection, for notebooks."""

import base64
import gzip
import hashlib
import json
from html import escape

import altair as alt

from dying_relu.analysis.explorer.page import library

HTML = """\
<style>
.vega-bind, .vega-bind label {{ display: inline-flex; flex-wrap: wrap; align-items: center; }}
.vega-bind, .vega-bind label {{ gap: .4rem; margin: .2rem 1rem .2rem 0; }}
</style>
<div id="{name}" role="figure" aria-label="{label}">This chart needs JavaScript; in Jupyter, trust the notebook.</div>
<script>
(async () => {{
  const packed = Uint8Array.from(atob("{library}"), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const code = await new Response(unpacked).text();
  if (!window.vegaEmbed) (0, eval)(code);
  const actions = {{export: true, source: false, compiled: false, editor: false}};
  await vegaEmbed("#{name}", {specification}, {{renderer: "svg", actions}});
}})();
</script>
"""


def inline_chart(chart: alt.TopLevelMixin, label: str) -> str:
    """HTML with a chart, its data and the scripts that draw it; packed, 0.4 MB.

    Args:
        chart: of Altair.
        label: what it shows, for those who cannot see it.
    """
    # Within a script element, "</" would end it.
    specification = json.dumps(chart.to_dict()).replace("</", "<\\/")
    return HTML.format(
        name=f"chart-{hashlib.sha256(specification.encode()).hexdigest()[:12]}",
        label=escape(label),
        library=base64.b64encode(gzip.compress(library().encode(), mtime=0)).decode(),
        specification=specification,
    )
