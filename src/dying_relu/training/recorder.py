"""From measurements to tables: the rows that a stack of networks leaves behind as it trains."""

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dying_relu.data import Dataset
from dying_relu.plan.shard import Run, Shard
from dying_relu.stack.network import Hidden, Network
from dying_relu.training.effective_rank import Capacity, Shown, capacity
from dying_relu.training.measurement import Measurement, measure, pre_activation_quantiles
from dying_relu.training.models import as_inputs
from dying_relu.training.resume import State, packed, unpacked
from dying_relu.training.transitions import Traced, Transition, traced, transitions
from dying_relu.units import definitions
from dying_relu.units.definitions import UnitStatistics

NEVER = -1
Columns = dict[str, np.ndarray]
"""Rows of a table: arrays of one length by name. Made into a data frame once, which costs more than to fill it."""

Definition = Callable[[UnitStatistics], Tensor]
FLAGS: dict[str, Definition] = {
    "dead": definitions.dead,
    "inactive": definitions.inactive,
    "saturated": definitions.saturated,
    "dormant_0": lambda statistics: definitions.dormant(statistics, 0.0),
    "dormant_0025": lambda statistics: definitions.dormant(statistics, 0.025),
    "dormant_01": lambda statistics: definitions.dormant(statistics, 0.1),
}
"""Column name -> definition; every flag is (K, U) bool."""
FOLLOWED = ("born_dead", "dead_before", "ever_dead", "parameters_before")
"""What a recorder keeps from checkpoint to checkpoint: flags by layer, and parameters by their places."""


