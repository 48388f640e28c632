"""The data inside the explorer: means of all networks by cell, and a sample of networks with their layers, as compact CSV text.

Names stand once, in a table of settings; other tables hold the number of the setting, so that the page of a large study stays small.
"""

from dataclasses import dataclass

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.outcomes import trained
from dying_relu.analysis.study_results import StudyResults

SETTING = ["experiment", "dataset", "architecture", "optimiser", "function", "inputs"]
"""Factors that the page names by the number of their combination."""
MOST_NETWORKS = 4000
"""Networks that are shown one by one; of a larger study, a sample."""
MOST_COUNTS = 400_000
"""Counts of dead units in a layer at a checkpoint that the page holds; a sample of networks keeps within it."""
STEP_OF_OFFSET = 0.05
"""Offset shares are rounded to multiples of this, for cells of the phase diagram."""

RUN_COLUMNS = (
    *("run", "experiment", "dataset", "architecture", "optimiser", "activation", "slope", "inputs"),
    *("initial_bias", "learning_rate", "replicate", "outcome", "dead_fraction", "test_accuracy"),
)
LAYER_COLUMNS = ("run", "step", "layer", "depth", "probe", "units", "dead", "offset_share")


@dataclass(frozen=True)
class Networks:
    """A study as the explorer shows it.

    Attributes:
        settings: a row a combination of the factors ``SETTING``, with its number ``setting``.
        cells: a row a setting, learning rate, initial bias and offset share: ``networks``, how many ``trained``, and ``dead``, the sum of
            their dead fractions.
        sample: a row a network that is shown by itself, with its number ``network``, from 1.
        layers: a row a hidden layer of such a network: ``dead`` units at each of the checkpoints ``steps``, joined by spaces.
        schedules: a row a series of checkpoints, which many networks share: its number and its ``steps``, joined by spaces.
        total: number of networks of the study.
    """

    settings: pd.DataFrame
    cells: pd.DataFrame
    sample: pd.DataFrame
    layers: pd.DataFrame
    schedules: pd.DataFrame
    total: int

    def texts(self) -> dict[str, str]:
        """Each table as CSV text, by name; numbers at four significant digits."""
        tables = {
            "settings": self.settings,
            "cells": self.cells,
            "sample": self.sample,
            "layers": self.layers,
            "schedules": self.schedules,
        }
        return {name: table.to_csv(index=False, float_format="%.4g") for name, table in tables.items()}


def of_study(study: StudyResults) -> Networks:
    """The networks of a study, as the explorer shows them.

    Args:
        study: with the tables of runs and layers.
    """
    runs = study.table("runs", RUN_COLUMNS)[list(RUN_COLUMNS)]
    layers = study.table("layers", LAYER_COLUMNS)[list(LAYER_COLUMNS)]
    layers = layers[layers["probe"] == "train"]
    runs = _with_settings(runs.assign(offset_share=runs["run"].map(_offset_shares(layers))))
    sample = _sample(runs, layers)
    counts, schedules = _counts(layers, sample)
    return Networks(
        runs[["setting", *SETTING]].drop_duplicates("setting").sort_values("setting"),
        _cells(runs),
        sample[
            [
                *("network", "run", "setting", "initial_bias", "learning_rate", "offset_share"),
                *("replicate", "outcome", "dead_fraction", "test_accuracy"),
            ]
        ],
        counts,
        schedules,
        len(runs),
    )


def _offset_shares(layers: pd.DataFrame) -> pd.Series:
    """(runs,) the offset share of the network's inputs, rounded, by run."""
    first = layers[(layers["depth"] == 1) & (layers["step"] == 0)].set_index("run")["offset_share"]
    return ((first / STEP_OF_OFFSET).round() * STEP_OF_OFFSET).round(2)


def _with_settings(runs: pd.DataFrame) -> pd.DataFrame:
    pairs = runs[["activation", "slope"]].drop_duplicates().itertuples(index=False)
    names = {
        (activation, str(slope)): latex.activation_name(activation, slope) for activation, slope in pairs
    }
    functions = [names[pair] for pair in zip(runs["activation"], runs["slope"].map(str), strict=True)]
    runs = runs.assign(function=functions)
    return runs.assign(setting=runs.groupby(SETTING, sort=True).ngroup())


def _cells(runs: pd.DataFrame) -> pd.DataFrame:
    cells = runs.assign(
        trained=trained(runs).astype(int), dead=runs["dead_fraction"].where(trained(runs), 0.0)
    ).groupby(["setting", "initial_bias", "learning_rate", "offset_share"], dropna=False)
    return cells.agg(networks=("run", "size"), trained=("trained", "sum"), dead=("dead", "sum")).reset_index()


def _sample(runs: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """The first networks in the order of a digest of their names, which is unrelated to anything they are."""
    digests = pd.Series(pd.util.hash_pandas_object(runs["run"], index=False).to_numpy(), index=runs.index)
    chosen = runs.loc[digests.sort_values().index[:MOST_NETWORKS]]
    counts = chosen["run"].map(layers.groupby("run").size()).fillna(0).cumsum()
    chosen = chosen[counts <= MOST_COUNTS].sort_index()
    return chosen.assign(network=range(1, len(chosen) + 1))


def _counts(layers: pd.DataFrame, sample: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Dead units by network and layer, and the checkpoints they were counted at."""
    numbers = sample.set_index("run")["network"]
    known = layers[layers["run"].isin(numbers.index)].sort_values(["run", "depth", "step"])
    words = known.assign(step=known["step"].astype(str), dead=known["dead"].astype(str))
    grouped = words.groupby(["run", "depth", "layer", "units"], sort=False)
    joined = grouped.agg(steps=("step", " ".join), dead=("dead", " ".join)).reset_index()
    steps = sorted(joined["steps"].unique())
    schedule = joined["steps"].map({series: number for number, series in enumerate(steps)})
    joined = joined.assign(network=joined["run"].map(numbers), schedule=schedule)
    return (
        joined[["network", "layer", "depth", "units", "schedule", "dead"]].sort_values(["network", "depth"]),
        pd.DataFrame({"schedule": range(len(steps)), "steps": steps}),
    )
