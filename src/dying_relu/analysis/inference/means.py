"""Printed means: t intervals over seeds, seeds jointly over all cells. They decide nothing; verdicts follow from medians."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from dying_relu.analysis.inference.intervals import LEVEL, Interval


def mean_interval(values: Sequence[float] | np.ndarray) -> Interval:
    """The mean of one number a seed with its t interval.

    Args:
        values: (n,) a number a seed, NaN where it has none.

    Returns:
        The ends are NaN where half or more of the values are equal (their distribution has an atom, and the t interval does not cover),
        or where there is one value only; the estimate is NaN where there is none.

    >>> [round(end, 3) for end in mean_interval([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484, 3]
    """
    numbers = np.asarray(values, dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return Interval(np.nan, np.nan, np.nan, 0)
    estimate = float(numbers.mean())
    if len(numbers) < 2 or is_tied(numbers):
        return Interval(estimate, np.nan, np.nan, len(numbers))
    return _around(estimate, numbers.std(ddof=1) / np.sqrt(len(numbers)), len(numbers))


def is_tied(values: np.ndarray) -> bool:
    """Tell whether half or more of (n,) values are one and the same."""
    most = np.unique(values, return_counts=True)[1].max()
    return most > 1 and 2 * most >= len(values)


def mean_over_cells(table: pd.DataFrame) -> Interval:
    """The mean over cells of the mean over seeds, with a t interval over seeds, which all cells share.

    Where a seed lacks a cell, the standard error is that of the delete-one-seed jackknife; no seed is left out for it.

    Args:
        table: (seeds, cells) numbers, NaN where a seed has none in a cell. Cells without any are left out.

    Returns:
        The ends are NaN where half or more of the seeds' means over cells are equal.
    """
    cells = table.dropna(axis="columns", how="all").dropna(how="all")
    if cells.empty:
        return Interval(np.nan, np.nan, np.nan, 0)
    if not cells.isna().any(axis=None):
        return mean_interval(cells.mean(axis=1).to_numpy())
    return jackknife(cells, lambda some: float(some.mean().mean()))


def jackknife(seeds: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]) -> Interval:
    """A statistic of all seeds with its delete-one-seed jackknife interval, by the t distribution.

    Args:
        seeds: a row a seed.
        statistic: of such a table, with any number of rows.

    Returns:
        The ends are NaN where half or more of the pseudo-values are equal, or one is not finite.
    """
    n = len(seeds)
    estimate = statistic(seeds)
    if n < 2:
        return Interval(estimate, np.nan, np.nan, n)
    rest = np.array([statistic(seeds.drop(index=seeds.index[place])) for place in range(n)])
    pseudo = n * estimate - (n - 1) * rest
    if not np.isfinite(pseudo).all() or is_tied(pseudo.round(12)):
        return Interval(estimate, np.nan, np.nan, n)
    return _around(estimate, pseudo.std(ddof=1) / np.sqrt(n), n)


def _around(estimate: float, standard_error: float, n: int) -> Interval:
    # Here, because its import takes longer than a figure.
    from scipy.stats import t

    half = float(t.ppf((1 + LEVEL) / 2, n - 1) * standard_error)
    return Interval(estimate, estimate - half, estimate + half, n)
