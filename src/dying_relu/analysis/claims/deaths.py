"""The updates that killed a unit, and what made its pre-activations fall."""

import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.inference.attribution import PARTS, attributed
from dying_relu.analysis.inference.selection import reported

STEP_BY_STEP = "anatomy"
"""The experiments whose names begin so record every unit after every update."""

FIRST, DEEPER = "first layer", "deeper layers"


@measured
def deaths(evidence: Evidence) -> pd.DataFrame:
    """The updates that killed a ReLU unit, in the experiments that record every update, and the parts of the fall.

    Returns:
        A row a death, by depth and optimiser, as :func:`~dying_relu.analysis.inference.attribution.attributed` gives it, with
        ``of_fall_`` and ``enough_`` for each of the parts by bias, by weights and by inputs: its share in the fall, and whether
        it was enough to bring the unit down to 0 by itself; ``largest``: the name of the largest part; ``place``: first
        layer or deeper layers.
    """
    runs = reported(evidence.runs)
    units = evidence.units_of(
        runs[runs["experiment"].str.startswith(STEP_BY_STEP) & (runs["activation"] == "relu")]
    )
    falls = attributed(units)
    fatal = falls[falls["died"] & (falls["step_next"] == falls["step"] + 1)].dropna(subset=PARTS)
    if fatal.empty:
        raise NotEnoughData(f"no unit dies in the experiments '{STEP_BY_STEP}...'")
    optimisers = pd.Categorical(fatal["optimiser"], evidence.runs["optimiser"].unique())
    fatal = fatal.assign(optimiser=optimisers).sort_values(["depth", "optimiser"], kind="stable")
    fatal = fatal.assign(optimiser=fatal["optimiser"].astype(str))
    return fatal.assign(
        **{f"of_fall_{part}": fatal[part] / fatal["fall"] for part in PARTS},
        **{f"enough_{part}": fatal[part] >= fatal["pre_activation_max"] for part in PARTS},
        largest=fatal[PARTS].idxmax(axis=1),
        place=place,
    )


def place(units: pd.DataFrame) -> pd.Series:
    """The group of layers that each unit belongs to: the first layer, or a deeper one.

    Args:
        units: a row a unit, with the column ``depth`` (1 for the first hidden layer).

    Returns:
        (units,) ``FIRST`` or ``DEEPER``, with the index of ``units``.
    """
    return units["depth"].eq(1).map({True: FIRST, False: DEEPER})
