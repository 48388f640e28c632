"""The record of a stack in training: measured at its checkpoints, followed from one to the next, and kept as rows of tables."""

from collections.abc import Sequence

import pandas as pd
from torch import Tensor

from dying_relu.data import Dataset
from dying_relu.plan.shard import Run, Shard
from dying_relu.stack.network import Network
from dying_relu.stack.selection import selected
from dying_relu.training.activity import activity_counts
from dying_relu.training.checkpoint import Checkpoint, measure_checkpoint
from dying_relu.training.curvature import largest_curvatures
from dying_relu.training.full_count import FullCount, FullCounter
from dying_relu.training.history import History
from dying_relu.training.measurement import batch_size, probe_sets
from dying_relu.training.resume import State
from dying_relu.training.rows import Rows, Stack, activity_rows
from dying_relu.training.run_rows import run_rows
from dying_relu.training.transitions import ParameterHistory
from dying_relu.units import definitions


class Recorder:
    """Measures one stack at its checkpoints and keeps the rows of its runs.

    Args:
        shard: says where the checkpoints are, on how many examples units are counted, and whether single units are recorded.
        runs: (K,) those of the networks.
        network: the K networks, trained elsewhere.
        data: its first examples are the probe sets; all are shown before and after training.
    """

    def __init__(self, shard: Shard, runs: Sequence[Run], network: Network, data: Dataset) -> None:
        self.stack = Stack(shard, runs, network)
        self.train_images = data.train_images
        self.probe_sets = probe_sets(shard, data)
        self.counter = FullCounter(shard, data)
        self.batch = batch_size(shard.architecture, shard.batch_size)
        self.history = History(len(runs), data.train_images.device)
        self.parameters = ParameterHistory(shard.batch_size, self.batch) if shard.record_units else None
        self.rows = Rows()
        self.latest: Checkpoint | None = None
        self.final: FullCount | None = None

    def update(self, losses: Tensor, step: int) -> None:
        """Note the losses of an update.

        Args:
            losses: (K,) on its minibatch, before it.
            step: updates made before it.
        """
        self.history.add_losses(losses, step)
        self.history.mark_overflowed(definitions.overflowed([losses]), step)

    def checkpoint(self, step: int) -> None:
        """Measure every network after ``step`` updates."""
        shard, network = self.stack.shard, self.stack.network
        first, last = step == 0, step == shard.steps
        measured = measure_checkpoint(
            network,
            self.probe_sets,
            step,
            self.parameters,
            self.latest,
            self.batch,
            loss=shard.loss_function,
            last=last,
        )
        losses = [measurement.answers.loss for measurement in measured.probes.values()]
        parameters = [parameter.value for parameter in network.parameters()]
        overflowed = definitions.overflowed([loss.to(parameters[0]) for loss in losses], parameters)
        self.history.mark_overflowed(overflowed, step)
        self.history.add(measured.dead("train"))
        counted = (
            self.count(measured, last=last) if first or last or shard.count_all == "checkpoints" else None
        )
        if first:
            assert counted is not None
            self.history.add_birth(counted.dead, losses[0])
        curvatures = self._curvatures() if step in shard.curvature_steps else None
        self.rows.add(self.stack, measured, self.history, counted, curvatures)
        self.latest, self.final = measured, counted
        if last and shard.activity_counts:
            self._count_activity()

    def count(self, measured: Checkpoint, *, last: bool) -> FullCount:
        """Count on all examples.

        Args:
            measured: on the probe sets.
            last: whether training is over.
        """
        return self.counter.count(self.stack.network, measured, ~self.history.overflowed, last=last)

    def _curvatures(self) -> Tensor:
        """(K,) largest curvature of every network that has not overflowed."""
        return largest_curvatures(
            self.stack.network,
            self.probe_sets["train"],
            ~self.history.overflowed,
            loss=self.stack.shard.loss_function,
            seed=self.stack.runs[0].seed,
        )

    def _count_activity(self) -> None:
        finite = (~self.history.overflowed).nonzero()[:, 0]
        if len(finite):
            network = selected(self.stack.network, finite)
            architecture = self.stack.shard.architecture
            counts = activity_counts(network, architecture, self.train_images, self.batch)
            born_dead = {name: flags[finite] for name, flags in self.history.born_dead_all.items()}
            self.rows.add_activity(
                activity_rows(self.stack.ids[finite.cpu().numpy()], network, counts, born_dead)
            )

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of :mod:`~dying_relu.results.schemas`, with the rows of this stack's runs; after the last checkpoint."""
        assert self.latest is not None, "networks are measured before training, at the latest after it"
        assert self.final is not None, "they are counted after it"
        runs = run_rows(self.stack, self.latest, self.history, self.final, self.counter.chance)
        return {"runs": runs, **self.rows.tables()}

    def state(self) -> State:
        """The record so far, for :meth:`restore`."""
        parameters = {} if self.parameters is None else self.parameters.state()
        return {"history": self.history.state(), "parameters": parameters, "rows": self.rows.state()}

    def restore(self, state: State) -> None:
        """Go on from what :meth:`state` returned."""
        self.history.restore(state["history"])
        if self.parameters is not None:
            self.parameters.restore(state["parameters"], self.history.overflow_step.device)
        self.rows.restore(state["rows"])
