"""The rows of a shard's tables but ``runs``: columns of :mod:`dying_relu.results.schemas`, made of measurements and history.

One function a table, whose keys are the table's columns in their order. To add a column, add it there and to the schema. Two kinds
of columns have no line here, but follow from a list: the counts of units from ``FLAGS``, and a run's factors from the fields of
:class:`~dying_relu.plan.shard.Run`. A test compares all columns with the schemas.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dying_relu.plan.shard import Run, Shard
from dying_relu.stack.network import Hidden, Network
from dying_relu.training.activity import ActivityCounts
from dying_relu.training.checkpoint import Checkpoint
from dying_relu.training.full_count import FullCount
from dying_relu.training.history import History
from dying_relu.training.offset import InputMoments
from dying_relu.training.resume import State, packed, unpacked
from dying_relu.units import definitions
from dying_relu.units.statistics import UnitStatistics

Columns = dict[str, np.ndarray]
"""Rows of a table: arrays of one length by name. Made into a data frame once, which costs more than to fill it."""

FLAGS: dict[str, Callable[[UnitStatistics], Tensor]] = {
    "dead": definitions.dead,
    "nearly_dead": definitions.nearly_dead,
    "inactive": definitions.inactive,
    "saturated": definitions.saturated,
    **{name: partial(definitions.dormant, tau=tau) for name, tau in definitions.DORMANT_TAUS.items()},
}
"""Column -> definition, of which every table counts the units."""
FLAGS_OF_UNITS = ("dead", "inactive", "saturated", "dormant_0")
"""Columns of the table of units."""


@dataclass(frozen=True)
class Stack:
    """A stack of K networks, with its plan.

    Attributes:
        shard: to which it belongs.
        runs: (K,) those of its networks.
        network: its layers and parameters.
    """

    shard: Shard
    runs: Sequence[Run]
    network: Network

    @property
    def ids(self) -> np.ndarray:
        """(K,) the runs' names."""
        return np.array([run.id for run in self.runs])

    @property
    def initial_slopes(self) -> np.ndarray:
        """(K,) slope left of zero before training, NaN where there is none. ReLU is the leaky ReLU of slope 0, and its rows say so."""
        without = [0.0 if run.activation == "relu" else np.nan for run in self.runs]
        return np.array(
            [
                run.slope if run.slope is not None else none
                for run, none in zip(self.runs, without, strict=True)
            ],
            dtype=float,
        )

    def slopes(self, hidden: Hidden) -> np.ndarray:
        """(K,) present slope left of zero in a hidden layer, NaN where there is none."""
        learned = hidden.activation.slope.value.cpu().double().numpy()
        return np.where(np.isnan(self.initial_slopes), np.nan, learned)


