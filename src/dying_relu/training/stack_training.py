"""The training of one stack of networks, step by step, measured at its checkpoints."""

import logging
from collections.abc import Iterator, Sequence

from dying_relu.data import Dataset
from dying_relu.plan.shard import Run, Shard
from dying_relu.stack import precision
from dying_relu.training.recorder import Recorder
from dying_relu.training.resume import State
from dying_relu.training.trainer import Trainer

log = logging.getLogger(__name__)


class StackTraining:
    """Trains runs as one stack and records them.

    Args:
        shard: how they are trained and measured.
        runs: a network each; they share replicate, optimiser, inputs, intervention and activation.
        data: examples to train and to measure on, as these runs see them.
    """

    def __init__(self, shard: Shard, runs: Sequence[Run], data: Dataset) -> None:
        self.shard = shard
        self.trainer = Trainer(
            shard.architecture,
            shard.optimisers[runs[0].optimiser],
            runs,
            data,
            shard.batch_size,
            loss=shard.loss_function,
            interventions=shard.interventions[runs[0].intervention],
            total_steps=shard.steps,
        )
        self.recorder = Recorder(shard, runs, self.trainer.network, data)

    def steps(self) -> Iterator[int]:
        """Train to the end; before every step its number is yielded, and :meth:`state` can be saved."""
        with precision.products_in(self.shard.precision):
            self.trainer.begin()
        for step in range(self.trainer.steps, self.shard.steps + 1):
            yield step
            if step in self.shard.checkpoints:
                self.trainer.settle_means()
                self.recorder.checkpoint(step)
            if step < self.shard.steps:
                with precision.products_in(self.shard.precision):
                    losses = self.trainer.step()
                self.recorder.update(losses, step)

    def finish(self) -> Recorder:
        """Train to the end at one go; returns the record."""
        for _ in self.steps():
            pass
        return self.recorder

    def state(self) -> State:
        """The state of networks, optimiser and record, for :meth:`restore`."""
        return {"trainer": self.trainer.state(), "recorder": self.recorder.state()}

    def restore(self, state: State) -> None:
        """Go on from what :meth:`state` of another training of the same runs returned; for one that has made no step yet."""
        self.trainer.restore(state["trainer"])
        self.recorder.restore(state["recorder"])
        log.info("going on from step %d of %d", self.trainer.steps, self.shard.steps)
