"""Hugging Face Transformers: a callback that logs the dead units of the model that a Trainer trains.

trainer.add_callback(DeadUnits(trainer, loader, every=100))
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from dying_relu.adapters.extras import required
from dying_relu.adapters.scalars import scalars
from dying_relu.probing import Monitor
from dying_relu.probing.hooks import UnitAxis

with suppress(ModuleNotFoundError):  # Transformers imports torchvision if it is installed
    import dying_relu.adapters.torchvision_import  # noqa: F401

with required("transformers"):
    from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class DeadUnits(TrainerCallback):
    """Measures at the start, every ``every`` optimizer steps and at the end, and logs the shares as the trainer logs its loss.

    They are ``dead/<layer>`` and ``dead_fraction``; they stand in ``trainer.state.log_history`` too. In distributed training the first
    process measures.

    Args:
        trainer: whose ``log`` is used: a callback is not told who calls it.
        loader: batches to probe on, as for :func:`dying_relu.probe`: dicts of the model's arguments.
        every: how many optimizer steps lie between measurements.
        unit_axis: as for :func:`dying_relu.probe`.

    Attributes:
        monitor: with the history of the last training; None before one.
    """

    def __init__(
        self, trainer: Trainer, loader: Iterable[Any], every: int = 100, *, unit_axis: UnitAxis = None
    ) -> None:
        self.trainer, self.loader, self.every, self.unit_axis = trainer, loader, every, unit_axis
        self.monitor: Monitor | None = None

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **options: Any,
    ) -> None:
        if not state.is_world_process_zero:
            return
        self.monitor = Monitor(
            options["model"],
            self.loader,
            self.every,
            unit_axis=self.unit_axis,
            listeners=[lambda measurement: self.trainer.log(scalars(measurement))],
        )
        # A training may go on from a checkpoint.
        self.monitor.steps = state.global_step
        self.monitor.measure()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if self.monitor is not None and state.is_world_process_zero:
            self.monitor.advance_to(state.global_step)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if self.monitor is not None and state.is_world_process_zero:
            self.monitor.finish()
