"""The tables of a study, joined and selected for the rules that reach the verdicts."""

from collections.abc import Callable
from copy import copy
from functools import cached_property, wraps
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from dying_relu.analysis.factors import FACTORS, UNIT
from dying_relu.analysis.inference.attribution import attributed
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.outcomes import TRAINED, finite, trained
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.thresholds import PAPER, Thresholds

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

OF_UNITS = (
    *UNIT,
    "step",
    "depth",
    "dead",
    "dead_all",
    "inactive",
    "saturated",
    "pre_activation_max",
    "mean_pre_activation",
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
        of_layers: a column of the table of layers, a count on the training probe set at each checkpoint.
    """

    of_runs: str
    of_units: str | None
    of_layers: str


DEAD = Definition("dead_fraction", "dead_all", "dead_all")
"""The definition that the verdicts rest on: dead on all training examples that the network was trained on."""


class Evidence:
    """The tables of a study, joined with each run's factors, and the thresholds that they are judged by.

    Args:
        study: its results.
        definition: of death; with another one the same rules tell how much the verdicts depend on it.
        thresholds: of the rules.
        finite_is_trained: count every network that did not overflow as trained, as the first study did.
    """

    def __init__(
        self,
        study: StudyResults,
        definition: Definition = DEAD,
        thresholds: Thresholds = PAPER,
        finite_is_trained: bool = False,
    ) -> None:
        self.study = study
        self.definition = definition
        self.finite_is_trained = finite_is_trained
        self._thresholds: Thresholds | None = thresholds

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds of the rules; a function that is :func:`measured` is given evidence without any.

        Raises:
            LookupError: in a function that is measured once for all thresholds.
        """
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
        """The table of runs, by the definitions of death and of a network that trained.

        By another definition of death than ``DEAD`` the share newly dead is not recorded; the share dead at the end minus that at the
        start, which is at most as large, stands for it.
        """
        table = self.study.table("runs")
        if self.finite_is_trained:
            table = table.assign(outcome=table["outcome"].mask(finite(table), TRAINED))
        if self.definition == DEAD:
            return table
        dead = table[self.definition.of_runs]
        new = (dead - table["run"].map(self._share_at_start())).clip(lower=0)
        return table.assign(dead_fraction=dead, new_dead_fraction=new)

    def _share_at_start(self) -> pd.Series:
        """The share of hidden units that are dead before the first step, by run."""
        column = self.definition.of_layers
        layers = self.layers
        start = layers[(layers["probe"] == "train") & (layers["step"] == 0)]
        counts = start.groupby("run")[[column, "units"]].sum(min_count=1)
        return counts[column].astype(float) / counts["units"].astype(float)

    @property
    def layers(self) -> pd.DataFrame:
        """The table of layers: a row a run, checkpoint, probe set and layer, with the columns of its schema."""
        return self.study.table("layers")

    def units_of(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The recorded units of those of ``runs`` that trained, at the checkpoints at which they were counted.

        Args:
            runs: some of the runs, with the columns of :attr:`runs`.

        Returns:
            A row a unit and checkpoint: the columns ``OF_UNITS``, with ``dead`` by the definition, and factors, experiment,
            steps and training examples of its run.

        Raises:
            NotEnoughData: the definition is not recorded of single units.
        """
        column = self.definition.of_units
        if column is None:
            raise NotEnoughData("this definition is not recorded of single units")
        runs = runs[trained(runs)]
        units = self.study.table("units", OF_UNITS)
        place = self._place_of_units(runs)
        here = (place >= 0) & units[column].notna().to_numpy()
        units, place = units.loc[here, list(OF_UNITS)], place[here]
        columns = {name: values.to_numpy() for name, values in units.items()}
        # Stored as the networks have them; sums over many need more digits.
        columns |= {
            name: values.astype(float) for name, values in columns.items() if values.dtype == "float32"
        }
        columns["dead"] = units[column].to_numpy(dtype=bool)
        factors = runs[["experiment", *FACTORS, "steps", "train_examples"]]
        return pd.DataFrame(columns | {name: values.to_numpy()[place] for name, values in factors.items()})

    def _place_of_units(self, runs: pd.DataFrame) -> np.ndarray:
        """(units,) the row of ``runs`` that each row of the table of units belongs to; -1 for none."""
        codes, names = self.study.remember(
            "runs of units", lambda: pd.factorize(self.study.table("units", OF_UNITS)["run"])
        )
        return np.append(pd.Index(runs["run"]).get_indexer(names), -1)[codes]

    def experiment(self, *names: str) -> pd.DataFrame:
        """The runs of one experiment or several, whatever their outcome.

        Args:
            names: of the experiments; those that the study lacks are left out if it has another.

        Returns:
            A row a run, with the columns of :attr:`runs`.

        Raises:
            NotEnoughData: the study has no such experiment.
        """
        return _filled(self.runs[self.runs["experiment"].isin(names)], names[0])

    def relu(self, *names: str) -> pd.DataFrame:
        """The ReLU runs of one experiment or several, whatever their outcome.

        Args:
            names: of the experiments; those that the study lacks are left out if it has another.

        Returns:
            A row a run, with the columns of :attr:`runs`.

        Raises:
            NotEnoughData: the study has no such experiment, or it has no ReLU networks.
        """
        runs = self.experiment(*names)
        return _filled(runs[runs["activation"] == "relu"], names[0], "ReLU networks")

    def relu_units(self, name: str) -> pd.DataFrame:
        """The units, at every checkpoint, of those reported ReLU runs of an experiment that trained.

        Args:
            name: of the experiment.

        Returns:
            A row a unit and checkpoint, with the columns of :meth:`units_of`.

        Raises:
            NotEnoughData: there are none, or the definition is not recorded of single units.
        """
        return _relu_units(self, name)

    def since(self, name: str) -> pd.DataFrame:
        """The movement of the units of :meth:`relu_units` from each checkpoint to the next.

        Args:
            name: of the experiment.

        Returns:
            A row a unit and interval between checkpoints, with the columns of :func:`attributed`.

        Raises:
            NotEnoughData: there are no such units, or the definition is not recorded of single units.
        """
        return _since(self, name)


def measured(
    function: Callable[Concatenate[Evidence, Parameters], Result],
) -> Callable[Concatenate[Evidence, Parameters], Result]:
    """Remember the results of a measurement, so that rules with other thresholds do not make it again.

    Args:
        function: measures evidence, which it is given without thresholds; its further arguments are hashable.

    Returns:
        The function with a memory: one result for each study, definition of death and further arguments.
    """

    @wraps(function)
    def remembered(evidence: Evidence, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return evidence.study.remember(
            (function, evidence.definition, evidence.finite_is_trained, args),
            lambda: function(evidence.judged_by(None), *args, **kwargs),
        )

    return remembered


@measured
def _relu_units(evidence: Evidence, name: str) -> pd.DataFrame:
    return _filled(
        evidence.units_of(reported(evidence.relu(name))), name, "recorded units of networks that trained"
    )


@measured
def _since(evidence: Evidence, name: str) -> pd.DataFrame:
    return attributed(evidence.relu_units(name))


def ratio(part: float, whole: float) -> float:
    """The share of a part in its whole.

    Args:
        part: of the whole.
        whole: at least 0.

    Returns:
        The share; NaN where the whole is 0.
    """
    return part / whole if whole else np.nan


def _filled(table: pd.DataFrame, experiment: str, what: str = "runs") -> pd.DataFrame:
    if table.empty and what == "runs":
        raise NotEnoughData(f"the study has no experiment {experiment!r}")
    if table.empty:
        raise NotEnoughData(f"the experiment {experiment!r} has no {what}")
    return table
