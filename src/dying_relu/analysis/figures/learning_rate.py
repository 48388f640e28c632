"""Dead fraction and test accuracy against the learning rate, by activation, at the initial bias nearest to zero."""

import pandas as pd
from matplotlib.figure import Figure

from dying_relu.analysis.figures import curves, style

CAPTION = (
    "Dead units and test accuracy against the learning rate, at the initial bias nearest to zero. "
    "Means over the networks that trained, with 95% t intervals over seeds; "
    "crosses above the scale mark networks that did not train."
)
TABLES = ("runs",)
EXPERIMENT = "causes"


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """Means with intervals over replicates.

    Args:
        runs: the study's table of runs; experiment ``causes`` is drawn.
    """
    runs = runs[runs["experiment"] == EXPERIMENT]
    if runs.empty:
        return style.note(f"This study has no experiment “{EXPERIMENT}”.")
    nearest = runs["initial_bias"].abs() == runs["initial_bias"].abs().min()
    named = style.with_activation_names(runs[nearest])
    return curves.grid(
        named, "learning_rate", "function", style.rates, others=("optimiser", "initialisation")
    )
