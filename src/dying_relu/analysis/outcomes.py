"""The outcomes of runs: diverged, collapsed or trained, as :mod:`dying_relu.units.definitions` defines them, and how many had each."""

import pandas as pd

DIVERGED, COLLAPSED, TRAINED = "diverged", "collapsed", "trained"
"""Each run has exactly one. Here again, because the definitions import PyTorch; a test compares them."""
OUTCOMES = (DIVERGED, COLLAPSED, TRAINED)

SPIKE = 5.0
"""A run has spiked if its largest minibatch loss is more than so many times its first, or if it overflowed."""


def trained(runs: pd.DataFrame) -> pd.Series:
    """(rows,) bool: the runs that trained.

    Args:
        runs: with the column outcome.
    """
    return runs["outcome"] == TRAINED


def untrained(runs: pd.DataFrame) -> pd.Series:
    """(rows,) bool: the runs that collapsed or diverged.

    Args:
        runs: with the column outcome.
    """
    return ~trained(runs)


def finite(runs: pd.DataFrame) -> pd.Series:
    """(rows,) bool: the runs that did not overflow, whatever became of them.

    Args:
        runs: with the column overflowed.
    """
    return ~runs["overflowed"]


def spiked(runs: pd.DataFrame) -> pd.Series:
    """(rows,) bool: the runs whose minibatch loss exceeded ``SPIKE`` times its first value, or that overflowed.

    Args:
        runs: with the columns overflowed, initial_loss and peak_loss.
    """
    return runs["overflowed"] | (runs["peak_loss"] > SPIKE * runs["initial_loss"])


def counted(runs: pd.DataFrame) -> str:
    """The number of runs with each outcome, in words.

    Args:
        runs: with the column outcome.

    >>> counted(pd.DataFrame({"outcome": ["trained", "diverged", "trained"]}))
    '2 of 3 runs trained, 0 collapsed, 1 diverged'
    """
    counts = {outcome: int((runs["outcome"] == outcome).sum()) for outcome in OUTCOMES}
    return f"{counts[TRAINED]} of {len(runs)} runs trained, {counts[COLLAPSED]} collapsed, {counts[DIVERGED]} diverged"
