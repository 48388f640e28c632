"""Doses and their effects: the dose from which on a share is reached, and the exponent of a power law."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.inference.means import jackknife
from dying_relu.analysis.inference.seeds import median_interval
from dying_relu.analysis.outcomes import trained, untrained

DOSES_FOR_A_LAW = 3
"""Through two points there is always a line."""


def crossings(runs: pd.DataFrame, by: Sequence[str], dose: str, value: str, level: float) -> pd.DataFrame:
    """The dose at which ``value`` reaches ``level`` in each seed, in every setting: its median with the order-statistic interval.

    Between doses the value is read linearly in the logarithm of the dose, where it first reaches the level. A run that did not
    train has no value, and its dose is left out for its seed.

    Args:
        runs: a row a run, with the columns replicate and outcome.
        by: the columns that make a setting.
        dose: the column of positive doses.
        value: the column to follow.
        level: the value to reach.

    Returns:
        A row a setting: the columns of ``by``, then estimate, low, high (0 where the smallest dose is beyond it, infinite where no dose
        reaches it), n (seeds) and untrained (runs).
    """
    rows = []
    for setting, group in runs.groupby(list(by), sort=True, dropna=False, observed=True):
        each = [
            crossing(one[dose].to_numpy(), one[value].to_numpy(), level)
            for _, one in group[trained(group)].sort_values(dose).groupby("replicate")
        ]
        found = median_interval(each) if each else Interval(np.nan, np.nan, np.nan, 0)
        rows.append((*setting, *found, int(untrained(group).sum())))
    return pd.DataFrame(rows, columns=[*by, *Interval._fields, "untrained"])


def crossing(doses: np.ndarray, values: np.ndarray, level: float) -> float:
    """The first dose at which values reach a level, linear in the logarithm of the dose between neighbours.

    Args:
        doses: (n,) positive, rising.
        values: (n,) the value at each.
        level: to reach.

    Returns:
        0 where the smallest dose is beyond it, infinity where none reaches it.

    >>> crossing(np.array([1.0, 100.0]), np.array([0.0, 0.5]), 0.25)
    10.0
    """
    if values[0] >= level:
        return 0.0
    reached = np.flatnonzero(values >= level)
    if not len(reached):
        return np.inf
    after = reached[0]
    share = (level - values[after - 1]) / (values[after] - values[after - 1])
    return float(round(doses[after - 1] * (doses[after] / doses[after - 1]) ** share, 12))


def exponents(
    runs: pd.DataFrame, by: Sequence[str], dose: str, value: str, most: float = 0.5
) -> pd.DataFrame:
    """The exponent k of a power law ``value`` = c ``dose``^k in every setting: the slope of a line through the logarithms.

    The line is a least-squares fit to the means over seeds, at the doses at which every seed trained and the mean lies above 0,
    which has no logarithm, and below ``most``, beyond which a share cannot follow a power law. The interval is that of the
    delete-one-seed jackknife, which chooses the doses anew each time.

    Args:
        runs: a row a run, with the columns replicate and outcome.
        by: the columns that make a setting.
        dose: the column of positive doses.
        value: the column of shares.
        most: the share below which the law is looked for.

    Returns:
        A row a setting: the columns of ``by``, then estimate, low, high (NaN where fewer than ``DOSES_FOR_A_LAW`` doses
        qualify), n (doses that do) and untrained (runs).
    """
    rows = []
    for setting, group in runs.groupby(list(by), sort=True, dropna=False, observed=True):
        found = jackknife(_curves(group, dose, value), lambda some: _log_log_slope(some, most))
        used = int(_within(_curves(group, dose, value).mean(), most).sum())
        rows.append((*setting, *found[:3], used, int(untrained(group).sum())))
    return pd.DataFrame(rows, columns=[*by, *Interval._fields, "untrained"])


def _curves(runs: pd.DataFrame, dose: str, value: str) -> pd.DataFrame:
    """(seeds, doses) the values at the doses at which every seed trained."""
    table = runs.assign(value=runs[value].where(trained(runs)))
    curves = table.pivot_table(index="replicate", columns=dose, values="value", aggfunc="mean", dropna=False)
    return curves.dropna(axis="columns")


def _within(means: pd.Series, most: float) -> pd.Series:
    return (means > 0) & (means < most)


def _log_log_slope(curves: pd.DataFrame, most: float) -> float:
    means = curves.mean()
    chosen = means[_within(means, most)]
    if len(chosen) < DOSES_FOR_A_LAW:
        return np.nan
    return float(np.polyfit(np.log(chosen.index.to_numpy(dtype=float)), np.log(chosen.to_numpy()), deg=1)[0])
