"""The project's ``README.md`` as far as it is generated: what was found, the table of findings and that of the claims' verdicts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.highlights import highlights
from dying_relu.analysis.inference.intervals import LEVEL
from dying_relu.analysis.numbers.agreement import agreement
from dying_relu.analysis.numbers.verdicts import estimate, literal, predicate, verdict
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path

START, END = "<!-- verdicts: written by `dying-relu readme` -->", "<!-- end of verdicts -->"
FINDINGS = "<!-- findings: written by `dying-relu readme` -->", "<!-- end of findings -->"
"""The marks around the table of findings, in a page that has one."""
HIGHLIGHTS = "<!-- highlights: written by `dying-relu readme` -->", "<!-- end of highlights -->"
"""The marks around the sentences on what was found, in a page that has them."""

_UNMEASURED = "not measured"
_UNITS = {r"\percent": " %"}


def write(readme: Path, verdicts: Path) -> None:
    """Replace what is generated in a Markdown file, in place: the verdicts, and findings and highlights where it has marks for them.

    Args:
        readme: file with the marks ``START`` and ``END``.
        verdicts: CSV file of :func:`dying_relu.analysis.claims.write`.

    Raises:
        DyingReluError: the file or its marks are missing, or the verdicts are missing or damaged.
    """
    if not readme.is_file():
        raise DyingReluError(
            f"there is no {readme}",
            remedy="run this in a clone of the project, or name the file with --out",
        )
    table = claims.read(verdicts)
    text = with_verdicts(readme.read_text(encoding="utf-8"), claims.on_claims(table))
    text = with_findings(text, claims.on_findings(table))
    text = with_highlights(text, table)
    with atomic_path(readme) as scratch:
        scratch.write_text(text, encoding="utf-8")


def with_verdicts(text: str, table: pd.DataFrame) -> str:
    """Replace what stands between the marks by a summary and the table of verdicts.

    Args:
        text: Markdown with the marks ``START`` and ``END``.
        table: of :func:`dying_relu.analysis.claims.read`, a row a claim.

    Raises:
        DyingReluError: the marks are missing.
    """
    if START not in text or END not in text:
        raise DyingReluError(
            "the README has lost the marks around its verdicts", expected=f"{START} and {END}"
        )
    return _between(text, (START, END), f"{summary(table)}\n\n{markdown(table)}")


def with_findings(text: str, table: pd.DataFrame) -> str:
    """Replace what stands between the marks ``FINDINGS``, in a text that has them, by a summary and the table of findings.

    Args:
        text: Markdown.
        table: of :func:`dying_relu.analysis.claims.read`, a row a finding.
    """
    if not all(mark in text for mark in FINDINGS):
        return text
    return _between(text, FINDINGS, f"{summary(table, 'hypotheses')}\n\n{findings(table)}")


def with_highlights(text: str, table: pd.DataFrame) -> str:
    """Replace what stands between the marks ``HIGHLIGHTS``, in a text that has them, by a list of sentences on what was found.

    Args:
        text: Markdown.
        table: of :func:`dying_relu.analysis.claims.read`, a row a claim or finding.
    """
    if not all(mark in text for mark in HIGHLIGHTS):
        return text
    return _between(text, HIGHLIGHTS, "\n".join(f"- {plain(one)}" for one in highlights(table)))


def _between(text: str, marks: tuple[str, str], body: str) -> str:
    before, rest = text.split(marks[0], 1)
    return "\n".join([before + marks[0], body, marks[1] + rest.split(marks[1], 1)[1]])


def summary(table: pd.DataFrame, rules: str = "claims") -> str:
    """Count the verdicts in one sentence.

    Args:
        table: of :func:`dying_relu.analysis.claims.read`, a row a claim or finding.
        rules: the plural that the sentence calls them by.
    """
    counts = [(verdict, int((table["verdict"] == verdict).sum())) for verdict in claims.VERDICTS]
    clauses = [
        f"{plain(latex.word(count))} {predicate(verdict, count)}" for verdict, count in counts if count
    ]
    return f"Of {plain(latex.word(len(table)))} {rules}, {latex.listed(clauses)}."


def markdown(table: pd.DataFrame) -> str:
    """Write the verdicts as a Markdown table: claim, statement, verdict, that of the literal reading, and the effect with its interval.

    Args:
        table: of :func:`dying_relu.analysis.claims.read`, a row a claim.
    """
    lines = [
        f"| claim | the post says | verdict | literally | effect ({LEVEL:.0%} interval over seeds) |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [_row(row) for row in table.to_dict("records")]
    return "\n".join(lines)


def findings(table: pd.DataFrame) -> str:
    """Write the verdicts on findings as a Markdown table: what was expected, verdict, effect with its interval, seeds that agree.

    Args:
        table: of :func:`dying_relu.analysis.claims.read`, a row a finding.
    """
    lines = [
        f"| finding | expected | verdict | effect ({LEVEL:.0%} interval over seeds) | seeds that agree |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in table.to_dict("records"):
        effect = f"{plain_estimate(row)}: {row['measure']}"
        lines.append(_line(row["claim"], row["statement"], verdict(row), effect, agreement(row["cells"])))
    return "\n".join(lines)


def plain(text: str) -> str:
    r"""Numbers in LaTeX as plain text, so that README and paper round alike.

    >>> plain(r"\qty{5.8}{\percent} (\qty{5.5}{\percent} to \qty{<6}{\percent})"), plain(r"\num{-9.8} points")
    ('5.8 % (5.5 % to <6 %)', '-9.8 points')
    >>> plain(r"\num{89700} units")
    '89,700 units'
    """
    text = text.replace(latex.NOT_MEASURED, _UNMEASURED)
    text = re.sub(r"\\num\{(\d{5,})\}", lambda match: f"{int(match[1]):,}", text)
    text = re.sub(r"\\num\{(.*?)\}", r"\1", text)
    return re.sub(r"\\qty\{(.*?)\}\{(.*?)\}", lambda match: match[1] + _UNITS[match[2]], text)


def _row(row: Mapping[Any, Any]) -> str:
    effect = f"{plain_estimate(row)}: {row['measure']}"
    return _line(row["claim"], row["statement"], verdict(row), literal(row), effect)


def plain_estimate(row: Mapping[Any, Any]) -> str:
    """The effect of a row of verdicts with its interval; the mean is infinite where seeds count against a law without a number."""
    text = plain(estimate(row))
    return "no finite mean" if text == _UNMEASURED and row["cells"] else text


def _line(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
