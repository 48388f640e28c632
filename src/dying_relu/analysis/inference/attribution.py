"""The causes of a fall of a unit's largest pre-activation: its bias, its weights, or its inputs.

From one checkpoint to the next a unit goes from (w, b, a) to (w', b', a'), where a are the outputs of the layer below. Its largest
pre-activation b + max_x w a(x) changes by b' - b, which is due to the bias, and by the change of max_x w a(x), which weights and
inputs make together. What a factor makes of it depends on whether the other has changed already; the mean over both orders, the
Shapley value, is the one split that treats them alike and leaves no remainder (Shapley, 1953).
"""

import numpy as np
import pandas as pd

STATE = {
    "step",
    "dead",
    "bias",
    "weight_norm",
    "active_share",
    "negative_weights",
    "mean_pre_activation",
    "pre_activation_max",
    "pre_activation_max_new_weights",
    "pre_activation_max_new_inputs",
    "woken_examples",
    "woken_minibatches",
}
"""The columns that are kept of the end of an interval."""
PARTS = ["by_bias", "by_weights", "by_inputs"]
"""The columns that sum up to the fall."""


def attributed(units: pd.DataFrame) -> pd.DataFrame:
    """The fall of every unit's largest pre-activation from each checkpoint to the next, and its causes.

    Args:
        units: a row a unit and checkpoint, in any order: the columns of the table of units. Numbers in double precision, or the
            parts sum up to the fall to single precision only.

    Returns:
        A row a unit and interval between two consecutive checkpoints: all columns of ``units`` as they were when it began; with
        ``_next`` those of ``STATE`` as they were when it ended (``step_next``, ``dead_next``, ...); ``died`` (alive before,
        dead after), ``revived`` (the reverse), ``fall`` of the largest pre-activation (negative where it rose), and its parts
        ``by_bias``, ``by_weights`` and ``by_inputs``. The latter two are NaN where what moved the unit is not known, as with
        normalisation, but that inputs of a first layer never move.
    """
    ordered, same = in_order(units)
    place = np.flatnonzero(same)
    before = ordered.iloc[place].reset_index(drop=True)
    state = [name for name in ordered if name in STATE]
    after = ordered[state].iloc[place + 1].reset_index(drop=True).add_suffix("_next")
    return pd.concat([before, after.assign(**_fate(before, after), **_parts(before, after))], axis=1)


def in_order(units: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Sort units by their names and the step.

    Args:
        units: a row a unit and checkpoint, with the columns of ``UNIT`` and ``step``.

    Returns:
        The rows in order, with an index from 0, and (rows,) bool: whether the next row is of the same unit.
    """
    run, layer = (pd.factorize(units[name], sort=True)[0] for name in ("run", "layer"))
    unit, step = units["unit"].to_numpy(), units["step"].to_numpy()
    order = np.lexsort((step, unit, layer, run))
    same = np.zeros(len(units), dtype=bool)
    names = [name[order] for name in (run, layer, unit)]
    same[:-1] = np.all([name[1:] == name[:-1] for name in names], axis=0)
    return units.iloc[order].reset_index(drop=True), same


def _parts(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, pd.Series]:
    bias, bias_next = before["bias"], after["bias_next"]
    # max_x w a(x) with old or new weights, and old or new inputs.
    old = before["pre_activation_max"] - bias
    new_weights = after["pre_activation_max_new_weights_next"] - bias
    new_inputs = after["pre_activation_max_new_inputs_next"] - bias
    new = after["pre_activation_max_next"] - bias_next
    first = before["depth"] == 1
    by_inputs = ((old - new_inputs) + (new_weights - new)) / 2
    by_weights = ((old - new_weights) + (new_inputs - new)) / 2
    return {
        "fall": before["pre_activation_max"] - after["pre_activation_max_next"],
        "by_bias": bias - bias_next,
        # The inputs of the first layer are the data: what rounding makes of them is no movement.
        "by_weights": by_weights.mask(first, old - new),
        "by_inputs": by_inputs.mask(first, 0.0),
    }


def _fate(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, pd.Series]:
    dead_next = after["dead_next"]
    return {
        "died": ~before["dead"] & dead_next,
        "revived": before["dead"] & ~dead_next,
    }