class Recorder:
    """Measures one stack at its checkpoints and keeps the rows of its runs.

    Attributes:
        diverged_step: (K,) the step at which a run was found not finite, ``NEVER`` while it is finite.
    """

    def __init__(self, shard: Shard, runs: Sequence[Run], network: Network, data: Dataset) -> None:
        self.shard, self.runs, self.network = shard, runs, network
        self.probe_sets = {
            "train": _probe_set(shard, data.train_images, data.train_labels, shard.probe_train),
            "test": _probe_set(shard, data.test_images, data.test_labels, shard.probe_test),
        }
        self.ids = np.array([run.id for run in runs])
        self.diverged_step = torch.full((len(runs),), NEVER, device=data.train_images.device)
        self.born_dead: dict[str, Tensor] = {}
        self.dead_before: dict[str, Tensor] = {}
        self.ever_dead: dict[str, Tensor] = {}
        self.parameters_before: dict[str, Tensor] = {}
        self.traced_before: list[Traced] | None = None
        # Of the latest checkpoint.
        self.last: dict[str, Measurement] = {}
        self.capacity: Capacity | None = None
        self.quantiles: dict[str, dict[str, Tensor]] = {}
        self.transitions: dict[str, Transition] = {}
        self.rows: dict[str, list[Columns]] = {"checkpoints": [], "layers": [], "units": []}

    def mark_diverged(self, finite: Tensor, step: int) -> None:
        """Note the runs that are not finite for the first time; ``finite`` is (K,) bool."""
        newly = ~finite & (self.diverged_step == NEVER)
        self.diverged_step.masked_fill_(newly, step)

    def checkpoint(self, step: int) -> None:
        """Measure every network after ``step`` updates: on the training probe set, at the end also on the test one."""
        with self.network.evaluation():
            self._measure(step)
        finite = [measurement.loss.isfinite() for measurement in self.last.values()]
        self.mark_diverged(torch.stack([self.network.finite(), *finite]).all(0), step)
        alive = (self.diverged_step == NEVER).cpu().numpy()
        self._add_checkpoint(step, alive)
        for hidden in self.network.hidden:
            self._add_layer(step, hidden, alive)
        if self.shard.record_units:
            self._add_units(step, alive)

    def _measure(self, step: int) -> None:
        probes = ("train", "test") if step == self.shard.steps else ("train",)
        self.last = {probe: measure(self.network, *self.probe_sets[probe]) for probe in probes}
        if step == self.shard.steps:
            dead = self._flags(self.last["train"], definitions.dead)
            train, test = (
                Shown(examples, self.last[probe].features) for probe, (examples, _) in self.probe_sets.items()
            )
            self.capacity = capacity(self.network, train, test, dead)
        if self.shard.record_units:
            self.quantiles = pre_activation_quantiles(self.network, self.probe_sets["train"][0])
            self.transitions = self._became()

    def _became(self) -> dict[str, Transition]:
        """What became of each unit since the checkpoint before; unknown at the first one, and of normalised units."""
        hidden = self.network.hidden
        unknown = {layer.name: Transition.unknown(layer) for layer in hidden}
        if any(layer.normalisation for layer in hidden):
            return unknown
        before = [self.parameters_before[place] for place in sorted(self.parameters_before, key=int)]
        self.parameters_before = {
            str(place): parameter.value.clone() for place, parameter in enumerate(self.network.parameters())
        }
        shown = self.network, self.probe_sets["train"][0], self.shard.batch_size
        earlier, self.traced_before = self.traced_before, traced(*shown)
        if not before:
            return unknown
        if earlier is None:
            # This job goes on from a saved state, which has parameters only.
            with self.network.holding(before):
                earlier = traced(*shown)
        return transitions(self.network, before, earlier, self.traced_before)

    def _add_checkpoint(self, step: int, alive: np.ndarray) -> None:
        metrics = {}
        for probe in self.probe_sets:
            for name in ("loss", "accuracy"):
                measured = (
                    getattr(self.last[probe], name).cpu().double().numpy() if probe in self.last else np.nan
                )
                metrics[f"{probe}_{name}"] = np.where(alive, measured, np.nan)
        everything = np.ones_like(alive)
        self._add("checkpoints", {"run": self.ids, "step": step, **metrics, "diverged": ~alive}, everything)

    def _add_layer(self, step: int, hidden: Hidden, alive: np.ndarray) -> None:
        dead = definitions.dead(self.last["train"].units[hidden.name])
        before = self.dead_before.setdefault(hidden.name, dead)
        self.born_dead.setdefault(hidden.name, dead)
        self.ever_dead[hidden.name] = self.ever_dead.get(hidden.name, dead) | dead
        self.dead_before[hidden.name] = dead
        changes = {"died": definitions.died(before, dead), "revived": definitions.revived(before, dead)}
        for probe, measurement in self.last.items():
            statistics = measurement.units[hidden.name]
            counts = {name: flag(statistics).sum(1) for name, flag in FLAGS.items()}
            # Deaths and revivals are followed on the training probe set, which every checkpoint sees.
            counts |= {name: change.sum(1) * (probe == "train") for name, change in changes.items()}
            columns = {
                "run": self.ids,
                "step": step,
                "layer": hidden.name,
                "depth": hidden.depth,
                "probe": probe,
                "units": dead.shape[1],
                **{name: count.cpu().numpy() for name, count in counts.items()},
                "active_share": statistics.active_share.mean(1).cpu().numpy(),
                "slope": self._slopes(hidden),
            }
            self._add("layers", columns, alive)

    def _add_units(self, step: int, alive: np.ndarray) -> None:
        for hidden in self.network.hidden:
            statistics = self.last["train"].units[hidden.name]
            weight, bias = hidden.affine.weight.value, hidden.affine.bias.value
            columns = {
                name: FLAGS[name](statistics) for name in ("dead", "inactive", "saturated", "dormant_0")
            }
            columns["pre_activation_min"] = statistics.pre_activation_min
            columns |= {f"pre_activation_{name}": z for name, z in self.quantiles[hidden.name].items()}
            columns["pre_activation_max"] = statistics.pre_activation_max
            columns["mean_abs_activation"] = statistics.mean_abs_activation
            columns["active_share"] = statistics.active_share
            columns["bias"] = bias
            columns["weight_norm"] = weight.flatten(2).norm(dim=2)
            columns["negative_weights"] = (weight < 0).flatten(2).float().mean(2)
            columns |= vars(self.transitions[hidden.name])
            count = bias.shape[1]
            where = {
                "run": self.ids.repeat(count),
                "step": step,
                "layer": hidden.name,
                "depth": hidden.depth,
                "unit": np.tile(np.arange(count), len(self.ids)),
            }
            what = {name: values.flatten().cpu().numpy() for name, values in columns.items()}
            self._add("units", where | what, alive.repeat(count))

    def _add(self, table: str, columns: dict[str, object], keep: np.ndarray) -> None:
        """Add rows to ``table``, those marked in ``keep``; a column is an array of as many values, or one for all."""
        full = {name: np.broadcast_to(np.asarray(values), keep.shape) for name, values in columns.items()}
        self.rows[table].append({name: values[keep] for name, values in full.items()})

    def _slopes(self, hidden: Hidden) -> np.ndarray:
        slopes = hidden.activation.slope.value.cpu().double().numpy()
        return np.where(np.isnan([_slope(run) for run in self.runs]), np.nan, slopes)

    def state(self) -> State:
        """What was recorded so far, for :meth:`restore`."""
        rows = {table: packed(pd.DataFrame(_joined(added))) for table, added in self.rows.items()}
        followed = {kind: dict(getattr(self, kind)) for kind in FOLLOWED}
        return {"diverged_step": self.diverged_step, "rows": rows, **followed}

    def restore(self, state: State) -> None:
        """Go on from what :meth:`state` returned."""
        self.diverged_step.copy_(state["diverged_step"])
        for kind in FOLLOWED:
            for name, values in state.get(kind, {}).items():
                getattr(self, kind)[name] = values.to(self.diverged_step.device)
        for name, content in state["rows"].items():
            table = unpacked(content)
            if not table.empty:
                self.rows[name].append({column: table[column].to_numpy() for column in map(str, table)})

    def tables(self) -> dict[str, pd.DataFrame]:
        """The four tables of :mod:`~dying_relu.results.schemas`, with the rows of this stack's runs."""
        tables = {"runs": self._runs_table()}
        for table, added in self.rows.items():
            tables[table] = pd.DataFrame(_joined(added))
        return tables

    def _runs_table(self) -> pd.DataFrame:
        """A row a run: its factors and its metrics at the last checkpoint, NaN where it diverged."""
        train, test = self.last["train"], self.last["test"]
        dead_on = {probe: self._flags(self.last[probe], definitions.dead) for probe in self.last}
        diverged = (self.diverged_step != NEVER).cpu().numpy()
        metrics = {
            "train_loss": train.loss,
            "train_accuracy": train.accuracy,
            "test_loss": test.loss,
            "test_accuracy": test.accuracy,
            "dead_fraction": self._fraction(dead_on["train"]),
            "dead_fraction_test": self._fraction(dead_on["test"]),
            "dead_on_both_fraction": self._fraction(
                {name: dead & dead_on["test"][name] for name, dead in dead_on["train"].items()}
            ),
            **{
                f"{name}_fraction": self._fraction(self._flags(train, FLAGS[name]))
                for name in FLAGS
                if name != "dead"
            },
            "born_dead_fraction": self._fraction(self.born_dead),
            "died_fraction": self._fraction(self._pairwise(definitions.died, self.born_dead)),
            "revived_fraction": self._fraction(self._pairwise(definitions.revived, self.ever_dead)),
        }
        assert self.capacity is not None, "the last checkpoint measures it"
        metrics |= vars(self.capacity)
        slopes = np.mean([self._slopes(hidden) for hidden in self.network.hidden], axis=0)
        return pd.DataFrame(
            {
                **self._factors(),
                "hidden_units": sum(hidden.affine.bias.value.shape[1] for hidden in self.network.hidden),
                "parameters": sum(p.value[0].numel() for p in self.network.parameters()),
                "diverged": diverged,
                "diverged_step": pd.array(self.diverged_step.cpu().numpy(), dtype="Int64"),
                **{
                    name: np.where(diverged, np.nan, value.cpu().double().numpy())
                    for name, value in metrics.items()
                },
                "mean_slope": np.where(diverged, np.nan, slopes),
            }
        ).assign(diverged_step=lambda table: table["diverged_step"].where(table["diverged"]))

    def _factors(self) -> dict[str, object]:
        names = [field.name for field in fields(Run) if field.name not in ("id", "experiment", "seed")]
        return {
            "run": self.ids,
            "experiment": self.shard.experiment,
            "shard": self.shard.name,
            **{name: [getattr(run, name) for run in self.runs] for name in names},
            "slope": np.array([_slope(run) for run in self.runs], dtype=float),
            "pixels": self.shard.pixels,
            "batch_size": self.shard.batch_size,
            "steps": self.shard.steps,
            "train_examples": self.shard.dataset.train,
            "precision": self.shard.precision,
            "stack_size": len(self.runs),
        }

    def _flags(self, measurement: Measurement, flag: Definition) -> dict[str, Tensor]:
        return {name: flag(statistics) for name, statistics in measurement.units.items()}

    def _pairwise(
        self, change: Callable[[Tensor, Tensor], Tensor], earlier: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        return {name: change(earlier[name], self.dead_before[name]) for name in earlier}

    def _fraction(self, flags: dict[str, Tensor]) -> Tensor:
        return torch.cat(list(flags.values()), dim=1).cpu().double().mean(1)


def _joined(added: list[Columns]) -> Columns:
    columns = added[0] if added else ()
    return {name: np.concatenate([rows[name] for rows in added]) for name in columns}


def _slope(run: Run) -> float:
    """The (initial) slope left of zero, NaN where there is none. ReLU is the leaky ReLU of slope 0, and its rows say so."""
    if run.slope is None:
        return 0.0 if run.activation == "relu" else np.nan
    return run.slope


def _probe_set(shard: Shard, images: Tensor, labels: Tensor, examples: int) -> tuple[Tensor, Tensor]:
    return as_inputs(shard.architecture, images[:examples]), labels[:examples]
