"""Probability that a network is born dead, over depth, width, inputs and initialisation: the table behind a figure of the paper."""

from itertools import product
from pathlib import Path

import pandas as pd

from dying_relu.simulations import inputs
from dying_relu.simulations.probabilities import born_dead
from dying_relu.simulations.tables import keep

NETWORKS = 5_000
WIDTHS = (1, 2, 3, 4, 5, 6, 8, 10)
WEIGHT_LAYERS = 30
INPUTS = {
    "one point": inputs.one_point,
    "line": inputs.line,
    "plane": inputs.circle,
    "interval": inputs.interval,
}
CASES = (("he", "one point"), ("he", "line"), ("he", "plane"), ("rai", "interval"))
"""Initialisation and inputs. RAI's biases are not 0, so that no two points stand for the line."""


def write(out: Path) -> None:
    """Count the networks born dead and write the table to the parquet file ``out``."""
    keep("born_dead", simulate, __name__, out)


def simulate() -> pd.DataFrame:
    """Count the networks born dead.

    Returns:
        The table ``born_dead`` of :mod:`dying_relu.results.schemas`. The depths of a width are those of the same networks, so that
        they are not independent of each other; everything else is.
    """
    rows = []
    for (scheme, name), width in product(CASES, WIDTHS):
        counts = born_dead(width, WEIGHT_LAYERS, INPUTS[name](), NETWORKS, scheme)
        rows += [
            (scheme, name, width, weight_layers, count.trials, count.successes)
            for weight_layers, count in enumerate(counts, start=2)
        ]
    names = ["initialisation", "inputs", "width", "weight_layers", "networks", "born_dead"]
    return pd.DataFrame(rows, columns=names)
