"""The tables of a study as the verdict rules ask for them."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dying_relu import results

SETTING = ["dataset", "architecture", "optimiser"]
FACTORS = [
    *SETTING,
    "activation",
    "slope",
    "initialisation",
    "initial_bias",
    "learning_rate",
    "replicate",
    "batch_size",
]


class NotEnoughData(Exception):
    """The study's tables cannot settle a claim; the message says why, as a clause."""


class Definition(NamedTuple):
    """What counts as dead: a column of the table of runs, and one of the table of units (None: not recorded of single units)."""

    of_runs: str
    of_units: str | None


DEAD = Definition("dead_fraction", "dead")
"""The definition that the verdicts rest on."""


class Evidence:
    """The tables in the folder ``results``, read once and joined with each run's factors.

    Args:
        results_folder: of a study.
        definition: what counts as dead; with another one the same rules tell how much the verdicts depend on it.
    """

    def __init__(self, results_folder: Path, definition: Definition = DEAD) -> None:
        self.folder = results_folder
        self.definition = definition

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The table of runs with a column ``stratum``: data set, architecture and optimiser in one name."""
        table = results.read("runs", self.folder / "runs.parquet")
        return table.assign(
            stratum=table[SETTING].agg(" ".join, axis=1), dead_fraction=table[self.definition.of_runs]
        )

    @cached_property
    def layers(self) -> pd.DataFrame:
        """The table of layers."""
        return results.read("layers", self.folder / "layers.parquet")

    @cached_property
    def units(self) -> pd.DataFrame:
        """The table of units, with each run's factors, of the runs that did not diverge."""
        if self.definition.of_units is None:
            raise NotEnoughData("this definition is not recorded of single units")
        table = results.read("units", self.folder / "units.parquet")
        # Stored as the networks have them; sums over many need more digits.
        single = table.select_dtypes("float32").columns
        table[single] = table[single].astype(float)
        table["dead"] = table[self.definition.of_units]
        runs = self.runs.loc[
            ~self.runs["diverged"], ["run", "experiment", "stratum", *FACTORS, "steps", "train_examples"]
        ]
        return table.merge(runs, on="run")

    def experiment(self, name: str) -> pd.DataFrame:
        """The runs of experiment ``name``, diverged ones included."""
        return _filled(self.runs[self.runs["experiment"] == name], name)

    def relu(self, name: str) -> pd.DataFrame:
        """The ReLU runs of experiment ``name``, diverged ones included."""
        runs = self.experiment(name)
        return _filled(runs[runs["activation"] == "relu"], name, "ReLU networks")

    def relu_units(self, name: str) -> pd.DataFrame:
        """The units, at every checkpoint, of the ReLU runs of experiment ``name`` that did not diverge."""
        self.relu(name)
        units = self.units
        return _filled(
            units[(units["experiment"] == name) & (units["activation"] == "relu")], name, "recorded units"
        )


def by_replicate(table: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]) -> pd.DataFrame:
    """``statistic`` of each stratum's rows of each replicate; columns stratum, replicate, value; NaN is left out."""
    rows = [
        (stratum, replicate, statistic(group))
        for (stratum, replicate), group in table.groupby(["stratum", "replicate"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["stratum", "replicate", "value"]).dropna(ignore_index=True)


def safe(runs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The runs of those settings (``by``: columns) in which no replicate diverged."""
    return runs[~runs.groupby(by)["diverged"].transform("any")]


def _filled(table: pd.DataFrame, experiment: str, what: str = "runs") -> pd.DataFrame:
    if table.empty and what == "runs":
        raise NotEnoughData(f"the study has no experiment {experiment!r}")
    if table.empty:
        raise NotEnoughData(f"the experiment {experiment!r} has no {what}")
    return table