class Rows:
    """The rows of one stack, gathered checkpoint by checkpoint."""

    def __init__(self) -> None:
        self._added: dict[str, list[Columns]] = {
            "checkpoints": [],
            "layers": [],
            "units": [],
            "activity": [],
        }

    def add(
        self,
        stack: Stack,
        checkpoint: Checkpoint,
        history: History,
        counted: FullCount | None,
        curvatures: Tensor | None = None,
    ) -> None:
        """Add the rows of a checkpoint; of layers and units, those of networks that have not overflowed.

        Args:
            stack: K networks.
            checkpoint: their measurements.
            history: of their units, this checkpoint included.
            counted: the networks on all training examples; None if they were not counted.
            curvatures: (K,) the largest; None if they were not estimated.
        """
        finite = ~history.overflowed.cpu().numpy()
        columns = checkpoint_rows(stack, checkpoint, ~finite, curvatures)
        self._add("checkpoints", columns, np.ones_like(finite))
        for hidden in stack.network.hidden:
            for rows in layer_rows(stack, checkpoint, history, counted, hidden):
                self._add("layers", rows, finite)
        if checkpoint.details is not None:
            for hidden in stack.network.hidden:
                rows = unit_rows(stack, checkpoint, counted, hidden)
                self._add("units", rows, finite.repeat(hidden.affine.bias.value.shape[1]))

    def add_activity(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Add rows of :func:`activity_rows`."""
        for columns in rows:
            self._add("activity", columns, np.ones(len(np.asarray(columns["unit"])), bool))

    def _add(self, table: str, columns: Mapping[str, object], keep: np.ndarray) -> None:
        """Add rows to ``table``, those marked in ``keep``; a column is an array of as many values, or one for all."""
        full = {name: np.broadcast_to(np.asarray(values), keep.shape) for name, values in columns.items()}
        self._added[table].append({name: values[keep] for name, values in full.items()})

    def tables(self) -> dict[str, pd.DataFrame]:
        """Table's name -> all rows added so far."""
        return {name: pd.DataFrame(_joined(added)) for name, added in self._added.items()}

    def state(self) -> State:
        """The rows so far, for :meth:`restore`."""
        return {name: packed(table) for name, table in self.tables().items()}

    def restore(self, state: State) -> None:
        """Go on from what :meth:`state` returned."""
        for name, content in state.items():
            table = unpacked(content)
            if not table.empty:
                self._added[name].append({column: table[column].to_numpy() for column in map(str, table)})


def checkpoint_rows(
    stack: Stack, checkpoint: Checkpoint, overflowed: np.ndarray, curvatures: Tensor | None
) -> dict[str, object]:
    """The columns of ``checkpoints``: a row a network, NaN where it has overflowed and where nothing was measured.

    Args:
        stack: K networks.
        checkpoint: their measurements.
        overflowed: (K,) bool.
        curvatures: (K,) the largest; None if they were not estimated.
    """
    metrics = {}
    for probe in ("train", "test"):
        measurement = checkpoint.probes.get(probe)
        for name in ("loss", "accuracy"):
            values = np.nan if measurement is None else getattr(measurement.answers, name).cpu().numpy()
            metrics[f"{probe}_{name}"] = np.where(overflowed, np.nan, values)
    return {
        "run": stack.ids,
        "step": checkpoint.step,
        **metrics,
        "overflowed": overflowed,
        "largest_curvature": np.nan if curvatures is None else curvatures.cpu().numpy(),
    }


def layer_rows(
    stack: Stack, checkpoint: Checkpoint, history: History, counted: FullCount | None, hidden: Hidden
) -> Iterator[dict[str, object]]:
    """The columns of ``layers``, once for each probe set that was shown: a row a network.

    Args:
        stack: K networks.
        checkpoint: their measurements.
        history: of their units, this checkpoint included.
        counted: the networks on all training examples; None if they were not counted.
        hidden: one of their layers.
    """
    units = history.layers[hidden.name]
    on_all = _on_all(history, counted, hidden)
    unknown = dict.fromkeys(on_all, np.nan)
    for probe, measurement in checkpoint.probes.items():
        statistics = measurement.units[hidden.name]
        # Deaths and revivals are followed on the training probe set, which every checkpoint sees.
        followed = probe == "train"
        counts = {name: flag(statistics).sum(1) for name, flag in FLAGS.items()}
        counts |= {"died": units.died.sum(1) * followed, "revived": units.revived.sum(1) * followed}
        yield {
            "run": stack.ids,
            "step": checkpoint.step,
            "layer": hidden.name,
            "depth": hidden.depth,
            "probe": probe,
            "units": units.dead.shape[1],
            **{name: count.cpu().numpy() for name, count in counts.items()},
            "active_share": statistics.active_share.mean(1).cpu().numpy(),
            "slope": stack.slopes(hidden),
            **(on_all if followed else unknown),
            **_input_columns(measurement.inputs[hidden.name]),
            **{name: values.mean(1).cpu().numpy() for name, values in _pre_activations(statistics).items()},
        }


def _on_all(history: History, counted: FullCount | None, hidden: Hidden) -> dict[str, object]:
    """Columns that count units on all training examples, NaN where they were not counted."""
    if counted is None:
        return {"dead_all": np.nan, "new_dead_all": np.nan}
    dead = {hidden.name: counted.dead[hidden.name]}
    counts = {"dead_all": dead, "new_dead_all": history.new_dead(dead)}
    return {name: flags[hidden.name].sum(1).cpu().numpy() for name, flags in counts.items()}


def _input_columns(inputs: InputMoments) -> dict[str, np.ndarray]:
    """Columns about the mean of a layer's inputs, of one number where the networks share them."""
    mean = inputs.mean
    columns = {
        "offset_share": inputs.offset_share,
        "input_mean_norm": mean.norm(dim=1),
        "input_mean_norm_1": mean.norm(1, dim=1),
    }
    return {name: values.cpu().numpy() for name, values in columns.items()}


def _pre_activations(statistics: UnitStatistics) -> dict[str, Tensor]:
    """Column -> (K, U): standard deviation and mean of the pre-activations of a layer's units."""
    deviation, mean = statistics.pre_activation_sd, statistics.mean_pre_activation
    assert deviation is not None
    assert mean is not None
    return {"pre_activation_sd": deviation, "effective_bias": mean}


def unit_rows(
    stack: Stack, checkpoint: Checkpoint, counted: FullCount | None, hidden: Hidden
) -> dict[str, object]:
    """The columns of ``units``: a row for each unit of a hidden layer, network after network.

    Args:
        stack: K networks.
        checkpoint: their measurements, with those of single units.
        counted: the networks on all training examples; None if they were not counted.
        hidden: one of their layers.
    """
    assert checkpoint.details is not None, "single units are recorded"
    statistics = checkpoint.probes["train"].units[hidden.name]
    quantiles = checkpoint.details.quantiles[hidden.name]
    transition = checkpoint.details.transitions[hidden.name]
    weight, bias = hidden.affine.weight.value, hidden.affine.bias.value
    networks, units = bias.shape
    flags = {name: FLAGS[name](statistics) for name in FLAGS_OF_UNITS}
    unknown = torch.full_like(bias, torch.nan)
    # Each (K, U).
    measured = {
        "dead": flags.pop("dead"),
        "dead_all": unknown if counted is None else counted.dead[hidden.name].to(bias.dtype),
        **flags,
        "pre_activation_min": statistics.pre_activation_min,
        "pre_activation_q05": quantiles["q05"],
        "pre_activation_q25": quantiles["q25"],
        "pre_activation_median": quantiles["median"],
        "pre_activation_q75": quantiles["q75"],
        "pre_activation_q95": quantiles["q95"],
        "pre_activation_max": statistics.pre_activation_max,
        "mean_pre_activation": _pre_activations(statistics)["effective_bias"],
        "mean_abs_activation": statistics.mean_abs_activation,
        "active_share": statistics.active_share,
        "bias": bias,
        "weight_norm": weight.flatten(2).norm(dim=2),
        "negative_weights": (weight < 0).flatten(2).float().mean(2),
        "pre_activation_max_new_weights": transition.pre_activation_max_new_weights,
        "pre_activation_max_new_inputs": transition.pre_activation_max_new_inputs,
        "woken_examples": transition.woken_examples,
        "woken_minibatches": transition.woken_minibatches,
    }
    return {
        "run": stack.ids.repeat(units),
        "step": checkpoint.step,
        "layer": hidden.name,
        "depth": hidden.depth,
        "unit": np.tile(np.arange(units), networks),
        **{name: values.flatten().cpu().numpy() for name, values in measured.items()},
    }


def activity_rows(
    ids: np.ndarray, network: Network, counts: ActivityCounts, born_dead: Mapping[str, Tensor]
) -> Iterator[dict[str, object]]:
    """The columns of ``activity``, layer by layer: a row a number of examples and unit of a network.

    Args:
        ids: (K,) the runs' names.
        network: K networks.
        counts: of their units.
        born_dead: hidden layer's name -> (K, U) bool.
    """
    for hidden in network.hidden:
        active = counts.active[hidden.name]
        shape = active.shape
        number, run, unit = np.indices(shape).reshape(3, -1)
        yield {
            "run": ids[run],
            "layer": hidden.name,
            "depth": hidden.depth,
            "unit": unit,
            "examples": np.asarray(counts.examples)[number],
            "active": active.flatten().cpu().numpy(),
            "born_dead": born_dead[hidden.name].expand(shape).flatten().cpu().numpy(),
        }


def _joined(added: list[Columns]) -> Columns:
    columns = added[0] if added else ()
    return {name: np.concatenate([rows[name] for rows in added]) for name in columns}
