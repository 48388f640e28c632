"""The score of a run: its accuracy, or that of a constant answer."""

import pandas as pd

CHANCE = {"cifar100": 0.01}
"""Accuracy of a constant answer, where it is not one in ten."""


def scored(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with a column ``score``: test accuracy, or that of a constant answer where the run diverged."""
    chance = runs["dataset"].map(CHANCE).fillna(0.1)
    return runs.assign(score=runs["test_accuracy"].where(~runs["diverged"], chance))
