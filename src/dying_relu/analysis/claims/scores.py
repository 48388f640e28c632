"""The score of a run: its test accuracy, or that of a constant answer where it overflowed."""

import pandas as pd

from dying_relu.analysis.outcomes import finite

CHANCE = {"cifar100": 0.01}
"""Accuracy of a constant answer, where it is not one in ten."""


def scored(runs: pd.DataFrame) -> pd.DataFrame:
    """Score every run by its test accuracy, or by that of a constant answer where it overflowed.

    Args:
        runs: a row a run, with the columns dataset, test_accuracy and overflowed.

    Returns:
        The same rows and columns, and a column ``score`` in [0, 1].
    """
    chance = runs["dataset"].map(CHANCE).fillna(0.1)
    return runs.assign(score=runs["test_accuracy"].where(finite(runs), chance))
