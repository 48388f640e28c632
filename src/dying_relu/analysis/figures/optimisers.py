"""Dead fraction and test accuracy against the learning rate, by optimiser, for ReLU."""

import pandas as pd
from matplotlib.figure import Figure

from dying_relu.analysis.figures import curves, style

TABLES = ("runs",)
EXPERIMENT = "optimisers"


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """Means with intervals over replicates; ``runs`` is the study's table of runs, experiment ``optimisers`` is drawn."""
    runs = runs[(runs["experiment"] == EXPERIMENT) & (runs["activation"] == "relu")]
    if runs.empty:
        return style.note(f"This study has no experiment “{EXPERIMENT}”.")
    others = ("initialisation", "initial_bias")
    return curves.grid(runs, "learning_rate", "optimiser", style.rates, others)
