"""The numbers in the rules of the claims: the paper's, and those that the sensitivity analysis tries in their place."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Alternatives(NamedTuple):
    """How the sensitivity analysis moves a threshold.

    Attributes:
        words: the threshold's meaning.
        values: a smaller and a larger one: half and double, or half of the way to none and to all.
        claims: those whose rules have it.
    """

    words: str
    values: tuple[float, float]
    claims: tuple[str, ...]


def _threshold(value: float, words: str, instead: tuple[float, float], *claims: str) -> Any:
    """A field with the paper's ``value`` and the values to try ``instead`` of it."""
    return field(default=value, metadata={"alternatives": Alternatives(words, instead, claims)})


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of all rules; without arguments, the paper's."""

    nearly_all: float = _threshold(0.95, "nearly all units", (0.9, 0.975), "C2")
    """A property of 'any' input or unit may fail in one case of twenty and still hold with a limit."""
    unlikely: float = _threshold(0.5, "unlikely", (0.25, 0.75), "C3")
    """An event is unlikely if it happens less often than not."""
    forever: float = _threshold(0.01, "for ever", (0.005, 0.02), "C4")
    """'For ever' allows one unit in a hundred to come back."""
    large_part: float = _threshold(0.25, "a large part", (0.125, 0.5), "C5")
    """A large part of a network: a quarter of its hidden units."""
    matters: float = _threshold(0.05, "what matters of a dead fraction", (0.025, 0.1), "C6", "C7", "C13")
    """A change of the dead fraction matters from five percentage points of the hidden units on."""
    major_part: float = _threshold(0.5, "the major part", (0.25, 0.75), "C7")
    """A cause has the major part in an effect if it makes at least half of it."""
    mostly: float = _threshold(0.5, "most cases", (0.25, 0.75), "C8", "C9")
    """Mostly: in more than half of the cases."""
    doomed: float = _threshold(0.25, "a doomed share", (0.125, 0.5), "C10")
    """ReLU counts as dying in a setting where a quarter of its hidden units are dead, or where it diverges."""
    accuracy_matters: float = _threshold(
        0.01, "what matters of an accuracy", (0.005, 0.02), "C10", "C11", "C12"
    )
    """An accuracy differs from one percentage point on."""
    enough_gain: float = _threshold(0.5, "enough of the gain", (0.25, 0.75), "C11")
    """A slope does enough if it makes half of the gain of the best one."""
    slope_moves: float = _threshold(0.01, "a slope that moved", (0.005, 0.02), "C12")
    """A learned slope has moved if its mean is this far from where it began."""
    often: float = _threshold(0.5, "often", (0.25, 0.75), "C13")
    """Often: in at least half of the cases."""

    def replace(self, **changes: float) -> "Thresholds":
        """These thresholds with some of them changed, by name."""
        return dataclasses.replace(self, **changes)


PAPER = Thresholds()
"""Those of the published verdicts."""


def alternatives() -> dict[str, Alternatives]:
    """How each threshold is moved, by name.

    >>> alternatives()["often"]
    Alternatives(words='often', values=(0.25, 0.75), claims=('C13',))
    """
    return {
        threshold.name: threshold.metadata["alternatives"] for threshold in dataclasses.fields(Thresholds)
    }
