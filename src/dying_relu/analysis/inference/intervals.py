"""An estimate with its interval, and the level of all of them."""

from typing import NamedTuple

LEVEL = 0.95
"""Nominal coverage of every interval that is printed or drawn."""


class Interval(NamedTuple):
    """An estimate, the ends of its interval, and the number of seeds (or trials) it rests on.

    Ends that are NaN stand for an interval that cannot be given.
    """

    estimate: float
    low: float
    high: float
    n: int


def proportion(successes: int, trials: int) -> Interval:
    """The share of successes in independent trials, with its exact interval (Clopper and Pearson, 1934).

    Args:
        successes: of the trials.
        trials: at least one.

    >>> proportion(0, 10).low, round(proportion(0, 10).high, 3)
    (0.0, 0.308)
    """
    # Here, because few need it and its import takes longer than a figure.
    from scipy import stats

    low, high = stats.binomtest(int(successes), int(trials)).proportion_ci(LEVEL, method="exact")
    return Interval(successes / trials, float(low), float(high), int(trials))
