"""Medians over seeds with their exact intervals, for every setting of a figure, and how they are drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.inference.seeds import known, median_interval


def medians(table: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """The median over seeds of every setting, with its order-statistic interval.

    Args:
        table: with the columns ``by``, replicate and ``value``; several rows of a seed in a setting are averaged first.
        by: the columns that make a setting.
        value: the column to summarise; NaN where a seed has no value.

    Returns:
        A row a setting, sorted: the columns ``by``, then estimate, low, high (NaN where there is no such interval, as with fewer
        than six seeds), n (seeds with a value) and seeds.
    """
    each = table.groupby([*by, "replicate"], observed=True)[value].mean()
    groups = each.reset_index().groupby(list(by), observed=True)[value]
    rows = [(*setting, *interval(numbers), len(numbers)) for setting, numbers in groups]
    return pd.DataFrame(rows, columns=[*by, *Interval._fields, "seeds"])


def interval(values: Sequence[float] | np.ndarray | pd.Series) -> Interval:
    """The median with its interval as a figure shows it.

    Args:
        values: (n,) a number a seed, NaN where it has none.

    Returns:
        All NaN where no seed has a value; ends that are infinite are NaN.

    >>> interval([1.0, 2.0, 3.0])
    Interval(estimate=2.0, low=nan, high=nan, n=3)
    """
    numbers = np.asarray(values, dtype=float)
    if not len(known(numbers)):
        return Interval(np.nan, np.nan, np.nan, 0)
    one = median_interval(numbers)
    low, high = (end if np.isfinite(end) else np.nan for end in (one.low, one.high))
    return Interval(one.estimate, low, high, one.n)


def errors(summary: pd.DataFrame) -> np.ndarray:
    """The lengths of the bars of an interval below and above its estimate, as matplotlib takes them.

    Args:
        summary: (settings,) with the columns estimate, low and high.

    Returns:
        (2, settings); 0 where there is no interval.
    """
    ends = [summary["estimate"] - summary["low"], summary["high"] - summary["estimate"]]
    return np.nan_to_num(np.array(ends, dtype=float)).clip(min=0)


def curve(axes: Axes, across: str, summary: pd.DataFrame, **look: Any) -> None:
    """Draw medians as a curve with their intervals as bars.

    Args:
        axes: to draw on.
        across: the column on the horizontal axis.
        summary: of :func:`medians`.
        look: options of matplotlib's ``errorbar``.
    """
    shown = summary[summary["estimate"].notna()]
    axes.errorbar(shown[across], shown["estimate"], errors(shown), elinewidth=0.7, capsize=0, **look)


def points(axes: Axes, heights: Sequence[float] | np.ndarray, summary: pd.DataFrame, **look: Any) -> None:
    """Draw medians as points in rows, with their intervals as horizontal bars.

    Args:
        axes: to draw on.
        heights: (settings,) the vertical position of each.
        summary: (settings,) with the columns estimate, low and high.
        look: options of matplotlib's ``errorbar``.
    """
    options: dict[str, Any] = {"linestyle": "", "elinewidth": 0.9, "capsize": 0} | look
    axes.errorbar(summary["estimate"], heights, xerr=errors(summary), **options)
