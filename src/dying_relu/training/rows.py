"""The rows of a shard's tables: every column of :mod:`dying_relu.results.schemas`, made of measurements and history.

One function a table, whose keys are the table's columns in their order. To add a column, add it there and to the schema. Two kinds
of columns have no line here, but follow from a list: the counts of units from ``FLAGS``, and a run's factors from the fields of
:class:`~dying_relu.plan.shard.Run`. A test compares all columns with the schemas.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dying_relu.plan.shard import Run, Shard
from dying_relu.stack.network import Hidden, Network
from dying_relu.training.checkpoint import Checkpoint
from dying_relu.training.history import History
from dying_relu.training.resume import State, packed, unpacked
from dying_relu.units import definitions
from dying_relu.units.definitions import UnitStatistics

Columns = dict[str, np.ndarray]
"""Rows of a table: arrays of one length by name. Made into a data frame once, which costs more than to fill it."""

FLAGS: dict[str, Callable[[UnitStatistics], Tensor]] = {
    "dead": definitions.dead,
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
        self._added: dict[str, list[Columns]] = {"checkpoints": [], "layers": [], "units": []}

    def add(self, stack: Stack, checkpoint: Checkpoint, history: History) -> None:
        """Add the rows of a checkpoint; of layers and units, those of networks that have not diverged.

        Args:
            stack: K networks.
            checkpoint: their measurements.
            history: of their units, this checkpoint included.
        """
        alive = ~history.diverged.cpu().numpy()
        self._add("checkpoints", checkpoint_rows(stack, checkpoint, ~alive), np.ones_like(alive))
        for hidden in stack.network.hidden:
            for columns in layer_rows(stack, checkpoint, history, hidden):
                self._add("layers", columns, alive)
        if checkpoint.details is not None:
            for hidden in stack.network.hidden:
                columns = unit_rows(stack, checkpoint, hidden)
                self._add("units", columns, alive.repeat(hidden.affine.bias.value.shape[1]))

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


def checkpoint_rows(stack: Stack, checkpoint: Checkpoint, diverged: np.ndarray) -> dict[str, object]:
    """The columns of ``checkpoints``: a row a network, NaN where it has diverged and where nothing was measured.

    Args:
        stack: K networks.
        checkpoint: their measurements.
        diverged: (K,) bool.
    """
    metrics = {}
    for probe in ("train", "test"):
        measurement = checkpoint.probes.get(probe)
        for name in ("loss", "accuracy"):
            values = np.nan if measurement is None else getattr(measurement, name).cpu().double().numpy()
            metrics[f"{probe}_{name}"] = np.where(diverged, np.nan, values)
    return {"run": stack.ids, "step": checkpoint.step, **metrics, "diverged": diverged}


def layer_rows(
    stack: Stack, checkpoint: Checkpoint, history: History, hidden: Hidden
) -> Iterator[dict[str, object]]:
    """The columns of ``layers``, once for each probe set that was shown: a row a network.

    Args:
        stack: K networks.
        checkpoint: their measurements.
        history: of their units, this checkpoint included.
        hidden: one of their layers.
    """
    units = history.layers[hidden.name]
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
        }


def unit_rows(stack: Stack, checkpoint: Checkpoint, hidden: Hidden) -> dict[str, object]:
    """The columns of ``units``: a row for each unit of a hidden layer, network after network.

    Args:
        stack: K networks.
        checkpoint: their measurements, with those of single units.
        hidden: one of their layers.
    """
    assert checkpoint.details is not None, "single units are recorded"
    statistics = checkpoint.probes["train"].units[hidden.name]
    quantiles = checkpoint.details.quantiles[hidden.name]
    transition = checkpoint.details.transitions[hidden.name]
    weight, bias = hidden.affine.weight.value, hidden.affine.bias.value
    networks, units = bias.shape
    # Each (K, U).
    measured = {
        **{name: FLAGS[name](statistics) for name in FLAGS_OF_UNITS},
        "pre_activation_min": statistics.pre_activation_min,
        "pre_activation_q05": quantiles["q05"],
        "pre_activation_q25": quantiles["q25"],
        "pre_activation_median": quantiles["median"],
        "pre_activation_q75": quantiles["q75"],
        "pre_activation_q95": quantiles["q95"],
        "pre_activation_max": statistics.pre_activation_max,
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


def run_rows(stack: Stack, last: Checkpoint, history: History) -> pd.DataFrame:
    """The table ``runs``: a row a network, with its factors and its final metrics, NaN if it diverged.

    Args:
        stack: K networks.
        last: the measurements at the last checkpoint.
        history: of their units, the last checkpoint included.
    """
    network, diverged = stack.network, history.diverged.cpu().numpy()
    slopes = np.mean([stack.slopes(hidden) for hidden in network.hidden], axis=0)
    step = pd.array(history.diverged_step.cpu().numpy(), dtype="Int64")
    metrics = {name: values.cpu().double().numpy() for name, values in _final_metrics(last, history).items()}
    table = pd.DataFrame(
        {
            **_factors(stack),
            "hidden_units": sum(hidden.affine.bias.value.shape[1] for hidden in network.hidden),
            "parameters": sum(parameter.value[0].numel() for parameter in network.parameters()),
            "diverged": diverged,
            "diverged_step": step,
            **{name: np.where(diverged, np.nan, values) for name, values in metrics.items()},
            "mean_slope": np.where(diverged, np.nan, slopes),
        }
    )
    return table.assign(diverged_step=table["diverged_step"].where(table["diverged"]))


def _final_metrics(last: Checkpoint, history: History) -> dict[str, Tensor]:
    """Column -> (K,)."""
    train, test = last.probes["train"], last.probes["test"]
    dead, dead_on_test = last.dead("train"), last.dead("test")
    followed = history.layers
    other_flags = {name: flag for name, flag in FLAGS.items() if name != "dead"}
    assert last.capacity is not None, "the last checkpoint measures it"
    return {
        "train_loss": train.loss,
        "train_accuracy": train.accuracy,
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "dead_fraction": _fraction(dead.values()),
        "dead_fraction_test": _fraction(dead_on_test.values()),
        "dead_on_both_fraction": _fraction(flags & dead_on_test[name] for name, flags in dead.items()),
        **{
            f"{name}_fraction": _fraction(map(flag, train.units.values()))
            for name, flag in other_flags.items()
        },
        "born_dead_fraction": _fraction(units.born_dead for units in followed.values()),
        "died_fraction": _fraction(units.died_since_birth for units in followed.values()),
        "revived_fraction": _fraction(units.revived_for_good for units in followed.values()),
        "effective_rank": last.capacity.effective_rank,
        "pruned_difference": last.capacity.pruned_difference,
        "pruned_answers": last.capacity.pruned_answers,
    }


def _factors(stack: Stack) -> dict[str, object]:
    shard = stack.shard
    names = [field.name for field in fields(Run) if field.name not in ("id", "experiment", "seed")]
    return {
        "run": stack.ids,
        "experiment": shard.experiment,
        "shard": shard.name,
        **{name: [getattr(run, name) for run in stack.runs] for name in names},
        "slope": stack.initial_slopes,
        "pixels": shard.pixels,
        "batch_size": shard.batch_size,
        "steps": shard.steps,
        "train_examples": shard.dataset.train,
        "precision": shard.precision,
        "stack_size": len(stack.runs),
    }


def _fraction(flags: Iterable[Tensor]) -> Tensor:
    """Share of a network's units: (K, U) bool for each of its layers -> (K,) float64."""
    return torch.cat(list(flags), dim=1).cpu().double().mean(1)


def _joined(added: list[Columns]) -> Columns:
    columns = added[0] if added else ()
    return {name: np.concatenate([rows[name] for rows in added]) for name in columns}
