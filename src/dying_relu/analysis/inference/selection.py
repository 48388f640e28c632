"""The seeds that choose and those that are reported: what was chosen on a seed's networks is not judged on them."""

from typing import NamedTuple

import pandas as pd

from dying_relu.analysis.inference.seeds import REPORTING

SHARE = 1 / 6
"""Share of the seeds that choose in a study with fewer of them than the published one: 4 of its 24."""


class Split(NamedTuple):
    """Runs by what their seeds are for."""

    selection: pd.DataFrame
    reporting: pd.DataFrame


def split(runs: pd.DataFrame) -> Split:
    """Divide runs into those of the seeds that choose and those of the seeds that are reported.

    Args:
        runs: with the column replicate.

    Returns:
        Replicates from ``REPORTING`` on choose; in a smaller study the last sixth of the replicates, at least one.
    """
    replicates = sorted(runs["replicate"].unique())
    choosing = [replicate for replicate in replicates if replicate >= REPORTING]
    if not choosing:
        choosing = replicates[len(replicates) - max(1, round(len(replicates) * SHARE)) :]
    chooses = runs["replicate"].isin(choosing)
    return Split(runs[chooses], runs[~chooses])


def reported(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that are reported where nothing is chosen: all but those of further seeds.

    Args:
        runs: with the column replicate.
    """
    return runs[runs["replicate"] < REPORTING]
