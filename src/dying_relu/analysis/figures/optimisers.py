"""Dead fraction and test accuracy against the learning rate, by optimiser and initial bias, for ReLU."""

import pandas as pd
from matplotlib.figure import Figure

from dying_relu.analysis.figures import curves, style

CAPTION = (
    "Dead units and test accuracy against the learning rate, by optimiser and initial bias, for ReLU. "
    "Means over the networks that trained, with 95% t intervals over seeds; "
    "crosses above the scale mark networks that did not train."
)
TABLES = ("runs",)
EXPERIMENT = "optimisers"


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """Means with intervals over replicates.

    Args:
        runs: the study's table of runs; experiment ``optimisers`` is drawn, with the like networks of ``causes`` for an optimiser
            that it leaves out. Initial biases, where there are several, differ in line and filling.
    """
    relu = runs[runs["activation"] == "relu"]
    compared = relu[relu["experiment"] == EXPERIMENT]
    if compared.empty:
        return style.note(f"This study has no experiment “{EXPERIMENT}”.")
    causes = relu[(relu["experiment"] == "causes") & ~relu["optimiser"].isin(compared["optimiser"])]
    like = ["dataset", "architecture", "initialisation", "initial_bias"]
    others = causes.merge(compared[like].drop_duplicates(), on=like)
    shown = pd.concat([others, compared], ignore_index=True)
    return curves.grid(
        shown, "learning_rate", "optimiser", style.rates, others=["initialisation"], line="initial_bias"
    )
