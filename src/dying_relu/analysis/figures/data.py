"""Dead fraction and test accuracy against the learning rate, for other pixels and other minibatches."""

import pandas as pd
from matplotlib.figure import Figure

from dying_relu.analysis.figures import curves, style

CAPTION = (
    "Dead fraction and test accuracy of ReLU networks against the learning rate, for pixels from 0 to 1 as they are and for other sizes "
    "of minibatches, beside standardised pixels. Means with intervals over replicates; crosses mark networks that did not train."
)
TABLES = ("runs",)
EXPERIMENT = "data"
"""The experiments whose names begin so vary the data; ``causes`` has the same networks on standardised pixels."""
BASELINE = "causes"


@style.paper
def figure(runs: pd.DataFrame) -> Figure:
    """A panel for each data set, a curve for each kind of pixels and size of minibatches; ReLU, initial bias 0.

    Args:
        runs: the study's table of runs.
    """
    varied = runs[runs["experiment"].str.startswith(EXPERIMENT)]
    if varied.empty:
        return style.note(f"This study has no experiment “{EXPERIMENT}...”.")
    like = ["dataset", "architecture", "optimiser", "activation", "initialisation", "initial_bias"]
    baseline = runs[runs["experiment"] == BASELINE].merge(varied[like].drop_duplicates(), on=like)
    shown = pd.concat([baseline, varied])
    condition = shown["inputs"] + ", batch " + shown["batch_size"].astype(str)
    shown = shown.assign(condition=condition)
    return curves.grid(
        shown,
        "learning_rate",
        "condition",
        style.rates,
        ["optimiser", "activation", "initialisation", "initial_bias"],
    )
