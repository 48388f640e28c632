"""Lightning: a callback that logs the dead units of the module in training.

Trainer(callbacks=[DeadUnits(loader, every=100)])
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dying_relu.adapters.extras import required
from dying_relu.adapters.scalars import scalars
from dying_relu.probing import Monitor
from dying_relu.probing.hooks import UnitAxis

if TYPE_CHECKING:
    import pandas as pd

with suppress(ModuleNotFoundError):  # Lightning imports torchvision if it is installed
    import dying_relu.adapters.torchvision_import  # noqa: F401

with required("lightning"):
    from lightning.pytorch import Callback, LightningModule, Trainer


class DeadUnits(Callback):
    """Measures at the start, every ``every`` optimizer steps and at the end, and gives the shares to all loggers of the trainer.

    They are ``dead/<layer>`` and ``dead_fraction``, at the step that they are of. In distributed training the first process measures.

    Args:
        loader: batches to probe on, as for :func:`dying_relu.probe`; the module is called with their inputs.
        every: how many optimizer steps lie between measurements.
        unit_axis: as for :func:`dying_relu.probe`.

    Attributes:
        monitor: with the history of the last training; None before one.
    """

    def __init__(self, loader: Iterable[Any], every: int = 100, *, unit_axis: UnitAxis = None) -> None:
        self.loader, self.every, self.unit_axis = loader, every, unit_axis
        self.monitor: Monitor | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return

        def log(measurement: "pd.DataFrame") -> None:
            for logger in trainer.loggers:
                logger.log_metrics(scalars(measurement), step=int(measurement["step"].iloc[0]))

        self.monitor = Monitor(pl_module, self.loader, self.every, unit_axis=self.unit_axis, listeners=[log])
        # A training may go on from a checkpoint.
        self.monitor.steps = trainer.global_step
        self.monitor.measure()

    def on_train_batch_end(self, trainer: Trainer, *_: Any, **__: Any) -> None:
        if self.monitor is not None and trainer.is_global_zero:
            self.monitor.advance_to(trainer.global_step)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.monitor is not None and trainer.is_global_zero:
            self.monitor.finish()
