"""Sentences that are written for certain verdicts agree with the published ones.

Beside such a sentence in a page, a module or a notebook stands a comment such as ``depends on: F1a holds, C4 does not hold``. What the
README says is generated, and the paper's text has comments of its own.
"""

import re
from pathlib import Path

import pytest
from generated_paper import ROOT
from prose import MARKDOWN, PYTHON
from published_study import PUBLISHED

from dying_relu.analysis import claims
from dying_relu.analysis.highlights import HIGHLIGHTS

COMMENT = re.compile(r"(?:#|<!--) depends on: (.*?)(?: -->)?$", flags=re.MULTILINE)
PRESUMED = re.compile(r"([CF]\d+[a-z]?) (.+)")
PAGES = [page for page in [*MARKDOWN, *PYTHON] if "tests" not in page.relative_to(ROOT).parts]


def presumed(page: Path) -> list[tuple[str, str]]:
    """The rules that a page names in such comments, each with the verdict that is presumed."""
    comments = COMMENT.findall(page.read_text(encoding="utf-8"))
    parts = [part for comment in comments for part in comment.split(", ")]
    return [(match[1], match[2]) if (match := PRESUMED.fullmatch(part)) else (part, "") for part in parts]


DEPENDING = {page.relative_to(ROOT).as_posix(): pairs for page in PAGES if (pairs := presumed(page))}
RULES = {rule.id for rule in (*claims.ordered(), *claims.ordered_findings())}


def test_there_are_such_comments_and_they_name_rules_and_verdicts() -> None:
    assert {"docs/probe.md", "src/dying_relu/probing/advice.py"} <= DEPENDING.keys()
    for pairs in [*DEPENDING.values(), *(one.depends_on.items() for one in HIGHLIGHTS)]:
        for rule, verdict in pairs:
            assert (rule in RULES, verdict in claims.VERDICTS) == (True, True), (rule, verdict)


@pytest.mark.parametrize("page", DEPENDING)
def test_the_published_verdicts_are_those_that_are_presumed(page: str) -> None:
    table = claims.read(PUBLISHED / "claims.csv")
    published = dict(zip(table["claim"], table["verdict"], strict=True))
    assert [pair for pair in DEPENDING[page] if published[pair[0]] != pair[1]] == []
