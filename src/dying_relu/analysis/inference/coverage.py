"""A simulation of the inference on numbers with this study's structure: few seeds, cells that share them, skewed and zero-inflated.

Twelve cells share twenty seeds. Half of the variance of a cell's latent number is the seed's, the rest the cell's own. A third of the
cells are normal, as differences of accuracy are; a third are shares, most of them small and some near 1 (the fourth power of a uniform
number); a third are shares that are 0 for a third of the seeds, as dead shares are. The true medians and means are known.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from dying_relu.analysis.inference.intervals import LEVEL
from dying_relu.analysis.inference.means import mean_over_cells
from dying_relu.analysis.inference.seeds import ONE_SIDE, REPORTING, median_interval, sign_test

CELLS = 12
REPETITIONS = 4000
REPETITIONS_WITH_MISSING = 250
"""Fewer, because each is a jackknife."""
MISSING = 0.1
"""Share of the numbers that are missing, at random."""
SHARED = 0.5
"""Share of the latent variance that is the seed's."""
SEED = 20261128


class Performance(NamedTuple):
    """The error rate or the coverage of a method, and what it should be.

    Attributes:
        method: in words.
        measured: share of the repetitions.
        nominal: the level that the method claims.
        is_used: whether the paper uses it; the others are there to compare.
    """

    method: str
    measured: float
    nominal: float
    is_used: bool


def false_somewhere() -> list[Performance]:
    """The share of repetitions in which some cell is called above or below its true median (or mean), which none is."""
    from scipy.stats import ttest_1samp

    numbers = _drawn(REPETITIONS, np.random.default_rng(SEED))
    medians, means = _true(np.median), _true(np.mean)
    # The p value depends on the number of seeds that are not beyond the threshold, and on nothing else.
    p_by_count = np.array([_sign_p(count) for count in range(REPORTING + 1)])
    not_beyond = [(numbers <= medians).sum(axis=1), (numbers >= medians).sum(axis=1)]
    sign = np.minimum(*p_by_count[np.array(not_beyond)]).min(axis=1)
    t = ttest_1samp(numbers, means, axis=1).pvalue.min(axis=1) / 2
    # Holm rejects something if and only if the smallest p value passes its first step.
    return [
        Performance("sign test, Holm", float((sign <= ONE_SIDE / CELLS).mean()), 1 - LEVEL, is_used=True),
        Performance("sign test, uncorrected", float((sign <= ONE_SIDE).mean()), 1 - LEVEL, is_used=False),
        Performance("t test, Holm", float((t <= ONE_SIDE / CELLS).mean()), 1 - LEVEL, is_used=False),
    ]


def coverage() -> list[Performance]:
    """The share of repetitions in which an interval contains the true number."""
    from scipy.stats import t

    random = np.random.default_rng(SEED + 1)
    numbers = _drawn(REPETITIONS, random)
    quantile = t.ppf((1 + LEVEL) / 2, REPORTING - 1)
    truth = _true(np.mean).mean()
    means = numbers.mean(axis=2)
    jointly = quantile * means.std(axis=1, ddof=1) / np.sqrt(REPORTING)
    apart = quantile * np.sqrt(numbers.var(axis=1, ddof=1).sum(axis=1) / REPORTING) / CELLS
    error = np.abs(means.mean(axis=1) - truth)
    missing = _drawn(REPETITIONS_WITH_MISSING, random)
    missing[random.uniform(size=missing.shape) < MISSING] = np.nan
    found = [mean_over_cells(pd.DataFrame(table)) for table in missing]
    return [
        Performance("median of a cell, order statistics", _median_coverage(numbers), LEVEL, is_used=True),
        Performance("mean over cells, t over seeds", float((error <= jointly).mean()), LEVEL, is_used=True),
        Performance(
            "the same with a tenth missing, jackknife",
            float(np.mean([one.low <= truth <= one.high for one in found])),
            LEVEL,
            is_used=True,
        ),
        Performance(
            "mean over cells as if they shared no seeds", float((error <= apart).mean()), LEVEL, is_used=False
        ),
    ]


def _median_coverage(numbers: np.ndarray) -> float:
    """The least coverage of a cell's true median by its order-statistic interval."""
    places = median_interval(range(REPORTING))
    ordered = np.sort(numbers, axis=1)
    medians = _true(np.median)
    covered = (ordered[:, int(places.low)] <= medians) & (medians <= ordered[:, int(places.high)])
    return float(covered.mean(axis=0).min())


def _drawn(repetitions: int, random: np.random.Generator, seeds: int = REPORTING) -> np.ndarray:
    """(repetitions, seeds, cells) numbers."""
    seed = random.normal(size=(repetitions, seeds, 1))
    own = random.normal(size=(repetitions, seeds, CELLS))
    latent = np.sqrt(SHARED) * seed + np.sqrt(1 - SHARED) * own
    return np.stack([_shaped(latent[:, :, cell], cell) for cell in range(CELLS)], axis=2)


def _shaped(latent: np.ndarray, cell: int) -> np.ndarray:
    """The numbers of a cell from standard normal ones."""
    from scipy.special import ndtr

    share = ndtr(latent)
    return (latent, share**4, np.maximum(share - 1 / 3, 0) ** 2)[cell % 3]


def _true(statistic: Callable[[np.ndarray], np.floating]) -> np.ndarray:
    """(cells,) a statistic of each population, from its quantiles."""
    from scipy.stats import norm

    latent = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    return np.array([float(statistic(_shaped(latent, cell))) for cell in range(CELLS)])


def _sign_p(not_above: int) -> float:
    return sign_test([0.0] * not_above + [1.0] * (REPORTING - not_above), 0.5, "greater")
