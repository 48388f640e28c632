"""The cells of a claim: from a table with a value a seed and setting to named cells with their numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.inference.decisions import Cell

WORDS = {
    "dataset": "data set",
    "architecture": "network",
    "initial_bias": "initial bias",
    "learning_rate": "rate",
}
"""Factors as readers know them, where that is not their name."""


def by_seed(table: pd.DataFrame, by: Sequence[str], statistic: Callable[[pd.DataFrame], float]) -> pd.Series:
    """A statistic of the rows of every cell and seed.

    Args:
        table: with the columns ``by`` and replicate.
        by: the columns that make a cell.
        statistic: of some rows of it.

    Returns:
        The values, with an index of ``by`` and the replicate.
    """
    keys = [*by, "replicate"]
    groups = table.groupby(keys, sort=False, observed=True)
    names = pd.MultiIndex.from_tuples([key for key, _ in groups], names=keys)
    return pd.Series([statistic(group) for _, group in groups], index=names, dtype=float)


def cells_of(values: pd.Series, runs: pd.DataFrame, by: Sequence[str]) -> list[Cell]:
    """The cells that a study has runs for, each with the numbers of all its seeds.

    Args:
        values: a number a cell and seed, as :func:`by_seed` gives it.
        runs: all runs that could have given one, with the columns ``by`` and replicate: they say which cells and seeds there are, so that
            none vanishes with its numbers.
        by: the columns that make a cell.

    Returns:
        In the order of ``runs``; a seed without a value has NaN.
    """
    seeds = sorted(runs["replicate"].unique())
    found = dict(values.items())
    return [
        Cell(
            ", ".join(in_words(factor, level) for factor, level in levels.items()),
            tuple(float(found.get((*levels.values(), seed), np.nan)) for seed in seeds),
            {WORDS.get(factor, factor): _level(level) for factor, level in levels.items()},
        )
        for levels in _levels(runs, by)
    ]


def _levels(runs: pd.DataFrame, by: Sequence[str]) -> list[dict[str, Any]]:
    """The levels of every cell, in the order of ``runs``."""
    rows = runs[list(by)].drop_duplicates().itertuples(index=False, name=None)
    return [dict(zip(by, row, strict=True)) for row in rows]


def in_words(factor: str, level: object) -> str:
    """Name a factor's level: names speak for themselves, numbers stand behind their factor.

    Args:
        factor: the column.
        level: its value.

    >>> in_words("dataset", "cifar10"), in_words("initial_bias", -2.0)
    ('CIFAR-10', 'initial bias -2')
    """
    text = _level(level)
    return text if isinstance(level, str) else f"{WORDS.get(factor, factor.replace('_', ' '))} {text}"


def _level(level: object) -> str:
    return latex.name(level) if isinstance(level, str) else f"{level:g}"
