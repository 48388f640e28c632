"""The small study's tables in memory: to turn an effect round in them, and to settle a claim by them, without files."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
from small_study import GRIDS, small_tables

from dying_relu.analysis.claims.evidence import DEAD, Definition, Evidence
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.study_results import StudyResults
from dying_relu.results import store

Change = Callable[[pd.DataFrame], pd.DataFrame]


class SmallResults(StudyResults):
    """Results that are in memory.

    Args:
        tables: by name.
    """

    def __init__(self, tables: dict[str, pd.DataFrame]) -> None:
        super().__init__(Path("nowhere"))
        self._stored = tables

    def _read(self, name: str, columns: list[str]) -> pd.DataFrame:
        return self._stored[name][columns or list(self._stored[name])].copy()


class SmallEvidence(Evidence):
    """The small study, with some of its tables changed.

    Args:
        replicates: of each setting.
        experiments: that it has.
        definition: of death.
        changes: by table; what comes out must obey the table's schema.
    """

    def __init__(
        self,
        replicates: int = 3,
        experiments: tuple[str, ...] = tuple(GRIDS),
        definition: Definition = DEAD,
        **changes: Change,
    ) -> None:
        tables = dict(_made_once(replicates, experiments))
        for name, change in changes.items():
            changed = change(tables[name].copy()).reset_index(drop=True)
            tables[name] = store.checked(name, changed, Path(name))
        super().__init__(SmallResults(tables), definition)


@cache
def _made_once(replicates: int, experiments: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    return small_tables(replicates, experiments)


def settled(claim: str, evidence: Evidence | None = None, **changes: Change) -> pd.Series:
    """The row of the verdict on ``claim`` in the small study, or in that with ``changes``, with the details as JSON has them."""
    row = settled_by(evidence or SmallEvidence(**changes), [claim]).iloc[0].copy()
    row["details"] = json.loads(row["details"])
    return row
