"""The change of the dead share from one level of a factor to another, seed by seed."""

from collections.abc import Sequence

import pandas as pd


def change(
    runs: pd.DataFrame, levels: pd.DataFrame, by: Sequence[str], factor: str, value: str = "dead_fraction"
) -> pd.Series:
    """The change of a value between two levels of a factor, of twins.

    Args:
        runs: a row a run that counts, with the columns ``by``, replicate, ``value`` and ``factor``.
        levels: a row a cell, with the columns ``by``, ``low`` and ``high``: the levels to compare. Cells of a single level are left out.
        by: the columns that make a cell.
        factor: the column whose levels are compared.
        value: the column to subtract.

    Returns:
        The mean value at ``high`` minus that at ``low``, with an index of ``by`` and the replicate; NaN where one of them is missing.
    """
    tested = runs.merge(levels[levels["low"] != levels["high"]], on=list(by))
    ends = {
        end: tested[tested[factor] == tested[end]].groupby([*by, "replicate"], sort=False)[value].mean()
        for end in ("low", "high")
    }
    return ends["high"] - ends["low"]
