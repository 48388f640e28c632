"""Changes of the small study's tables that the tests of several claims make."""

from collections.abc import Callable, Mapping

import pandas as pd
from small_evidence import Change


def dead_by(column: str, shares: Mapping[float, float], other: float = 0.0) -> Change:
    """The share of dead units is a function of one factor alone."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        share = runs[column].map(shares).fillna(other)
        return runs.assign(dead_fraction=share.where(~runs["diverged"]))

    return change


RATES = (0.01, 0.1, 1.0)


def shares(*at: float) -> Change:
    """Such a share is dead at each of the three rates at which nothing diverges."""
    return dead_by("learning_rate", dict(zip(RATES, at, strict=True)))


def accurate(accuracy: Callable[[pd.DataFrame], pd.Series | float]) -> Change:
    """Of the networks that did not diverge."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        return runs.assign(
            test_accuracy=(accuracy(runs) + 0 * runs["learning_rate"]).where(~runs["diverged"])
        )

    return change


def by_slope(accuracies: Mapping[float, float], other: float = 0.2) -> Change:
    """Accuracy of fixed slopes; that of ReLU, slope 0, is 0.2 if it is not told."""

    def change(runs: pd.DataFrame) -> pd.DataFrame:
        known = runs["activation"].isin(["relu", "leaky_relu"])
        return accurate(lambda t: t["slope"].map({0.0: 0.2} | accuracies).where(known).fillna(other))(runs)

    return change
