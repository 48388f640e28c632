"""Single layers: the share that is newly dead at the end, and the inputs before the first step."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, measured

AT_THE_START = ["offset_share", "input_mean_norm", "input_mean_norm_1", "pre_activation_sd"]
"""The columns of :func:`first_inputs`."""


@measured
def at_the_end(evidence: Evidence) -> pd.DataFrame:
    """Every layer of every finite network at the end of training, on the training probe set and on all training examples.

    Returns:
        A row a run and layer: ``run``, ``depth``, ``units``, ``new_dead`` (a share of the units), ``newly_inactive`` (the share silent on
        the training probe set at the end minus that before the first step), ``new_dead_units``, and ``living`` (the units that are not
        dead on all training examples).
    """
    layers = evidence.layers
    layers = layers[layers["probe"] == "train"]
    runs = evidence.runs.loc[~evidence.runs["overflowed"], ["run", "steps"]]
    last = layers.merge(runs, left_on=["run", "step"], right_on=["run", "steps"])
    first = layers.loc[layers["step"] == 0, ["run", "depth", "inactive"]]
    both = last.merge(first, on=["run", "depth"], how="left", suffixes=("", "_first"))
    units = both["units"].astype(float)
    return pd.DataFrame(
        {
            "run": both["run"],
            "depth": both["depth"].astype(int),
            "units": units,
            "new_dead_units": both["new_dead_all"].astype(float),
            "living": units - both["dead_all"].astype(float),
            "new_dead": both["new_dead_all"].astype(float) / units,
            "newly_inactive": (both["inactive"].astype(float) - both["inactive_first"].astype(float)) / units,
        }
    )


@measured
def first_inputs(evidence: Evidence) -> pd.DataFrame:
    """The inputs of the first layer before the first step, over the training probe set.

    Returns:
        Index run, columns ``AT_THE_START``.
    """
    layers = evidence.layers
    here = (layers["probe"] == "train") & (layers["depth"] == 1) & (layers["step"] == 0)
    return layers[here].set_index("run")[AT_THE_START].astype(float)


def with_new_dead(evidence: Evidence, runs: pd.DataFrame, depth: int) -> pd.DataFrame:
    """Give every run the share of a layer that is newly dead at the end.

    Args:
        evidence: of the study.
        runs: some of its runs.
        depth: of the layer, 1 for the first hidden one.

    Returns:
        The same rows, with a column ``new_dead``: NaN where the run overflowed.
    """
    layers = at_the_end(evidence)
    share = layers[layers["depth"] == depth].set_index("run")["new_dead"]
    return runs.assign(new_dead=runs["run"].map(share).astype(float))


def cut_off(evidence: Evidence, runs: pd.DataFrame) -> pd.Series:
    """Mark the networks whose first layer got no gradient at the end, because a later layer died whole.

    Args:
        evidence: of the study.
        runs: some of its runs.

    Returns:
        (rows,) bool with the index of ``runs``; False where a run overflowed.
    """
    layers = at_the_end(evidence)
    whole = layers.loc[(layers["depth"] > 1) & (layers["living"] == 0), "run"]
    return runs["run"].isin(whole)


def most_new_dead(evidence: Evidence, runs: pd.DataFrame) -> pd.Series:
    """The share that is newly dead in the layer in which it is largest.

    Args:
        evidence: of the study.
        runs: some of its runs.

    Returns:
        (rows,) with the index of ``runs``; NaN where a run overflowed.
    """
    return runs["run"].map(at_the_end(evidence).groupby("run")["new_dead"].max()).astype(float)


def at_rates(runs: pd.DataFrame, rates: Mapping[str, float]) -> pd.DataFrame:
    """Those runs whose learning rate is the one that is meant for their optimiser.

    Args:
        runs: with the columns optimiser and learning_rate.
        rates: optimiser -> rate; runs of other optimisers are left out.
    """
    return runs[np.isclose(runs["learning_rate"], runs["optimiser"].map(rates).astype(float))]
