"""The shell of the HTML pages: style for light, dark and narrow screens, and a script that sorts tables; nothing is fetched."""

from html import escape
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

STYLE = """
.dead-units { --ink: #1b1b1b; --paper: #fff; --line: #ddd; --quiet: #666; --panel: #f5f5f5; --bad: #b3261e;
  font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 0 auto; padding: 0 1rem; }
@media (prefers-color-scheme: dark) {
  .dead-units { --ink: #e6e6e6; --paper: #16181c; --line: #383c44; --quiet: #a0a6b0; --panel: #20242b; --bad: #ff8a80; }
  .dead-units img { filter: invert(0.91) hue-rotate(180deg); }
}
.dead-units h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.2rem 0 .3rem; }
.dead-units h2 { font-size: 1.15rem; margin: 1.8rem 0 .4rem; }
.dead-units .quiet { color: var(--quiet); margin: .2rem 0 1rem; }
.dead-units .wide { overflow-x: auto; }
.dead-units table { border-collapse: collapse; font-variant-numeric: tabular-nums; color: inherit; font-size: 13.5px; }
.dead-units th, .dead-units td { padding: .15rem .6rem; text-align: right; border: 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; background: var(--paper); color: inherit; }
.dead-units th { text-decoration: underline dotted var(--quiet); text-underline-offset: 3px; }
.dead-units th:first-child, .dead-units td:first-child { text-align: left; position: sticky; left: 0; }
.dead-units th[data-sort] { cursor: pointer; }
.dead-units .bad { color: var(--bad); font-weight: 600; }
.dead-units .panel { background: var(--panel); padding: .6rem 1rem; border-radius: 6px; overflow-wrap: anywhere; }
.dead-units .panel p { margin: .4rem 0; } .dead-units .panel ul { margin: .2rem 0 .8rem; padding-left: 1.2rem; }
.dead-units img { max-width: 100%; height: auto; }
.dead-units summary { cursor: pointer; padding: .2rem 0; overflow-wrap: anywhere; }
.dead-units dt { font-weight: 600; } .dead-units dd { margin: 0 0 .3rem 1rem; color: var(--quiet); }
"""

SCRIPT = """
document.querySelectorAll("script.units").forEach(function (data) {
  var details = data.closest("details");
  details.addEventListener("toggle", function () {
    if (!details.open || details.querySelector("table")) return;
    var content = JSON.parse(data.textContent), table = document.createElement("table"), head = table.createTHead().insertRow();
    content.columns.forEach(function (name) {
      var cell = document.createElement("th");
      cell.textContent = name.replace(/_/g, " "); cell.title = MEANINGS[name] || ""; head.append(cell);
    });
    var body = table.createTBody();
    content.rows.forEach(function (values) {
      var row = body.insertRow();
      values.forEach(function (value) {
        row.insertCell().textContent = value === true ? "yes" : value === null || value === false ? "" : value;
      });
    });
    details.querySelector(".wide").append(table); sortable(table);
  });
});
function sortable(table) {
  Array.from(table.tHead.rows[0].cells).forEach(function (head, place) {
    head.dataset.sort = ""; head.tabIndex = 0;
    function sort() {
      var down = head.dataset.sort !== "down", body = table.tBodies[0];
      Array.from(table.tHead.rows[0].cells).forEach(function (other) { other.dataset.sort = ""; other.removeAttribute("aria-sort"); });
      head.dataset.sort = down ? "down" : "up"; head.setAttribute("aria-sort", down ? "descending" : "ascending");
      Array.from(body.rows).sort(function (a, b) {
        var left = a.cells[place].textContent, right = b.cells[place].textContent;
        if (left === "" || right === "") return (left === "") - (right === "");
        var order = isNaN(left) || isNaN(right) ? left.localeCompare(right, undefined, {numeric: true}) : left - right;
        return down ? -order : order;
      }).forEach(function (row) { body.append(row); });
    }
    head.addEventListener("click", sort);
    head.addEventListener("keydown", function (event) { if (event.key === "Enter") sort(); });
  });
}
document.querySelectorAll("table.sortable").forEach(sortable);
"""

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
body { margin: 0; background: #fff; }
@media (prefers-color-scheme: dark) { body { background: #16181c; } }
$style</style>
</head>
<body>
<main class="dead-units">
$body
</main>
<script>
var MEANINGS = $meanings;
$script</script>
</body>
</html>
""")


def page(title: str, body: str, meanings: str) -> str:
    """A whole page.

    Args:
        title: of the window, as text.
        body: HTML.
        meanings: a JSON object, column -> its meaning, without "<".
    """
    return PAGE.substitute(title=escape(title), style=STYLE, body=body, meanings=meanings, script=SCRIPT)


def fragment(body: str) -> str:
    """A piece of a page that a notebook shows, with its style.

    Args:
        body: HTML.
    """
    return f'<div class="dead-units"><style>{STYLE}</style>\n{body}\n</div>'


def table(rows: "pd.DataFrame", meanings: "Mapping[str, str]", bad: tuple[str, ...] = ()) -> str:
    """A table that the page's script sorts.

    Args:
        rows: to show; their index is left out.
        meanings: column -> its meaning, shown when the pointer rests on its head.
        bad: columns whose numbers above 0 are emphasised.
    """
    names = [str(name) for name in rows]
    heads = "".join(
        f'<th title="{escape(meanings.get(name, ""))}">{escape(name.replace("_", " "))}</th>'
        for name in names
    )
    lines = [
        "<tr>" + "".join(_cell(value, name in bad) for name, value in zip(names, row, strict=True)) + "</tr>"
        for row in rows.astype(object).where(rows.notna(), "").itertuples(index=False)
    ]
    return (
        f'<div class="wide"><table class="sortable"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(value: object, bad: bool) -> str:
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return (
        f'<td class="bad">{text}</td>'
        if bad and isinstance(value, int | float) and value > 0
        else f"<td>{text}</td>"
    )


def paragraphs(text: str) -> str:
    r"""Lines of advice as HTML: those that are indented become a list beneath the one before.

    Args:
        text: lines.

    >>> paragraphs("a\n  b\nc")
    '<p>a</p><ul><li>b</li></ul><p>c</p>'
    """
    html, inside = "", False
    for line in text.splitlines():
        indented = line.startswith(" ")
        html += "<ul>" if indented and not inside else "</ul>" if inside and not indented else ""
        html += f"<li>{escape(line.strip())}</li>" if indented else f"<p>{escape(line)}</p>"
        inside = indented
    return html + ("</ul>" if inside else "")
