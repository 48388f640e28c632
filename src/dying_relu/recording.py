"""From measurements to tables: the rows that a stack of networks leaves behind as it trains."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from dying_relu import units
from dying_relu.data import Dataset
from dying_relu.measuring import Measurement, measure, pre_activation_distribution
from dying_relu.stack.network import Hidden, Network
from dying_relu.study import Run, Shard

NEVER = -1
FLAGS = {
    "dead": units.dead,
    "inactive": units.inactive,
    "saturated": units.saturated,
    "dormant_0": lambda statistics: units.dormant(statistics, 0.0),
    "dormant_0025": lambda statistics: units.dormant(statistics, 0.025),
    "dormant_01": lambda statistics: units.dormant(statistics, 0.1),
}
"""Column name -> definition; every flag is (K, U) bool."""


class Recorder:
    """Measures one stack at its checkpoints and keeps the rows of its runs.

    Attributes:
        diverged_step: (K,) the step at which a run was found not finite, ``NEVER`` while it is finite.
    """

    def __init__(self, shard: Shard, runs: Sequence[Run], network: Network, data: Dataset) -> None:
        self.shard, self.runs, self.network = shard, runs, network
        self.train_set = data.train_images[: shard.probe_train], data.train_labels[: shard.probe_train]
        self.test_set = data.test_images[: shard.probe_test], data.test_labels[: shard.probe_test]
        if shard.architecture.kind == "mlp":
            self.train_set = self.train_set[0].flatten(1), self.train_set[1]
            self.test_set = self.test_set[0].flatten(1), self.test_set[1]
        self.ids = np.array([run.id for run in runs])
        self.diverged_step = torch.full((len(runs),), NEVER, device=data.train_images.device)
        self.born_dead: dict[str, Tensor] = {}
        self.dead_before: dict[str, Tensor] = {}
        self.ever_dead: dict[str, Tensor] = {}
        self.rows: dict[str, list[pd.DataFrame]] = {"checkpoints": [], "layers": [], "units": []}

    def mark_diverged(self, finite: Tensor, step: int) -> None:
        """Note the runs that are not finite for the first time; ``finite`` is (K,) bool."""
        newly = ~finite & (self.diverged_step == NEVER)
        self.diverged_step.masked_fill_(newly, step)

    def checkpoint(self, step: int) -> None:
        """Measure every network on both probe sets after ``step`` updates."""
        train, test = measure(self.network, *self.train_set), measure(self.network, *self.test_set)
        self.mark_diverged(self.network.finite() & train.loss.isfinite() & test.loss.isfinite(), step)
        alive = (self.diverged_step == NEVER).cpu().numpy()
        self._add_checkpoint(step, train, test, alive)
        for hidden in self.network.hidden:
            self._add_layer(step, hidden, train, test, alive)
        if self.shard.record_units:
            self._add_units(step, train, alive)
        self.last = train, test

    def _add_checkpoint(self, step: int, train: Measurement, test: Measurement, alive: np.ndarray) -> None:
        metrics = {
            f"{probe}_{name}": np.where(alive, getattr(measurement, name).cpu().numpy(), np.nan)
            for probe, measurement in (("train", train), ("test", test))
            for name in ("loss", "accuracy")
        }
        self.rows["checkpoints"].append(
            pd.DataFrame({"run": self.ids, "step": step, **metrics, "diverged": ~alive})
        )

    def _add_layer(
        self, step: int, hidden: Hidden, train: Measurement, test: Measurement, alive: np.ndarray
    ) -> None:
        dead = units.dead(train.units[hidden.name])
        before = self.dead_before.setdefault(hidden.name, dead)
        self.born_dead.setdefault(hidden.name, dead)
        self.ever_dead[hidden.name] = self.ever_dead.get(hidden.name, dead) | dead
        self.dead_before[hidden.name] = dead
        for probe, measurement in (("train", train), ("test", test)):
            statistics = measurement.units[hidden.name]
            counts = {name: flag(statistics).sum(1).cpu().numpy() for name, flag in FLAGS.items()}
            table = pd.DataFrame(
                {
                    "run": self.ids,
                    "step": step,
                    "layer": hidden.name,
                    "depth": hidden.depth,
                    "probe": probe,
                    "units": dead.shape[1],
                    **counts,
                    "died": units.died(before, dead).sum(1).cpu().numpy() if probe == "train" else 0,
                    "revived": units.revived(before, dead).sum(1).cpu().numpy() if probe == "train" else 0,
                    "active_share": statistics.active_share.mean(1).cpu().numpy(),
                    "slope": self._slopes(hidden),
                }
            )
            self.rows["layers"].append(table[alive])

    def _add_units(self, step: int, train: Measurement, alive: np.ndarray) -> None:
        distributions = pre_activation_distribution(self.network, self.train_set[0])
        for hidden in self.network.hidden:
            statistics = train.units[hidden.name]
            weight, bias = hidden.affine.weight.value, hidden.affine.bias.value
            columns = {
                name: FLAGS[name](statistics) for name in ("dead", "inactive", "saturated", "dormant_0")
            }
            columns |= {f"pre_activation_{name}": z for name, z in distributions[hidden.name].items()}
            columns["mean_abs_activation"] = statistics.mean_abs_activation
            columns["active_share"] = statistics.active_share
            columns["bias"] = bias
            columns["weight_norm"] = weight.flatten(2).norm(dim=2)
            count = bias.shape[1]
            table = pd.DataFrame(
                {
                    "run": self.ids.repeat(count),
                    "step": step,
                    "layer": hidden.name,
                    "depth": hidden.depth,
                    "unit": np.tile(np.arange(count), len(self.ids)),
                    **{name: values.flatten().cpu().numpy() for name, values in columns.items()},
                }
            )
            self.rows["units"].append(table[alive.repeat(count)])

    def _slopes(self, hidden: Hidden) -> np.ndarray:
        has_slope = self.runs[0].slope is not None
        return hidden.activation.slope.value.cpu().numpy() if has_slope else np.full(len(self.runs), np.nan)

    def runs_table(self) -> pd.DataFrame:
        """A row a run: its factors and its metrics at the last checkpoint, NaN where it diverged."""
        train, test = self.last
        diverged = (self.diverged_step != NEVER).cpu().numpy()
        metrics = {
            "train_loss": train.loss,
            "train_accuracy": train.accuracy,
            "test_loss": test.loss,
            "test_accuracy": test.accuracy,
            "dead_fraction": self._fraction(self._flags(train, units.dead)),
            "dead_fraction_test": self._fraction(self._flags(test, units.dead)),
            **{
                f"{name}_fraction": self._fraction(self._flags(train, FLAGS[name]))
                for name in FLAGS
                if name != "dead"
            },
            "born_dead_fraction": self._fraction(self.born_dead),
            "died_fraction": self._fraction(self._pairwise(units.died, self.born_dead)),
            "revived_fraction": self._fraction(self._pairwise(units.revived, self.ever_dead)),
        }
        slopes = np.mean([self._slopes(hidden) for hidden in self.network.hidden], axis=0)
        return pd.DataFrame(
            {
                **self._factors(),
                "hidden_units": sum(hidden.affine.bias.value.shape[1] for hidden in self.network.hidden),
                "parameters": sum(p.value[0].numel() for p in self.network.parameters()),
                "diverged": diverged,
                "diverged_step": pd.array(self.diverged_step.cpu().numpy(), dtype="Int64"),
                **{name: np.where(diverged, np.nan, value.cpu().numpy()) for name, value in metrics.items()},
                "mean_slope": np.where(diverged, np.nan, slopes),
            }
        ).assign(diverged_step=lambda table: table["diverged_step"].where(table["diverged"]))

    def _factors(self) -> dict[str, object]:
        names = "dataset architecture optimiser activation slope initialisation initial_bias learning_rate replicate"
        return {
            "run": self.ids,
            "experiment": self.shard.experiment,
            "shard": self.shard.name,
            **{name: [getattr(run, name) for run in self.runs] for name in names.split()},
            "batch_size": self.shard.batch_size,
            "steps": self.shard.steps,
            "train_examples": self.shard.dataset.train,
        }

    def _flags(self, measurement: Measurement, flag) -> dict[str, Tensor]:
        return {name: flag(statistics) for name, statistics in measurement.units.items()}

    def _pairwise(self, change, earlier: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: change(earlier[name], self.dead_before[name]) for name in earlier}

    def _fraction(self, flags: dict[str, Tensor]) -> Tensor:
        return torch.cat(list(flags.values()), dim=1).double().mean(1)
