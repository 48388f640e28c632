"""The table of verdicts in the project's ``README.md``, generated from the published verdicts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.inference.intervals import LEVEL
from dying_relu.analysis.numbers.verdicts import estimate, predicate, verdict
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path

START, END = "<!-- verdicts: written by `dying-relu readme` -->", "<!-- end of verdicts -->"

_UNMEASURED = "not measured"
_UNITS = {r"\percent": " %"}


def write(readme: Path, verdicts: Path) -> None:
    """Replace the verdicts in a Markdown file, in place.

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
    text = with_verdicts(readme.read_text(encoding="utf-8"), claims.read(verdicts))
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
    before, rest = text.split(START, 1)
    after = rest.split(END, 1)[1]
    return "\n".join([before + START, summary(table), "", markdown(table), END + after])


def summary(table: pd.DataFrame) -> str:
    """Count the verdicts in one sentence.

    Args:
        table: of :func:`dying_relu.analysis.claims.read`, a row a claim.
    """
    counts = [(verdict, int((table["verdict"] == verdict).sum())) for verdict in claims.VERDICTS]
    clauses = [
        f"{plain(latex.word(count))} {predicate(verdict, count)}" for verdict, count in counts if count
    ]
    return f"Of {plain(latex.word(len(table)))} claims, {latex.listed(clauses)}."


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


def plain(text: str) -> str:
    r"""Numbers in LaTeX as plain text, so that README and paper round alike.

    >>> plain(r"\qty{5.8}{\percent} (\qty{5.5}{\percent} to \qty{<6}{\percent})"), plain(r"\num{-9.8} points")
    ('5.8 % (5.5 % to <6 %)', '-9.8 points')
    """
    text = text.replace(latex.NOT_MEASURED, _UNMEASURED)
    text = re.sub(r"\\num\{(.*?)\}", r"\1", text)
    return re.sub(r"\\qty\{(.*?)\}\{(.*?)\}", lambda match: match[1] + _UNITS[match[2]], text)


def _row(row: Mapping[Any, Any]) -> str:
    effect = f"{plain(estimate(row))}: {row['measure']}"
    cells = (row["claim"], row["statement"], verdict(row), row["literal"] or "the same", effect)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
