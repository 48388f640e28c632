"""Questions to a cell's numbers, one a seed: a median beyond a threshold, or within two limits, or a property that few seeds have."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.inference.seeds import (
    known,
    median_interval,
    share_of_seeds,
    share_test,
    sign_test,
)


class Criterion(Protocol):
    """A question to the numbers of a cell's seeds; each method gets (n,) numbers, NaN where a seed has none."""

    def interval(self, values: Sequence[float]) -> Interval:
        """The cell's estimate with its exact interval."""

    def agreeing(self, values: Sequence[float]) -> int:
        """The number of seeds whose own number meets the criterion."""

    def p_holds(self, values: Sequence[float]) -> float:
        """The p value of the test that the cell does not meet the criterion."""

    def p_fails(self, values: Sequence[float]) -> float:
        """The p value of the test that it does."""


class Above(NamedTuple):
    """The median seed lies above a threshold."""

    threshold: float

    def interval(self, values: Sequence[float]) -> Interval:
        """The median with its order-statistic interval."""
        return median_interval(values)

    def agreeing(self, values: Sequence[float]) -> int:
        """The number of seeds above the threshold."""
        return int((known(values) > self.threshold).sum())

    def p_holds(self, values: Sequence[float]) -> float:
        """The sign test that the median is at most the threshold."""
        return sign_test(values, self.threshold, "greater")

    def p_fails(self, values: Sequence[float]) -> float:
        """The sign test that the median is at least the threshold."""
        return sign_test(values, self.threshold, "less")


class Below(NamedTuple):
    """The median seed lies below a threshold."""

    threshold: float

    def interval(self, values: Sequence[float]) -> Interval:
        """The median with its order-statistic interval."""
        return median_interval(values)

    def agreeing(self, values: Sequence[float]) -> int:
        """The number of seeds below the threshold."""
        return int((known(values) < self.threshold).sum())

    def p_holds(self, values: Sequence[float]) -> float:
        """The sign test that the median is at least the threshold."""
        return sign_test(values, self.threshold, "less")

    def p_fails(self, values: Sequence[float]) -> float:
        """The sign test that the median is at most the threshold."""
        return sign_test(values, self.threshold, "greater")


class Within(NamedTuple):
    """The median seed lies between two limits: equivalence, both one-sided tests at once (Schuirmann, 1987)."""

    low: float
    high: float

    def interval(self, values: Sequence[float]) -> Interval:
        """The median with its order-statistic interval."""
        return median_interval(values)

    def agreeing(self, values: Sequence[float]) -> int:
        """The number of seeds between the limits."""
        numbers = known(values)
        return int(((numbers > self.low) & (numbers < self.high)).sum())

    def p_holds(self, values: Sequence[float]) -> float:
        """The larger p value of the two tests that the median is beyond a limit: the whole interval has to lie within."""
        return max(sign_test(values, self.low, "greater"), sign_test(values, self.high, "less"))

    def p_fails(self, values: Sequence[float]) -> float:
        """The smaller p value of the two tests that the median is on the inner side of a limit: the whole interval lies beyond it."""
        return min(sign_test(values, self.low, "less"), sign_test(values, self.high, "greater"))


class Rare(NamedTuple):
    """A smaller share of the seeds than a limit has a property; each seed's number is 1 if it has it and 0 if not."""

    share: float

    def interval(self, values: Sequence[float]) -> Interval:
        """The share with its exact interval."""
        return share_of_seeds(*self._counts(values))

    def agreeing(self, values: Sequence[float]) -> int:
        """The number of seeds without the property."""
        successes, seeds = self._counts(values)
        return seeds - successes

    def p_holds(self, values: Sequence[float]) -> float:
        """The binomial test that the share is at least the limit."""
        return share_test(*self._counts(values), self.share, "less")

    def p_fails(self, values: Sequence[float]) -> float:
        """The binomial test that the share is at most the limit."""
        return share_test(*self._counts(values), self.share, "greater")

    def _counts(self, values: Sequence[float]) -> tuple[int, int]:
        numbers = known(values)
        return int(np.count_nonzero(numbers)), len(numbers)
