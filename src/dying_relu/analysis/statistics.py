"""Estimates with intervals. The replicate is the unit of analysis: units and checkpoints of one network are not independent.

Intervals are percentile bootstrap intervals over replicates; where strata (data sets, architectures, ...) are pooled, replicates are
drawn within each stratum and every stratum counts the same (Agarwal et al., 2021). With few replicates they are
too narrow: of the intervals of three replicates about three in four cover the mean, of five replicates five in six; the
figures show the replicates themselves beside them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.95
"""Nominal coverage of every interval."""

RESAMPLES = 2_000
SEED = 20190606


class Interval(NamedTuple):
    """An estimate, the ends of its interval, and the number of replicates it rests on."""

    estimate: float
    low: float
    high: float
    n: int


def interval(
    values: Sequence[float] | np.ndarray, strata: Sequence[object] | np.ndarray | None = None
) -> Interval:
    """The mean of ``values``, one a replicate, with a bootstrap interval over replicates.

    Args:
        values: (n,) finite numbers.
        strata: (n,) the stratum of each; the estimate is the mean of the strata's means. None: all are of one stratum.

    Returns:
        The interval is the estimate itself where every stratum has a single replicate, because nothing is known of the spread.

    Raises:
        ValueError: no values, or one that is not finite (a diverged run belongs in a count, not in a mean).

    >>> interval([0.25, 0.25, 0.25])
    Interval(estimate=0.25, low=0.25, high=0.25, n=3)
    """
    numbers = np.asarray(values, dtype=float)
    if numbers.size == 0 or not np.isfinite(numbers).all():
        raise ValueError(f"an interval needs finite values, not {numbers}")
    labels = np.zeros(len(numbers)) if strata is None else pd.factorize(np.asarray(strata))[0]
    # Sorted, so that the resamples do not depend on the order of the rows.
    samples = [np.sort(numbers[labels == label]) for label in np.unique(labels)]
    estimate = float(np.mean([sample.mean() for sample in samples]))
    if all(np.ptp(sample) == 0 for sample in samples):
        return Interval(estimate, estimate, estimate, len(numbers))
    # A stratum's single replicate is drawn every time; scipy wants at least two of everything.
    drawn = stats.bootstrap(
        [np.repeat(sample, 2) if len(sample) == 1 else sample for sample in samples],
        lambda *resampled, axis: np.mean([sample.mean(axis=axis) for sample in resampled], axis=0),
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Interval(estimate, float(drawn.low), float(drawn.high), len(numbers))


def summarise(runs: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """The mean of ``value`` over the replicates of every setting, with its interval, and how many runs diverged.

    Args:
        runs: a row a run, with a bool column ``diverged``; diverged runs are counted and not averaged.
        by: the columns that make a setting.
        value: the column to average.

    Returns:
        A row a setting: the columns of ``by``, then estimate, low, high (NaN where every run diverged), n (runs averaged)
        and diverged (runs that did).
    """
    rows = []
    for setting, group in runs.groupby(list(by), sort=True, dropna=False):
        values = group.loc[~group["diverged"], value].to_numpy()
        found = interval(values) if len(values) else Interval(np.nan, np.nan, np.nan, 0)
        rows.append((*setting, *found, int(group["diverged"].sum())))
    return pd.DataFrame(rows, columns=[*by, *Interval._fields, "diverged"])
