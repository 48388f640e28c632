"""How long dead units stay dead: spells of death, and the share of them that last.

A spell begins at the first checkpoint at which a unit is dead and ends with its revival, seen at a later checkpoint. Of a
unit that is dead until training ends nobody knows how much longer it would have been: its spell is right-censored, and the
Kaplan-Meier estimator counts it for as long as it was seen. Both ends are known up to the checkpoints between which they lie.
"""

import numpy as np
import pandas as pd
from scipy.stats import CensoredData, ecdf

from dying_relu.analysis.inference.intervals import LEVEL, SEED

UNIT = ["run", "layer", "unit"]
RESAMPLES = 200
"""Fewer than of a mean: each is an estimate of a whole curve."""


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
    ordered = units.sort_values([*UNIT, "step"])
    ever = ordered[ordered.groupby(UNIT)["dead"].cummax()]
    began = ever.groupby(UNIT)["step"].transform("first")
    born = ordered.groupby(UNIT)["step"].transform("first").loc[ever.index]
    # The first row on which a unit that was dead is alive, or the last one there is.
    awake = ever[~ever["dead"]].groupby(UNIT)["step"].first().rename("awake")
    last = ever.assign(began=began, born_dead=began == born).groupby(UNIT).tail(1).join(awake, on=UNIT)
    revived = last["awake"].notna()
    duration = last["awake"].where(revived, last["step"]) - last["began"]
    found = last.assign(duration=duration.astype(float), revived=revived)
    return found[found["duration"] > 0].drop(columns=["began", "awake", "step", "dead"])


def still_dead(spells: pd.DataFrame, steps: np.ndarray) -> np.ndarray:
    """The Kaplan-Meier estimate of the share of spells that last longer than each of ``steps``.

    Args:
        spells: a row a spell, with the columns ``duration`` and ``revived``.
        steps: (n,) of training since the spell began.

    Returns:
        (n,) shares.
    """
    lasting, ended = spells.loc[~spells["revived"], "duration"], spells.loc[spells["revived"], "duration"]
    estimate = ecdf(CensoredData(uncensored=ended.to_numpy(), right=lasting.to_numpy())).sf
    return np.asarray(estimate.evaluate(steps))


def band(spells: pd.DataFrame, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bootstrap band of :func:`still_dead` over replicates: units of one network do not die independently.

    Returns:
        (n,) low and (n,) high; both are the estimate where there is one replicate.
    """
    each = [group for _, group in spells.groupby("replicate")]
    draws = np.random.default_rng(SEED).integers(len(each), size=(RESAMPLES, len(each)))
    curves = [
        still_dead(pd.concat([each[place] for place in drawn]), steps)
        for drawn in np.unique(np.sort(draws), axis=0)
    ]
    low, high = np.quantile(curves, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
