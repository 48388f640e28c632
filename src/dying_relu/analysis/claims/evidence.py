"""The tables of a study as the verdict rules ask for them."""

from collections.abc import Callable
from copy import copy
from functools import cached_property, wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from dying_relu.analysis.factors import FACTORS, SETTING, UNIT
from dying_relu.analysis.inference.attribution import attributed
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.thresholds import PAPER, Thresholds

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

OF_UNITS = (
    *UNIT,
    "step",
    "depth",
    "dead",
    "inactive",
    "saturated",
    "pre_activation_max",
    "mean_abs_activation",
    "active_share",
    "bias",
    "weight_norm",
    "negative_weights",
    "pre_activation_max_new_weights",
    "pre_activation_max_new_inputs",
    "woken_examples",
    "woken_minibatches",
)
"""The columns of the table of units that rules use."""


class NotEnoughData(Exception):
    """The study's tables cannot settle a claim; the message says why, as a clause."""


class Definition(NamedTuple):
    """A definition of death, as the tables have it.

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
    """The tables of a study, joined with each run's factors, and the thresholds that they are judged by.

    Args:
        study: its results.
        definition: of death; with another one the same rules tell how much the verdicts depend on it.
        thresholds: of the rules.
    """

    def __init__(
        self, study: StudyResults, definition: Definition = DEAD, thresholds: Thresholds = PAPER
    ) -> None:
        self.study = study
        self.definition = definition
        self._thresholds: Thresholds | None = thresholds

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds of the rules; what is :func:`measured` has none."""
        if self._thresholds is None:
            raise LookupError("what is measured once for all thresholds must not depend on one")
        return self._thresholds

    def judged_by(self, thresholds: Thresholds | None) -> "Evidence":
        """The same tables, with other thresholds or none."""
        other = copy(self)
        other._thresholds = thresholds
        return other

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The table of runs with a column ``stratum``: data set, architecture and optimiser in one name.

        By another definition than ``DEAD`` the share that died is not recorded; the share dead at the end minus that at the start,
        which is at most as large, stands for it.
        """
        table = self.study.table("runs")
        table = table.assign(stratum=table[SETTING].agg(" ".join, axis=1))
        if self.definition == DEAD:
            return table
        dead = table[self.definition.of_runs]
        return table.assign(dead_fraction=dead, died_fraction=dead - table["run"].map(self._share_at_start()))

    def _share_at_start(self) -> pd.Series:
        """The share of hidden units that are dead before the first step, by run."""
        probe, column = self.definition.of_layers
        layers = self.layers
        start = layers[(layers["probe"] == probe) & (layers["step"] == 0)]
        counts = start.groupby("run")[[column, "units"]].sum()
        return counts[column] / counts["units"]

    @property
    def layers(self) -> pd.DataFrame:
        """The table of layers."""
        return self.study.table("layers")

    @property
    def units(self) -> pd.DataFrame:
        """The table of units, with each run's factors, of the runs that did not diverge."""
        return self.units_of(self.runs)

    def units_of(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The recorded units, at every checkpoint, of those of ``runs`` that did not diverge.

        Args:
            runs: some of the runs, with the columns of :attr:`runs`.

        Returns:
            A row a unit and checkpoint: the columns ``OF_UNITS``, with ``dead`` by the definition, and factors, stratum, experiment,
            steps and training examples of its run.
        """
        if self.definition.of_units is None:
            raise NotEnoughData("this definition is not recorded of single units")
        runs = runs[~runs["diverged"]]
        units = self.study.table("units", OF_UNITS)
        place = self._place_of_units(runs)
        here = place >= 0
        units, place = units.loc[here, list(OF_UNITS)], place[here]
        columns = {name: column.to_numpy() for name, column in units.items()}
        # Stored as the networks have them; sums over many need more digits.
        columns |= {
            name: values.astype(float) for name, values in columns.items() if values.dtype == "float32"
        }
        columns["dead"] = columns[self.definition.of_units]
        factors = runs[["experiment", "stratum", *FACTORS, "steps", "train_examples"]]
        return pd.DataFrame(columns | {name: column.to_numpy()[place] for name, column in factors.items()})

    def _place_of_units(self, runs: pd.DataFrame) -> np.ndarray:
        """(units,) the row of ``runs`` that each row of the table of units belongs to; -1 for none."""
        codes, names = self.study.remember(
            "runs of units", lambda: pd.factorize(self.study.table("units", OF_UNITS)["run"])
        )
        return np.append(pd.Index(runs["run"]).get_indexer(names), -1)[codes]

    @property
    def definition_of_units(self) -> Definition:
        """``DEAD`` where the definition is the same for every ReLU unit that was recorded, or else the definition."""
        column = self.definition.of_units
        if column is None or column == DEAD.of_units:
            return self.definition if column is None else DEAD
        return self.study.remember(("definition of units", self.definition), self._definition_of_units)

    def _definition_of_units(self) -> Definition:
        runs = self.runs[self.runs["activation"] == "relu"]
        here = self._place_of_units(runs) >= 0
        units = self.study.table("units", OF_UNITS)
        same = units[self.definition.of_units] == units[DEAD.of_units]
        return DEAD if same[here].all() else self.definition

    def experiment(self, name: str) -> pd.DataFrame:
        """The runs of experiment ``name``, diverged ones included."""
        return _filled(self.runs[self.runs["experiment"] == name], name)

    def relu(self, name: str) -> pd.DataFrame:
        """The ReLU runs of experiment ``name``, diverged ones included."""
        runs = self.experiment(name)
        return _filled(runs[runs["activation"] == "relu"], name, "ReLU networks")

    def relu_units(self, name: str) -> pd.DataFrame:
        """The units, at every checkpoint, of the ReLU runs of experiment ``name`` that did not diverge."""
        return _relu_units(self, name)

    def since(self, name: str) -> pd.DataFrame:
        """The movement of the units of :meth:`relu_units` from each checkpoint to the next; see :func:`attributed`."""
        return _since(self, name)


def measured(
    function: Callable[Concatenate[Evidence, Parameters], Result],
) -> Callable[Concatenate[Evidence, Parameters], Result]:
    """Measure once what rules ask for again with other thresholds; it gets evidence without any."""

    @wraps(function)
    def remembered(evidence: Evidence, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return evidence.study.remember(
            (function, evidence.definition, args), lambda: function(evidence.judged_by(None), *args, **kwargs)
        )

    return remembered


def measured_of_units(
    function: Callable[Concatenate[Evidence, Parameters], Result],
) -> Callable[Concatenate[Evidence, Parameters], Result]:
    """As :func:`measured`, once for all definitions that are the same for every recorded ReLU unit, if nothing else is looked at."""

    @wraps(function)
    def remembered(evidence: Evidence, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return evidence.study.remember(
            (function, evidence.definition_of_units, args),
            lambda: function(evidence.judged_by(None), *args, **kwargs),
        )

    return remembered


@measured_of_units
def _relu_units(evidence: Evidence, name: str) -> pd.DataFrame:
    return _filled(evidence.units_of(evidence.relu(name)), name, "recorded units")


@measured_of_units
def _since(evidence: Evidence, name: str) -> pd.DataFrame:
    return attributed(evidence.relu_units(name))


def by_replicate(table: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]) -> pd.DataFrame:
    """A statistic of the rows of each stratum and replicate.

    Args:
        table: with the columns ``stratum`` and ``replicate``.
        statistic: of some rows of it.

    Returns:
        Columns stratum, replicate, value; a row each stratum and replicate of which the statistic is a number.
    """
    rows = [
        (stratum, replicate, statistic(group))
        for (stratum, replicate), group in table.groupby(["stratum", "replicate"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["stratum", "replicate", "value"]).dropna(ignore_index=True)


def mean_by_replicate(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The mean of a column, as :func:`by_replicate` gives it."""
    return by_replicate(table[["stratum", "replicate", column]], lambda rows: rows[column].mean())


def ratio(part: float, whole: float) -> float:
    """A share; NaN of nothing."""
    return part / whole if whole else np.nan


def safe(runs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The runs of those settings (``by``: columns) in which no replicate diverged."""
    return runs[~runs.groupby(by)["diverged"].transform("any")]


def _filled(table: pd.DataFrame, experiment: str, what: str = "runs") -> pd.DataFrame:
    if table.empty and what == "runs":
        raise NotEnoughData(f"the study has no experiment {experiment!r}")
    if table.empty:
        raise NotEnoughData(f"the experiment {experiment!r} has no {what}")
    return table
