"""Section 2 of the plan: from one number a seed to a verdict."""

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.025
SEEDS = 20


class Missing(Exception):
    """The tables lack what a rule asks for."""


def reporting(runs):
    """Replicates 0 to 19."""
    return runs[runs["replicate"] < SEEDS]


def choosing(runs):
    """Replicates 20 to 23."""
    chosen = runs[runs["replicate"] >= SEEDS]
    if chosen.empty:
        raise Missing("no selection seeds")
    return chosen


def sign(values, threshold, alternative):
    """The p value of the exact sign test of the median."""
    return stats.quantile_test(values, q=threshold, p=0.5, alternative=alternative).pvalue


def above(threshold):
    """The median lies above a threshold: p values of the tests that it does not, and that it does."""
    return lambda values: (sign(values, threshold, "greater"), sign(values, threshold, "less"))


def below(threshold):
    """The median lies below a threshold."""
    return lambda values: (sign(values, threshold, "less"), sign(values, threshold, "greater"))


def within(low, high):
    """The whole interval of the median lies within two limits."""
    return lambda values: (
        max(sign(values, low, "greater"), sign(values, high, "less")),
        min(sign(values, low, "less"), sign(values, high, "greater")),
    )


def rare(share):
    """A smaller share of the seeds than this has a property."""

    def test(values):
        having = int(np.count_nonzero(values))
        return tuple(
            stats.binomtest(having, len(values), share, alternative=alternative).pvalue
            for alternative in ("less", "greater")
        )

    test.merges = False
    return test


def verdict(table, criterion):
    """The verdict of cells, and their mean.

    table: a row a seed, a column a cell, NaN where a seed has no number; all seeds and all cells that the study has.
    """
    distinct = table.loc[:, ~_repeated(table)] if getattr(criterion, "merges", True) else table
    tested = [name for name in distinct if distinct[name].notna().sum() >= 0.75 * len(distinct)]
    p_values = {name: criterion(distinct[name].dropna().to_numpy()) for name in tested}
    states = [_state(p_values.get(name, (1, 1))) for name in distinct]
    corrected = set()
    for word, side in (("holds", 0), ("fails", 1)):
        ordered = sorted(p_values[name][side] for name in tested)
        if ordered and ordered[0] <= LEVEL / len(ordered):
            corrected.add(word)
    if set(states) == {"holds"}:
        word = "holds"
    elif set(states) == {"fails"}:
        word = "does not hold"
    else:
        word = "holds only if" if corrected == {"holds", "fails"} else "not settled"
    finite = distinct.where(np.isfinite(distinct))
    return word, float(finite.mean().mean())


def _state(p_values):
    holds, fails = p_values
    return "holds" if holds <= LEVEL else "fails" if fails <= LEVEL else "open"


def _repeated(table):
    """Cells whose seeds have equal numbers, one by one, are one cell; those without numbers stay."""
    seen, repeated = set(), []
    for name in table:
        key = (table[name].to_numpy(dtype=float) + 0.0).tobytes()
        repeated.append(bool(table[name].notna().any()) and key in seen)
        seen.add(key)
    return np.array(repeated)


def cells(values, runs, by):
    """A table for :func:`verdict`: all cells and seeds of the runs that could have given a number.

    values: a number by the columns of the cell and the replicate.
    """
    seeds = sorted(runs["replicate"].unique())
    table = {}
    for cell in runs[by].drop_duplicates().itertuples(index=False, name=None):
        numbers = [values.get((*cell, seed), np.nan) for seed in seeds]
        table[" ".join(map(str, cell))] = numbers
    return pd.DataFrame(table, index=seeds, dtype=float)
