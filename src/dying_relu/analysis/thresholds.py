"""The numbers in the rules of the claims and findings: the plan's, and those that the sensitivity analysis tries in their place.

``paper/plan.md`` prints each of them bold; a test compares the page with this module.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Alternatives(NamedTuple):
    """The values that the sensitivity analysis tries in a threshold's place.

    Attributes:
        words: the threshold's meaning.
        values: a smaller and a larger one: half and double, or half of the way to none and to all; none: it is not tried.
        claims: the claims and findings whose rules have it.
    """

    words: str
    values: tuple[float, ...]
    claims: tuple[str, ...]


def _threshold(value: float, words: str, instead: tuple[float, ...], *claims: str) -> Any:
    """A field with the plan's ``value`` and the values to try ``instead`` of it."""
    return field(default=value, metadata={"alternatives": Alternatives(words, instead, claims)})


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of all rules; without arguments, the plan's."""

    nearly_all: float = _threshold(0.95, "nearly all units", (0.9, 0.975), "C2")
    """A property of 'any' input may fail in one case of twenty."""
    unlikely: float = _threshold(0.5, "unlikely", (0.25, 0.75), "C3")
    """An event is unlikely if it happens less often than not."""
    forever: float = _threshold(0.01, "for ever", (0.005, 0.02), "C4")
    """'For ever' allows one unit in a hundred to come back."""
    no_role: float = _threshold(0.0001, "no role", (0.00001, 0.001), "C4")
    """Rounding in single precision may change a logit by this share of the largest."""
    large_part: float = _threshold(0.25, "a large part", (0.125, 0.5), "C5")
    """A large part of a network: a quarter of its hidden units."""
    matters: float = _threshold(0.05, "what matters of a dead fraction", (0.025, 0.1), "C6", "C7", "C13")
    """A change of the dead fraction matters from five percentage points of the hidden units on."""
    useful: float = _threshold(0.9, "a useful rate", (0.8, 0.95), "C6")
    """A rate is useful if the accuracy is at least this share of the best."""
    major_part: float = _threshold(0.5, "the major part", (0.25, 0.75), "C7")
    """A cause has the major part in an effect if it makes at least half of it."""
    more_negative: float = _threshold(0.01, "more negative weights", (0.005, 0.02), "C9")
    """A share of negative weights has changed from one percentage point on."""
    accuracy_matters: float = _threshold(0.01, "what matters of an accuracy", (0.005, 0.02), "C10", "C12")
    """An accuracy differs from one percentage point on."""
    enough_gain: float = _threshold(0.5, "enough of the gain", (0.25, 0.75), "C11")
    """A slope does enough if it makes half of the gain of the best one."""
    slope_moves: float = _threshold(0.01, "a slope that moved", (0.005, 0.02), "C12")
    """A learned slope has moved if it is this far from where it began."""
    often: float = _threshold(0.5, "often", (0.25, 0.75), "C13")
    """Often: in more than half of the cases."""

    few_seeds: float = _threshold(0.2, "few seeds", (), "F1a")
    offset_kills: float = _threshold(0.25, "units killed by an offset", (), "F1b")
    bias_spares: float = _threshold(0.1, "units spared by frozen biases", (), "F1c")
    centring_spares: float = _threshold(0.1, "units spared by centring", (), "F1d")
    bias_part_error: float = _threshold(0.1, "an error of the bias's predicted part", (), "F1e")
    sgd_constant: float = _threshold(56.0, "the constant of the law under SGD", (), "F2a")
    octaves: float = _threshold(0.7, "octaves of error", (), "F2a")
    rate_alone_part: float = _threshold(1 / 3, "error as a part of that of the rate alone", (), "F2a")
    span: float = _threshold(5.0, "octaves that the onsets span", (), "F2a")
    observed_onsets: float = _threshold(10, "held-out settings with an observed onset", (), "F2a")
    least_offset: float = _threshold(0.1, "an offset share with an onset", (), "F2b")
    overflow_more: float = _threshold(0.5, "overflow more often", (), "F3a")
    twins_differ: float = _threshold(0.25, "a difference of twins as a part of the deaths", (), "F3b")
    near_the_best: float = _threshold(0.05, "an accuracy near the best", (), "F3c")
    rescued: float = _threshold(0.25, "networks rescued", (), "F3c")
    living_loss: float = _threshold(0.1, "a loss of accuracy", (), "F4a")
    damaged: float = _threshold(0.02, "a loss to the damage", (), "F4b", "F4d")
    more_than_random: float = _threshold(0.1, "more than random units explain", (), "F4c")
    renewal_gains: float = _threshold(0.02, "a gain by renewing", (), "F4d")
    strictly_dead_part: float = _threshold(0.25, "the part of the strictly dead", (), "F4b")
    nearly_dead_part: float = _threshold(0.5, "the part of the nearly dead", (), "F4c")
    renewal_differs: float = _threshold(0.05, "a difference of renewals", (), "F4d")
    some_deaths: float = _threshold(0.05, "enough deaths to follow", (), "F3b", "F5a")
    fast: float = _threshold(0.5, "dead by step 20", (), "F5a", "F5b")
    estimate_low: float = _threshold(0.8, "the least ratio of an estimate", (), "F6a")
    estimate_high: float = _threshold(1.25, "the largest ratio of an estimate", (), "F6a")
    woken_units: float = _threshold(2000, "woken units that make a cell", (), "F6a")
    estimate_covers: float = _threshold(0.85, "coverage of the estimate's interval", (), "F6b")
    misled: float = _threshold(0.5, "alive on all of those dead on 500", (), "F6c")
    line_separates: float = _threshold(0.85, "balanced accuracy of the line", (), "F7a")

    mass_death: float = _threshold(0.25, "mass death, and the onset", (), "F1c")
    """A layer dies in mass, and the rate is its onset, from this newly dead share on."""

    def replace(self, **changes: float) -> "Thresholds":
        """These thresholds with some of them changed, by name."""
        return dataclasses.replace(self, **changes)


PAPER = Thresholds()
"""Those of the plan."""


def alternatives() -> dict[str, Alternatives]:
    """The alternatives of every threshold that is tried, by its name.

    >>> alternatives()["often"]
    Alternatives(words='often', values=(0.25, 0.75), claims=('C13',))
    """
    every = declared()
    return {name: threshold for name, threshold in every.items() if threshold.values}


def declared() -> dict[str, Alternatives]:
    """The meaning of every threshold, by its name, whether others are tried in its place or not."""
    return {
        threshold.name: threshold.metadata["alternatives"] for threshold in dataclasses.fields(Thresholds)
    }
