"""The tables of a study as the verdict rules ask for them."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dying_relu.analysis.inference.attribution import attributed
from dying_relu.results import store

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
    """What counts as dead, as the tables have it.

    Attributes:
        of_runs: a column of the table of runs, a share at the end of training.
        of_units: a column of the table of units; None: not recorded of single units.
        of_layers: a probe set and a column of the table of layers, a count at each checkpoint.
        of_both: a column of the table of runs, the share that counts on both probe sets; None: not recorded unit by unit.
    """

    of_runs: str
    of_units: str | None
    of_layers: tuple[str, str]
    of_both: str | None


DEAD = Definition("dead_fraction", "dead", ("train", "dead"), "dead_on_both_fraction")
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
        self._since: dict[str, pd.DataFrame] = {}

    def read(self, name: str) -> pd.DataFrame:
        """The study's table of that name, as it is stored."""
        return store.read(name, self.folder / f"{name}.parquet")

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The table of runs with a column ``stratum``: data set, architecture and optimiser in one name.

        By another definition than ``DEAD`` the share that died is not recorded; the share dead at the end minus that at the start,
        which is at most as large, stands for it.
        """
        table = self.read("runs")
        table["stratum"] = table[SETTING].agg(" ".join, axis=1)
        if self.definition != DEAD:
            table["dead_fraction"] = table[self.definition.of_runs]
            table["died_fraction"] = table["dead_fraction"] - table["run"].map(self._share_at_start())
        return table

    def _share_at_start(self) -> pd.Series:
        """The share of hidden units that are dead before the first step, by run."""
        probe, column = self.definition.of_layers
        layers = self.layers
        start = layers[(layers["probe"] == probe) & (layers["step"] == 0)]
        counts = start.groupby("run")[[column, "units"]].sum()
        return counts[column] / counts["units"]

    @cached_property
    def layers(self) -> pd.DataFrame:
        """The table of layers."""
        return self.read("layers")

    @cached_property
    def units(self) -> pd.DataFrame:
        """The table of units, with each run's factors, of the runs that did not diverge."""
        if self.definition.of_units is None:
            raise NotEnoughData("this definition is not recorded of single units")
        table = self.read("units")
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

    def since(self, name: str) -> pd.DataFrame:
        """What moved the units of :meth:`relu_units` from each checkpoint to the next; see :func:`attributed`."""
        if name not in self._since:
            self._since[name] = attributed(self.relu_units(name))
        return self._since[name]


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
