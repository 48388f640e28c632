"""Evidence for figures: a study's tables as data frames, as findings and claims take them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.study_results import StudyResults

LAYERS = (
    "run",
    "step",
    "depth",
    "probe",
    "units",
    "inactive",
    "dead_all",
    "new_dead_all",
    "offset_share",
    "input_mean_norm",
    "input_mean_norm_1",
    "pre_activation_sd",
)
"""The columns of the table of layers that findings rest on."""


class TablesInMemory(StudyResults):
    """The results of a study whose tables are data frames.

    Args:
        tables: by name.
    """

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        super().__init__(Path())
        self._given = tables

    def table(self, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        """A table, with all columns that it was given with."""
        return self._given[name]


def of(**tables: pd.DataFrame) -> Evidence:
    """The evidence of some tables, judged by the plan's thresholds.

    Args:
        tables: by name, such as ``runs``.
    """
    return Evidence(TablesInMemory(tables))
