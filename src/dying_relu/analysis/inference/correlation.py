"""Rank correlation."""

import numpy as np
import pandas as pd


def rank_correlation(one: pd.Series, other: pd.Series) -> float:
    """Spearman's rank correlation of two series of numbers, as ``scipy.stats.spearmanr``, whose import takes longer than a figure.

    Args:
        one: (n,) at least two different numbers; pairs of which one is missing are left out.
        other: (n,) likewise, with the same index.

    >>> round(rank_correlation(pd.Series([1, 2, 3]), pd.Series([1.0, 4.0, 9.0])), 6)
    1.0
    """
    ranks = pd.DataFrame({"one": one, "other": other}).dropna().rank().to_numpy()
    return float(np.corrcoef(ranks, rowvar=False)[1, 0])
