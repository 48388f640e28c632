"""The record of a stack in training: measured at its checkpoints, followed from one to the next, and kept as rows of tables."""

from collections.abc import Sequence

import pandas as pd
from torch import Tensor

from dying_relu.data import Dataset
from dying_relu.plan.shard import Run, Shard
from dying_relu.stack.network import Network
from dying_relu.training.checkpoint import Checkpoint, measure_checkpoint
from dying_relu.training.history import History
from dying_relu.training.measurement import probe_sets
from dying_relu.training.resume import State
from dying_relu.training.rows import Rows, Stack, run_rows
from dying_relu.training.transitions import ParameterHistory
from dying_relu.units import definitions


class Recorder:
    """Measures one stack at its checkpoints and keeps the rows of its runs.

    Args:
        shard: says where the checkpoints are, on how many examples units are counted, and whether single units are recorded.
        runs: (K,) those of the networks.
        network: the K networks, trained elsewhere.
        data: its first examples are the probe sets.
    """

    def __init__(self, shard: Shard, runs: Sequence[Run], network: Network, data: Dataset) -> None:
        self.stack = Stack(shard, runs, network)
        self.probe_sets = probe_sets(shard, data)
        self.history = History(len(runs), data.train_images.device)
        self.parameters = ParameterHistory(shard.batch_size) if shard.record_units else None
        self.rows = Rows()
        self.latest: Checkpoint | None = None

    def update(self, losses: Tensor, step: int) -> None:
        """Note the losses of an update.

        Args:
            losses: (K,) on its minibatch, before it.
            step: updates made before it.
        """
        self.history.mark_diverged(definitions.diverged([losses]), step)

    def checkpoint(self, step: int) -> None:
        """Measure every network after ``step`` updates."""
        network, last = self.stack.network, step == self.stack.shard.steps
        measured = measure_checkpoint(network, self.probe_sets, step, self.parameters, last=last)
        losses = [measurement.loss for measurement in measured.probes.values()]
        parameters = [parameter.value for parameter in network.parameters()]
        self.history.mark_diverged(definitions.diverged(losses, parameters), step)
        self.history.add(measured.dead("train"))
        self.rows.add(self.stack, measured, self.history)
        self.latest = measured

    def tables(self) -> dict[str, pd.DataFrame]:
        """The four tables of :mod:`~dying_relu.results.schemas`, with the rows of this stack's runs; after the last checkpoint."""
        assert self.latest is not None, "networks are measured before training, at the latest after it"
        return {"runs": run_rows(self.stack, self.latest, self.history), **self.rows.tables()}

    def state(self) -> State:
        """The record so far, for :meth:`restore`."""
        parameters = {} if self.parameters is None else self.parameters.state()
        return {"history": self.history.state(), "parameters": parameters, "rows": self.rows.state()}

    def restore(self, state: State) -> None:
        """Go on from what :meth:`state` returned."""
        self.history.restore(state["history"])
        if self.parameters is not None:
            self.parameters.restore(state["parameters"], self.history.diverged_step.device)
        self.rows.restore(state["rows"])
