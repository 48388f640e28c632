"""Hugging Face Transformers: a callback that logs the dead units of the model that a Trainer trains.

trainer.add_callback(DeadUnits(trainer, loader, every=100))
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dying_relu.adapters.extras import required
from dying_relu.probing import Monitor
from dying_relu.probing.scalars import scalars

if TYPE_CHECKING:
    import pandas as pd

with suppress(ModuleNotFoundError):  # Transformers imports torchvision if it is installed
    import dying_relu.adapters.torchvision_import  # noqa: F401

with required("transformers"):
    from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class DeadUnits(TrainerCallback):
    """Measures at the start, every ``every`` optimizer steps and at the end, and logs the shares as the trainer logs its loss.

    They are ``dead/<layer>`` and ``dead_fraction``; they stand in ``trainer.state.log_history`` too. The trainer's own log is what it
    would be without. In distributed training the first process measures.

    Args:
        trainer: whose ``log`` is used: a callback is not told who calls it.
        loader: batches to probe on, as for :func:`dying_relu.probe`: dicts of the model's arguments.
        every: how many optimizer steps lie between measurements.
        options: others of :func:`dying_relu.probe`, such as ``unit_axis``.

    Attributes:
        monitor: with the history of the last training; None before one.
    """

    def __init__(self, trainer: Trainer, loader: Iterable[Any], every: int = 100, **options: Any) -> None:
        self.trainer, self.loader, self.every, self.options = trainer, loader, every, options
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
            listeners=lambda measurement: self._log(measurement, control),
            **self.options,
        )
        # A training may go on from a checkpoint.
        self.monitor.steps = state.global_step
        self.monitor.measure()

    def _log(self, measurement: "pd.DataFrame", control: TrainerControl) -> None:
        # Logging says that nothing is left to be logged at this step, and the loss may be.
        due = control.should_log
        self.trainer.log(scalars(measurement))
        control.should_log = self.trainer.control.should_log = due

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
