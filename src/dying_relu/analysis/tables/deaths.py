"""The causes of each death: the parts of bias, weights and inputs, by optimiser and depth."""

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.claims.deaths import deaths
from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.inference.attribution import PARTS
from dying_relu.analysis.inference.means import mean_interval
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.tabular import tabular


def table(study: StudyResults) -> str:
    """A row an optimiser and depth: the deaths, and the shares of them in which each part was the largest or enough by itself."""
    try:
        fatal = deaths(Evidence(study))
    except NotEnoughData as reason:
        return latex.escape(f"Of this study nothing can be said: {reason}.") + "\n"
    rows = [
        _row(str(optimiser), str(place), group)
        for (place, optimiser), group in fatal.groupby(["place", "optimiser"], sort=False)
    ]
    cells = pd.DataFrame(rows, columns=pd.MultiIndex.from_tuples(list(rows[0])))
    return tabular(cells, "@{}llrllllll@{}")


def _row(optimiser: str, place: str, fatal: pd.DataFrame) -> dict[tuple[str, str], str]:
    cells = {
        ("", "Units of"): place,
        ("", "Optimiser"): latex.escape(latex.name(optimiser)),
        ("", "Deaths"): latex.number(len(fatal)),
    }
    for part in PARTS:
        largest = fatal.assign(value=fatal["largest"] == part)
        cells["largest part, \\% of deaths", _heading(part)] = _share(largest)
    for part in PARTS:
        enough = fatal.assign(value=fatal[f"enough_{part}"])
        cells["enough by itself, \\% of deaths", _heading(part)] = _share(enough)
    return cells


def _heading(part: str) -> str:
    return part.removeprefix("by_")


def _share(fatal: pd.DataFrame) -> str:
    """The mean over seeds of the share of a seed's deaths, with its t interval."""
    share = mean_interval(fatal.groupby("replicate")["value"].mean().to_numpy())
    return latex.hundredths(*share[:3])
