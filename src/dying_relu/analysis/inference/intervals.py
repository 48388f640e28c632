"""Estimates with intervals. The replicate is the unit of analysis: units and checkpoints of one network are not independent.

Intervals are percentile bootstrap intervals over replicates; where strata (data sets, architectures, ...) are pooled, replicates are
drawn within each stratum and every stratum counts the same (Agarwal et al., 2021). With few replicates they are
too narrow: of the intervals of three replicates about three in four cover the mean, of five replicates five in six; the
figures show the replicates themselves beside them. Of one replicate the interval is the estimate: its spread is unknown, not 0.
Means and not interquartile means, because of three to five replicates nothing is left to trim.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

LEVEL = 0.95
"""Nominal coverage of every interval that is printed or drawn."""

RESAMPLES = 2_000
DOSES_FOR_A_LAW = 3
"""Through two points there is always a line."""
MOST_RESAMPLES = 10 * RESAMPLES
"""Of an interval at a higher level, so that something lies beyond its ends."""
SEED = 20190606


class Interval(NamedTuple):
    """An estimate, the ends of its interval, and the number of replicates it rests on."""

    estimate: float
    low: float
    high: float
    n: int


def simultaneous(cases: int) -> float:
    """The level of each of so many intervals at which all of them together cover at ``LEVEL`` (Bonferroni).

    Whoever asks whether something holds in some case has as many chances to be wrong as there are cases; for "in some case" intervals
    of this level are needed. Whoever asks whether it holds in every case is wrong only if all that are false pass at once, at
    most as often as the one interval errs: for "in every case" ``LEVEL`` will do (the intersection-union test; Berger, 1982).

    >>> round(simultaneous(10), 4)
    0.995
    """
    return 1 - (1 - LEVEL) / max(cases, 1)


def interval(
    values: Sequence[float] | np.ndarray,
    strata: Sequence[object] | np.ndarray | None = None,
    level: float | None = None,
) -> Interval:
    """The mean of ``values``, one a replicate, with a bootstrap interval over replicates.

    Args:
        values: (n,) finite numbers.
        strata: (n,) the stratum of each; the estimate is the mean of the strata's means. None: all are of one stratum.
        level: nominal coverage, by default ``LEVEL``. No level makes an interval wider than the replicates are apart: for a high
            one all of them must lie on one side.

    Returns:
        The interval is the estimate itself where every stratum has a single replicate, because nothing is known of the spread.

    Raises:
        ValueError: no values, or one that is not finite (a diverged run belongs in a count, not in a mean).

    >>> interval([0.25, 0.25, 0.25])
    Interval(estimate=0.25, low=0.25, high=0.25, n=3)
    """
    level = LEVEL if level is None else level
    numbers = np.asarray(values, dtype=float)
    if numbers.size == 0 or not np.isfinite(numbers).all():
        raise ValueError(f"an interval needs finite values, not {numbers}")
    labels = np.zeros(len(numbers)) if strata is None else pd.factorize(np.asarray(strata))[0]
    # Sorted, so that the resamples do not depend on the order of the rows.
    samples = [np.sort(numbers[labels == label]) for label in np.unique(labels)]
    estimate = float(np.mean([sample.mean() for sample in samples]))
    if all(np.ptp(sample) == 0 for sample in samples):
        return Interval(estimate, estimate, estimate, len(numbers))
    # A stratum's single replicate is drawn every time, as if it were two.
    twice = tuple(tuple(np.repeat(sample, 2) if len(sample) == 1 else sample) for sample in samples)
    resamples = min(round(RESAMPLES * (1 - LEVEL) / (1 - level)), MOST_RESAMPLES)
    low, high = _bootstrapped(twice, level, resamples)
    return Interval(estimate, low, high, len(numbers))


@cache
def _bootstrapped(
    samples: tuple[tuple[float, ...], ...], level: float, resamples: int
) -> tuple[float, float]:
    """The percentile interval of the mean of the means of ``samples``, each of which is resampled by itself.

    The same numbers as ``scipy.stats.bootstrap``, whose import and checks take longer than all the intervals of a figure; a test compares
    the two. Remembered, because rules ask again with other thresholds.
    """
    random = np.random.default_rng(SEED)
    means = np.zeros((len(samples), resamples))
    for mean, sample in zip(means, samples, strict=True):
        drawn = random.integers(0, len(sample), (resamples, len(sample)))
        np.asarray(sample)[drawn].mean(axis=-1, out=mean)
    tail = (1 - level) / 2
    low, high = _quantiles(np.sort(means.mean(axis=0)), np.array([tail, 1 - tail]))
    return float(low), float(high)


def _quantiles(ordered: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(shares,) quantiles of (n,) ordered numbers, linear in between, rounded as ``scipy.stats.quantile`` does."""
    place = shares * len(ordered) + (1 - shares)
    below = (place // 1).astype(int) - 1
    part = place % 1
    above = (below + 1).clip(max=len(ordered) - 1)
    return (1 - part) * ordered[below] + part * ordered[above]


def proportion(successes: int, trials: int) -> Interval:
    """The share of successes in independent trials, with Wilson's interval.

    Args:
        successes: of the trials.
        trials: at least one.

    >>> proportion(0, 10).low, round(proportion(0, 10).high, 3)
    (0.0, 0.278)
    """
    # Here and below, because few need it and its import takes longer than a figure.
    from scipy import stats

    low, high = stats.binomtest(int(successes), int(trials)).proportion_ci(LEVEL, method="wilson")
    return Interval(successes / trials, float(low), float(high), int(trials))


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
    return _by_setting(
        runs, by, lambda group: _interval_if_any(group.loc[~group["diverged"], value].to_numpy())
    )


def pairs(runs: pd.DataFrame, by: Sequence[str], factor: str, baseline: object, value: str) -> pd.DataFrame:
    """Every run beside the one of its setting and replicate at the ``baseline`` of ``factor``.

    Runs of one replicate share initial weights and minibatches, so that the difference within a pair varies less than its two ends.

    Args:
        runs: a row a run, with the columns ``replicate`` and ``diverged``.
        by: the columns that make a setting; together with ``factor`` and the replicate they name a run.
        factor: the column to compare the levels of.
        baseline: the level to compare with.
        value: the column to subtract.

    Returns:
        The runs at other levels that have a partner, with the columns ``difference`` (of ``value``, theirs minus the
        partner's) and ``diverged`` (either of the two did).

    Raises:
        ValueError: ``by`` leaves out a factor, so that a replicate has several runs in a setting.
    """
    pair = [*by, "replicate"]
    reference = runs[runs[factor] == baseline]
    others = runs[runs[factor] != baseline]
    if reference.duplicated(pair).any() or others.duplicated([*pair, factor]).any():
        raise ValueError(f"{', '.join(pair)} and {factor} do not name a single run")
    both = others.merge(reference[[*pair, value, "diverged"]], on=pair, suffixes=("", "_baseline"))
    either = both["diverged"] | both["diverged_baseline"]
    return both.assign(diverged=either, difference=both[value] - both[f"{value}_baseline"])


def differences(
    runs: pd.DataFrame, by: Sequence[str], factor: str, baseline: object, value: str
) -> pd.DataFrame:
    """What every other level of ``factor`` does to ``value``, against ``baseline``; arguments and errors as of :func:`pairs`.

    Returns:
        A row a setting and level: the columns of ``by``, ``factor``, then estimate, low, high (NaN where no pair is left), n
        (pairs averaged) and diverged (pairs of which a run did, which are not averaged).
    """
    return summarise(pairs(runs, by, factor, baseline, value), [*by, factor], "difference")


def thresholds(
    runs: pd.DataFrame, by: Sequence[str], dose: str, value: str, level: float = 0.5
) -> pd.DataFrame:
    """The dose from which on the mean of ``value`` is at least ``level``, in every setting: the learning rate that kills half the units.

    The mean over replicates is made monotone in the dose (isotonic regression) and read between doses on a logarithmic scale; the
    interval draws replicates, each with all its doses. A dose at which a replicate diverged, or which a replicate lacks, is left out,
    so that divergence is not counted as an effect.

    Args:
        runs: a row a run, with the columns ``replicate`` and ``diverged``.
        by: the columns that make a setting.
        dose: the column of positive doses.
        value: the column that rises with the dose.
        level: of ``value``.

    Returns:
        A row a setting: the columns of ``by``, then estimate, low, high, n (replicates) and diverged (runs that did). An end is 0
        where the lowest dose has the effect already and infinite where the highest has not; NaN where no dose is left.
    """
    return _by_setting(runs, by, lambda group: _threshold(group, dose, value, level))


def exponents(
    runs: pd.DataFrame, by: Sequence[str], dose: str, value: str, most: float = 0.5
) -> pd.DataFrame:
    """The exponent k of a power law ``value`` = c ``dose``^k in every setting: the slope of a line through the logarithms.

    The line is a least-squares fit to the means over replicates, at the doses at which nothing diverged and the mean lies above 0,
    which has no logarithm, and below ``most``, beyond which a share cannot follow a power law. The interval draws replicates, each
    with all its doses, and chooses the doses anew each time; draws that leave too few are left out.

    Args:
        runs: a row a run, with the columns ``replicate`` and ``diverged``.
        by: the columns that make a setting.
        dose: the column of positive doses.
        value: the column of shares.
        most: the share below which the law is looked for.

    Returns:
        A row a setting: the columns of ``by``, then estimate, low, high (NaN where fewer than ``DOSES_FOR_A_LAW`` doses
        qualify), n (doses that do) and diverged (runs that did).
    """
    return _by_setting(runs, by, lambda group: _exponent(group, dose, value, most))


def _by_setting(
    runs: pd.DataFrame, by: Sequence[str], estimate: Callable[[pd.DataFrame], Interval]
) -> pd.DataFrame:
    rows = [
        (*setting, *estimate(group), int(group["diverged"].sum()))
        for setting, group in runs.groupby(list(by), sort=True, dropna=False, observed=True)
    ]
    return pd.DataFrame(rows, columns=[*by, *Interval._fields, "diverged"])


def _interval_if_any(values: np.ndarray) -> Interval:
    return interval(values) if len(values) else Interval(np.nan, np.nan, np.nan, 0)


def _curves(runs: pd.DataFrame, dose: str, value: str) -> tuple[np.ndarray, np.ndarray]:
    """The doses at which every replicate was run and none diverged, and the (replicates, doses) values there."""
    table = runs.assign(value=runs[value].where(~runs["diverged"]))
    curves = table.pivot_table(index="replicate", columns=dose, values="value", aggfunc="mean", dropna=False)
    curves = curves.dropna(axis="columns")
    return curves.columns.to_numpy(dtype=float), curves.to_numpy()


def _resampled(each: np.ndarray) -> np.ndarray:
    """The means of ``each`` (replicates, doses) over ``RESAMPLES`` draws of its replicates."""
    drawn = np.random.default_rng(SEED).integers(len(each), size=(RESAMPLES, len(each)))
    return np.array([each[rows].mean(axis=0) for rows in drawn])


def _exponent(runs: pd.DataFrame, dose: str, value: str, most: float) -> Interval:
    doses, each = _curves(runs, dose, value)
    if not each.size:
        return Interval(np.nan, np.nan, np.nan, 0)
    means = each.mean(axis=0)
    estimate, used = _log_log_slope(doses, means, most), int(_within(means, most).sum())
    if np.isnan(estimate):
        return Interval(np.nan, np.nan, np.nan, used)
    slopes = [_log_log_slope(doses, drawn, most) for drawn in _resampled(each)]
    low, high = np.nanquantile(slopes, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(estimate, float(low), float(high), used)


def _within(means: np.ndarray, most: float) -> np.ndarray:
    return (means > 0) & (means < most)


def _log_log_slope(doses: np.ndarray, means: np.ndarray, most: float) -> float:
    chosen = _within(means, most)
    if chosen.sum() < DOSES_FOR_A_LAW:
        return np.nan
    return float(np.polyfit(np.log(doses[chosen]), np.log(means[chosen]), deg=1)[0])


def _threshold(runs: pd.DataFrame, dose: str, value: str, level: float) -> Interval:
    doses, each = _curves(runs, dose, value)
    if not each.size:
        return Interval(np.nan, np.nan, np.nan, 0)
    # An order statistic, because between a number and infinity there is no mean.
    low, high = np.quantile(
        [_crossing(doses, means, level) for means in _resampled(each)],
        [(1 - LEVEL) / 2, (1 + LEVEL) / 2],
        method="inverted_cdf",
    )
    return Interval(_crossing(doses, each.mean(axis=0), level), float(low), float(high), len(each))


def _crossing(doses: np.ndarray, means: np.ndarray, level: float) -> float:
    from scipy import optimize

    rising = optimize.isotonic_regression(means).x
    if rising[0] >= level:
        return 0.0
    if rising[-1] < level:
        return np.inf
    after = int(np.argmax(rising >= level))
    share = (level - rising[after - 1]) / (rising[after] - rising[after - 1])
    return float(doses[after - 1] * (doses[after] / doses[after - 1]) ** share)
