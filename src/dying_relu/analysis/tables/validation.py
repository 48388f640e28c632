"""Our networks against theory and published numbers."""

import re
from typing import Any

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular
from dying_relu.simulations.protocol import INDEPENDENT


def table(study: StudyResults) -> str:
    """A row a check: its source, the published or exact probability, ours with its standard error, and the difference."""
    checks = study.table("validation")
    rows = [_row(row) for row in checks.to_dict("records")]
    return tabular(pd.DataFrame(rows), "@{}lllrr@{}")


def _row(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "Probability that dead is": _formulas(latex.escape(row["quantity"])),
        "Source": _source(row["source"]),
        "Value": _published(row),
        "Ours": rf"\num{{{row['ours']:.4f} \pm {row['standard_error']:.4f}}}",
        "Difference": _difference(row),
    }


def _formulas(quantity: str) -> str:
    """The letters and their values as formulas."""
    return re.sub(r"\b([A-Za-z]) = (-?[0-9.]+)", r"$\1 = \2$", quantity).replace("|x|", "$|x|$")


def _source(key: str) -> str:
    if key == INDEPENDENT:
        return key
    return rf"\cref{{{key}}}" if key.startswith("eq:") else rf"\citeauthor{{{key}}}"


def _published(row: dict[Any, Any]) -> str:
    if row["kind"] == "reported":
        return latex.escape(row["published"])
    exact = rf"\num{{{row['low']:.4f}}}"
    return rf"{exact} ({latex.escape(row['published'])})" if row["published"] else exact


def _difference(row: dict[Any, Any]) -> str:
    if row["kind"] == "reported" and row["difference"] == 0:
        return "within"
    return rf"\num{{{row['difference']:+.4f}}}" + ("" if row["agrees"] else r"\rlap{$^\ast$}")
