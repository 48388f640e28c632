"""Each row of the table of what is seen, in docs/probe.md, is a test."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_row_of_the_table_is_a_test() -> None:
    page = (ROOT / "docs/probe.md").read_text(encoding="utf-8")
    table = page.partition("## What is seen")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .+ \| `(test_\w+)` \|$", table, flags=re.MULTILINE)
    assert len(rows) == sum(line.startswith("| ") for line in table.splitlines()) - 2
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in rows if f"def {name}(" not in sources] == []
