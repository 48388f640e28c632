"""Choices made on selection seeds: the level of a factor, such as a rate or a slope, that is best on average in each setting."""

from collections.abc import Sequence

import pandas as pd


def best(
    selection: pd.DataFrame, by: Sequence[str], factors: Sequence[str], value: str = "score"
) -> pd.DataFrame:
    """The levels at which a value is highest on average over the selection seeds, in every setting.

    Args:
        selection: runs of the selection seeds, with the columns ``by``, ``factors`` and ``value``.
        by: the columns that make a setting.
        factors: the columns whose levels are chosen, jointly.
        value: the column to maximise; of equal ones the first in the order of the levels wins.

    Returns:
        A row a setting, with the columns ``by`` and ``factors``.
    """
    keys = [*by, *factors]
    means = selection.groupby(keys, observed=True)[value].mean().dropna().reset_index()
    return means.loc[means.groupby(list(by), sort=False, observed=True)[value].idxmax(), keys]
