"""Inference from one number a seed: the exact sign test, the median with its order-statistic interval, and exact shares of seeds.

The seed is the unit of analysis: networks, units and checkpoints of one seed are not independent. The sign test and the interval are
exact for any distribution, however skewed or tied: with 20 seeds the interval runs from the 6th to the 15th value, so that at least 15
of them lie beyond every threshold outside of it.
"""

from collections.abc import Sequence

import numpy as np

from dying_relu.analysis.inference.intervals import LEVEL, Interval

REPORTING = 20
"""Seeds of the published study that are reported; further ones choose."""
MOST_MISSING = 1 / 4
"""A cell in which more than this share of the seeds has no value settles nothing."""
ONE_SIDE = (1 - LEVEL) / 2
"""The level of a test to one side: that of an interval's end."""


def known(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """(m,) those of ``values`` (n,) that are numbers, infinite ones included."""
    numbers = np.asarray(values, dtype=float)
    return numbers[~np.isnan(numbers)]


def enough(values: Sequence[float] | np.ndarray) -> bool:
    """Tell whether at least three quarters of the seeds have a value.

    Args:
        values: (n,) a number a seed, NaN where it has none.

    >>> enough([1.0] * 15 + [float("nan")] * 5), enough([1.0] * 14 + [float("nan")] * 6)
    (True, False)
    """
    return len(values) > 0 and len(known(values)) >= (1 - MOST_MISSING) * len(values)


def median_interval(values: Sequence[float] | np.ndarray) -> Interval:
    """The median over seeds with its exact order-statistic interval at ``LEVEL``.

    Args:
        values: (n,) a number a seed, NaN where it has none.

    Returns:
        The median; with fewer than six values the interval is the whole line.

    Raises:
        ValueError: no seed has a value.

    >>> median_interval(range(1, 21))
    Interval(estimate=10.5, low=6.0, high=15.0, n=20)
    """
    # Here and below, because its import takes longer than a figure.
    from scipy.stats import quantile_test

    numbers = known(values)
    if not len(numbers):
        raise ValueError("the median of no value")
    low, high = quantile_test(numbers, p=0.5).confidence_interval(LEVEL)
    ends = (-np.inf if np.isnan(low) else float(low), np.inf if np.isnan(high) else float(high))
    return Interval(_median(numbers), *ends, len(numbers))


def _median(numbers: np.ndarray) -> float:
    """The median, also where the two values in the middle are infinite."""
    ordered = np.sort(numbers)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(low if low == high else (low + high) / 2)


def sign_test(values: Sequence[float] | np.ndarray, threshold: float, alternative: str) -> float:
    """The exact sign test of the median over seeds against a threshold; a value equal to it counts against the alternative.

    Args:
        values: (n,) a number a seed, NaN where it has none.
        threshold: of the median.
        alternative: "greater" or "less".

    Returns:
        The p value; 1 where no seed has a value.

    >>> round(sign_test([1.0] * 15 + [0.0] * 5, 0.5, "greater"), 4)
    0.0207
    """
    from scipy.stats import quantile_test

    numbers = known(values)
    if not len(numbers):
        return 1.0
    return float(quantile_test(numbers, q=threshold, p=0.5, alternative=alternative).pvalue)


def highest_share(seeds: int, level: float = LEVEL) -> float:
    """The exact upper limit for the share of seeds with a property that none of so many has.

    Args:
        seeds: at least one.
        level: of confidence.

    >>> round(highest_share(20), 3)
    0.139
    """
    return 1 - (1 - level) ** (1 / seeds)


def share_of_seeds(successes: int, seeds: int) -> Interval:
    """A share of seeds with its exact interval (Clopper and Pearson, 1934); of none, or all, each end is at ``LEVEL`` to its side.

    Args:
        successes: seeds that have the property.
        seeds: at least one.

    >>> [round(end, 3) for end in share_of_seeds(0, 20)[:3]]
    [0.0, 0.0, 0.139]
    """
    from scipy.stats import binomtest

    if successes in (0, seeds):
        limit = highest_share(seeds)
        return Interval(0.0, 0.0, limit, seeds) if successes == 0 else Interval(1.0, 1 - limit, 1.0, seeds)
    low, high = binomtest(successes, seeds).proportion_ci(LEVEL, method="exact")
    return Interval(successes / seeds, float(low), float(high), seeds)


def share_test(successes: int, seeds: int, share: float, alternative: str) -> float:
    """The exact binomial test of the share of seeds with a property.

    Args:
        successes: seeds that have the property.
        seeds: at least one.
        share: to compare with.
        alternative: "greater" or "less".

    Returns:
        The p value.
    """
    from scipy.stats import binomtest

    return float(binomtest(successes, seeds, share, alternative=alternative).pvalue)


def holm(p_values: Sequence[float] | np.ndarray, level: float = ONE_SIDE) -> np.ndarray:
    """Tell which hypotheses are rejected if that of none that is true may be, with more than ``level``, in the family (Holm, 1979).

    Args:
        p_values: (n,) one a hypothesis.
        level: of the family.

    Returns:
        (n,) bool.

    >>> holm([0.001, 0.01, 0.04], level=0.05).tolist(), holm([0.02, 0.03], level=0.05).tolist()
    ([True, True, True], [True, True])
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    passed = p[order] <= level / np.arange(len(p), 0, -1)
    rejected = np.zeros(len(p), dtype=bool)
    rejected[order] = np.logical_and.accumulate(passed)
    return rejected
