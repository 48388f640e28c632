"""The law for the rate at which a quarter of the first layer dies: observed onsets, and the scales that predict them."""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.findings.layers import first_inputs, with_new_dead

SETTING: list[Hashable] = ["dataset", "architecture", "inputs"]
"""The columns that make a setting of the law."""
SCALES = ("sgd", "adam", "mean", "second_moment", "spread")
"""The columns of :func:`scales` that predict onsets, up to a constant."""
MOST_OVERFLOWED = 1 / 2
"""Rates at which more than this share of the seeds overflowed have no median."""


def onset(shares: pd.Series, share: float) -> float:
    """The rate at which the median over seeds of the newly dead share reaches ``share``.

    Args:
        shares: the medians, with an index of rates; NaN where there is none.
        share: of the layer's units.

    Returns:
        The first crossing between neighbouring rates, linear in the logarithm of the rate; NaN where there is none, or it lies below
        the lowest rate.

    >>> onset(pd.Series([0.0, 0.5], index=[0.1, 0.4]), 0.25)
    0.2
    """
    known = shares.dropna().sort_index()
    reached = np.flatnonzero(known.to_numpy() >= share)
    if not len(reached) or reached[0] == 0:
        return np.nan
    place = reached[0]
    (low, high), (below, above) = (
        values[place - 1 : place + 1] for values in (known.index, known.to_numpy())
    )
    part = (share - below) / (above - below)
    return float(round(low * (high / low) ** part, 12))


def edge(shares: pd.Series, share: float) -> float:
    """The end of the grid beyond which an onset lies that is not inside.

    Args:
        shares: the medians, with an index of rates; NaN where there is none.
        share: of the layer's units.

    Returns:
        The lowest rate with a median if the share is reached there, else the highest one; NaN where no rate has a median.

    >>> edge(pd.Series([0.3, 0.5], index=[0.1, 0.4]), 0.25), edge(pd.Series([0.0, 0.1], index=[0.1, 0.4]), 0.25)
    (0.1, 0.4)
    """
    known = shares.dropna().sort_index()
    if known.empty:
        return np.nan
    return float(known.index[0] if known.iloc[0] >= share else known.index[-1])


def onsets(seeds: pd.DataFrame, share: float, predicted: pd.Series | None = None) -> pd.Series:
    """The onset of every setting.

    Args:
        seeds: newly dead shares: a row a seed, columns the levels of ``SETTING`` and the learning rate; NaN where a network overflowed.
        share: of the layer's units, at the onset.
        predicted: onsets, by setting; where one lies inside the grid and none was observed, the grid's end stands for it.

    Returns:
        Index ``SETTING``, in the order of the columns.
    """
    counts = seeds.notna().mean()
    medians = seeds.median().where(counts >= MOST_OVERFLOWED)
    by_setting = medians.groupby(level=SETTING, sort=False)
    observed = by_setting.apply(lambda one: onset(one.droplevel(SETTING), share))
    if predicted is None:
        return observed
    edges = by_setting.apply(lambda one: edge(one.droplevel(SETTING), share))
    rates = medians.index.to_frame(index=False).groupby(SETTING, sort=False)["learning_rate"]
    inside = predicted.between(rates.min().reindex(predicted.index), rates.max().reindex(predicted.index))
    return observed.fillna(edges.where(inside.reindex(edges.index, fill_value=False)))


def shares(evidence: Evidence, runs: pd.DataFrame) -> pd.DataFrame:
    """The newly dead share of the first layer of every network.

    Args:
        evidence: of the study.
        runs: some of its runs, of one optimiser.

    Returns:
        The table that :func:`onsets` takes.
    """
    first = with_new_dead(evidence, runs, 1)
    table = first.pivot_table("new_dead", index="replicate", columns=[*SETTING, "learning_rate"])
    return table.reindex(sorted(runs["replicate"].unique()))


def scales(evidence: Evidence, runs: pd.DataFrame, by: Sequence[Hashable] = SETTING) -> pd.DataFrame:
    """The scales of the law, measured before the first step: means over networks.

    Args:
        evidence: of the study.
        runs: some of its runs.
        by: the columns that make a setting.

    Returns:
        Index ``by``, columns ``SCALES``: ``sgd`` (sd(z) / squared norm of the mean), ``adam`` (sd(z) / its 1-norm), ``mean`` (1 / squared
        norm of the mean), ``second_moment`` (1 / mean squared norm), ``spread`` (sd(z) / mean squared norm); infinite where there is no
        mean. And ``offset_share``.
    """
    start = first_inputs(evidence)
    start = start.assign(squared_norm=start["input_mean_norm"] ** 2)
    known = runs[list(dict.fromkeys([*by, "run"]))].join(start, on="run")
    means = known.groupby(list(by), sort=False)[list(start.columns)].mean()
    squared, norm_1, sd = means["squared_norm"], means["input_mean_norm_1"], means["pre_activation_sd"]
    one = pd.Series(1.0, means.index)
    return pd.DataFrame(
        {
            "sgd": _over(sd, squared),
            "adam": _over(sd, norm_1),
            "mean": _over(one, squared),
            "second_moment": _over(means["offset_share"], squared),
            "spread": _over(sd * means["offset_share"], squared),
            "offset_share": means["offset_share"],
        }
    )


def log2(values: pd.Series) -> pd.Series:
    """The logarithms, in octaves, of positive numbers."""
    return pd.Series(np.log2(values.to_numpy()), values.index)


def _over(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    return (numerator / denominator.where(denominator > 0)).where(denominator > 0, np.inf)
