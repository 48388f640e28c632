"""Estimates of how many units that are dead on n examples would be active on further ones.

Units' rates of activity are about log-uniform, and under that law Fisher's log-series holds: with f1 units active on exactly one of n
examples, m more wake f1 ln(1 + m / n) of those that were active on none.

Source: Fisher, Corbet and Williams (1943), The relation between the number of species and the number of individuals in a random sample
of an animal population, Journal of Animal Ecology 12, 42-58. The interval is that of a Poisson count whose rate is known from f1 with
Jeffreys' prior: a negative binomial distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma, log1p
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray  # takes time, and is not needed to run

LEVEL = 0.95
"""Probability of the intervals."""
TRUSTED = 10.0
"""An estimate holds up to so many times the examples that were looked at; beyond, to a factor of two."""


@dataclass(frozen=True)
class ExpectedAlive:
    """Estimate of the dead units that would be active on further examples.

    Attributes:
        expected: their number; a mean, hence not whole.
        low, high: limits of its 95 % interval.
        dead: units that were dead on the examples looked at.
        examples: how many were looked at.
        more: how many further ones the estimate is for.
    """

    expected: float
    low: int
    high: int
    dead: int
    examples: int
    more: int

    @property
    def rough(self) -> bool:
        """True beyond ten times the examples looked at, where the estimate holds to a factor of two only."""
        return self.more > TRUSTED * self.examples

    def __str__(self) -> str:
        """A sentence with the estimate, its interval and what it is of.

        >>> print(ExpectedAlive(9.8, 2, 12, 12, 500, 5000))
        dead on 500 examples; about 10 [2, 12] of these 12 would wake on 5,000 more
        """
        if not self.dead:
            return f"none is dead on {self.examples:,} examples"
        return f"dead on {self.examples:,} examples; {self.outlook}"

    @property
    def outlook(self) -> str:
        """The estimate and its interval in words."""
        number = (
            f"{self.expected:.0f}" if self.expected >= 1 or self.expected == 0 else f"{self.expected:.1f}"
        )
        sentence = f"about {number} [{self.low:,}, {self.high:,}] of these {self.dead:,} would wake on {self.more:,} more"
        return f"{sentence} (to a factor of two)" if self.rough else sentence


def expected_alive(
    active_once: Sequence[int], dead: Sequence[int], examples: int, more: int
) -> ExpectedAlive:
    """Estimate how many of the units that are dead on some examples would be active on more of the same kind.

    Args:
        active_once: of each layer, units that were active on exactly one example.
        dead: of each layer, units that were active on none.
        examples: how many were looked at, at least 1.
        more: how many further ones are meant, at least 0.

    Returns:
        The estimate for all layers together. No layer contributes more than it has dead units, and the prior's half unit is shared
        among the layers, so that the limits of one layer are (f1 + 1/2, 1 / (1 + ln(1 + m / n)))'s quantiles, capped at the dead.

    >>> print(expected_alive([4], [12], examples=500, more=5000))
    dead on 500 examples; about 10 [2, 12] of these 12 would wake on 5,000 more
    >>> print(expected_alive([0], [7], examples=500, more=500))
    dead on 500 examples; about 0 [0, 3] of these 7 would wake on 500 more
    """
    growth = log1p(more / examples)
    layers = [(once, number) for once, number in zip(active_once, dead, strict=True) if number]
    expected = sum(min(once * growth, number) for once, number in layers)
    low, high = _limits(layers, growth)
    return ExpectedAlive(expected, low, high, sum(number for _, number in layers), examples, more)


def _limits(layers: list[tuple[int, int]], growth: float) -> tuple[int, int]:
    """Quantiles of the sum over layers of negative binomial counts, each capped at the layer's dead units."""
    if not layers or growth == 0:
        return 0, 0
    size = sum(dead for _, dead in layers) + 1
    spectrum = np.ones(size // 2 + 1, dtype=complex)  # of the sum: the product of the layers'
    for once, dead in layers:
        capped = _negative_binomial(once + 0.5 / len(layers), growth, dead)
        spectrum *= np.fft.rfft(capped, size)
    cumulative = np.cumsum(np.fft.irfft(spectrum, size))
    low, high = np.searchsorted(cumulative, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return int(low), int(min(high, size - 1))


def _negative_binomial(shape: float, growth: float, most: int) -> "NDArray[np.float64]":
    """Probabilities of 0, 1, ..., ``most`` for a Poisson count of mean growth times Gamma(shape); the last holds all beyond."""
    counts = np.arange(most)
    choices = np.array([lgamma(count + shape) - lgamma(count + 1.0) for count in range(most)]) - lgamma(shape)
    probabilities = np.exp(choices + counts * (np.log(growth) - log1p(growth)) - shape * log1p(growth))
    return np.append(probabilities, max(0.0, 1.0 - float(probabilities.sum())))
