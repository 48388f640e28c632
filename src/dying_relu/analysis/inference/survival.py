"""The duration of death: spells of it, and the share of them that last.

A spell begins at the first checkpoint at which a unit is dead and ends with its revival, seen at a later checkpoint. Of a
unit that is dead until training ends nobody knows how much longer it would have been: its spell is right-censored, and the
Kaplan-Meier estimator counts it for as long as it was seen. Both ends are known up to the checkpoints between which they lie.
"""

import numpy as np
import pandas as pd

from dying_relu.analysis.inference.attribution import in_order
from dying_relu.analysis.inference.intervals import LEVEL


def spells(units: pd.DataFrame) -> pd.DataFrame:
    """The first spell of death of every unit that was ever dead.

    Args:
        units: a row a unit and checkpoint, with the columns of ``UNIT``, ``step`` and ``dead``; others that do not change from
            checkpoint to checkpoint are kept.

    Returns:
        A row a spell: ``duration``, the steps for which the unit was seen dead, ``revived``, whether the spell ended so, and
        ``born_dead``, whether it began with the unit's first checkpoint: nobody saw such a unit die. Units that are dead at
        their last checkpoint only, and were not followed any further, have none.
    """
    ordered, same = in_order(units)
    # Numbers of units, because their names take long to group by.
    unit = np.cumsum(~same) - ~same
    ever = ordered[ordered["dead"].groupby(unit).cummax()]
    born = ordered["step"].groupby(unit).transform("first").loc[ever.index]
    unit = unit[ever.index]
    began = ever["step"].groupby(unit).transform("first")
    # The first row on which a unit that was dead is alive, or the last one there is.
    awake = ever["step"].where(~ever["dead"]).groupby(unit).transform("first")
    last = ever.assign(began=began, born_dead=began == born, awake=awake).groupby(unit).tail(1)
    revived = last["awake"].notna()
    duration = last["awake"].where(revived, last["step"]) - last["began"]
    spells = last.assign(duration=duration.astype(float), revived=revived)
    return spells[spells["duration"] > 0].drop(columns=["began", "awake", "step", "dead"])


def still_dead(spells: pd.DataFrame, steps: np.ndarray) -> np.ndarray:
    """The Kaplan-Meier estimate of the share of spells that last longer than each of ``steps``.

    Args:
        spells: a row a spell, with the columns ``duration`` and ``revived``.
        steps: (n,) of training since the spell began.

    Returns:
        (n,) shares.
    """
    durations, place = np.unique(spells["duration"].to_numpy(), return_inverse=True)
    ended = np.bincount(place[spells["revived"].to_numpy()], minlength=len(durations))
    at_risk = len(spells) - np.searchsorted(np.sort(spells["duration"].to_numpy()), durations)
    shares = np.append(1.0, np.cumprod((at_risk - ended) / at_risk))
    return shares[np.searchsorted(durations, steps, side="right")]


def band(spells: pd.DataFrame, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The band of :func:`still_dead` over seeds: delete-one-seed jackknife with t, because units of one network do not die independently.

    Args:
        spells: a row a spell, with the columns ``replicate``, ``duration`` and ``revived``.
        steps: (n,) of training since the spell began.

    Returns:
        (n,) low and (n,) high, within 0 and 1; both are the estimate where there is one seed.
    """
    from scipy.stats import t

    estimate = still_dead(spells, steps)
    seeds = spells["replicate"].unique()
    n = len(seeds)
    if n < 2:
        return estimate, estimate
    rest = np.array([still_dead(spells[spells["replicate"] != seed], steps) for seed in seeds])
    error = np.sqrt((n - 1) / n * ((rest - rest.mean(axis=0)) ** 2).sum(axis=0))
    half = t.ppf((1 + LEVEL) / 2, n - 1) * error
    return (estimate - half).clip(0, 1), (estimate + half).clip(0, 1)
