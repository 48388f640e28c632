"""The verdict on each finding, its estimate and the further numbers that the text quotes."""

from collections.abc import Mapping, Sequence
from typing import Any

from dying_relu.analysis import claims
from dying_relu.analysis.numbers.macro import Macro, words
from dying_relu.analysis.numbers.verdicts import LETTERS, of_row, settled, summary
from dying_relu.analysis.study_results import StudyResults


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros of all findings, from the study's ``claims.csv``: F1a is ``FindingOneA``."""
    table = claims.on_findings(settled(study))
    macros = {"FindingSummary": summary(table)}
    for row in table.to_dict("records"):
        prefix = f"Finding{LETTERS[int(row['claim'][1])]}{row['claim'][2].upper()}"
        macros |= of_row(row, prefix) | {f"{prefix}Seeds": words(seeds(row["cells"]))}
    return macros


def seeds(cells: Sequence[Mapping[str, Any]]) -> str:
    """The seeds that agree, in the cell in which fewest do.

    Args:
        cells: of a verdict, as the table has them.

    >>> seeds([{"agreeing": 18, "seeds": 20}]), seeds([{"agreeing": 18, "seeds": 20}, {"agreeing": 20, "seeds": 20}])
    ('18 of 20 seeds', 'at least 18 of 20 seeds in each of 2 cells')
    """
    if not cells:
        return "no seeds"
    least = min(cells, key=lambda cell: cell["agreeing"])
    agreeing = f"{least['agreeing']} of {least['seeds']} seeds"
    return agreeing if len(cells) == 1 else f"at least {agreeing} in each of {len(cells)} cells"
