"""The verdicts' cells by data set, architecture and optimiser."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dying_relu.analysis import claims
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular

GROUPS = (("MNIST", "CIFAR-10"), ("MLP", "CNN"), ("SGD", "momentum", "Adam"))
"""Levels by which cells are told apart; each group's are of one factor."""
STATES = ("holds", "fails", "open")


def table(study: StudyResults) -> str:
    """A row a claim or finding whose cells differ in one of the factors: how many cells of a level hold, fail and are open."""
    rows = []
    for row in claims.everything(study).to_dict("records"):
        counts = {level: counted(row["cells"], level) for group in GROUPS for level in group}
        if any(sum(bool(counts[level]) for level in group) > 1 for group in GROUPS):
            rows.append({"": row["claim"]} | counts)
    columns = ["", *(level for group in GROUPS for level in group)]
    return tabular(pd.DataFrame(rows, columns=columns), "@{}l" + "c" * (len(columns) - 1) + "@{}")


def counted(cells: Sequence[Mapping[str, Any]], level: str) -> str:
    """The number of cells of a level that hold, fail and are open; empty if there is none.

    Args:
        cells: of a verdict, as the table of verdicts has them.
        level: of a factor, as the cells' names have it.

    >>> counted([{"name": "MNIST, SGD", "state": "holds"}, {"name": "CIFAR-10, SGD", "state": "open"}], "SGD")
    '1 / 0 / 1'
    """
    states = [cell["state"] for cell in cells if _is_of(cell["name"], level)]
    return " / ".join(str(states.count(state)) for state in STATES) if states else ""


def _is_of(name: str, level: str) -> bool:
    # Cells that are equal seed by seed are one, with all their names.
    return level in re.split(r",\s*|\s*=\s*", name)
