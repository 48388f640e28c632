"""Lightning: a callback that logs the dead units of the module in training.

Trainer(callbacks=[DeadUnits(loader, every=100)])
"""

import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dying_relu.adapters.extras import required
from dying_relu.probing import Monitor
from dying_relu.probing.scalars import scalars

if TYPE_CHECKING:
    import pandas as pd

with suppress(ModuleNotFoundError):  # Lightning imports torchvision if it is installed
    import dying_relu.adapters.torchvision_import  # noqa: F401

with required("lightning"):
    from lightning.pytorch import Callback, LightningModule, Trainer

import torch
from torch import nn


class DeadUnits(Callback):
    """Measures at the start, every ``every`` optimizer steps and at the end, and gives the shares to all loggers of the trainer.

    They are ``dead/<layer>`` and ``dead_fraction``, at the step that they are of. They stand in ``trainer.callback_metrics`` too, where
    ``EarlyStopping`` and ``ModelCheckpoint`` look for what they monitor. In distributed training the first process measures, and all have
    the numbers.

    Args:
        loader: batches to probe on, as for :func:`dying_relu.probe`; the module is called with their inputs.
        every: how many optimizer steps lie between measurements.
        model: the part of the module to probe: its path, or a function of the module. By default the module, or, where it has no
            ``forward``, the only part of it that has parameters.
        options: others of :func:`dying_relu.probe`, such as ``unit_axis``.

    Attributes:
        monitor: with the history of the last training; None before one.
    """

    def __init__(
        self,
        loader: Iterable[Any],
        every: int = 100,
        *,
        model: str | Callable[[LightningModule], nn.Module] | None = None,
        **options: Any,
    ) -> None:
        self.loader, self.every, self.model, self.options = loader, every, model, options
        self.monitor: Monitor | None = None
        self._steps = 0
        self._shares: dict[str, float] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A training may go on from a checkpoint.
        self._steps, self._shares, self.monitor = trainer.global_step, {}, None
        part = self._part(pl_module)
        if part is None:
            return
        if trainer.is_global_zero:

            def log(measurement: "pd.DataFrame") -> None:
                self._shares = scalars(measurement)
                for logger in trainer.loggers:
                    logger.log_metrics(self._shares, step=int(measurement["step"].iloc[0]))

            self.monitor = Monitor(part, self.loader, self.every, listeners=log, **self.options)
            self.monitor.steps = trainer.global_step
            self.monitor.measure()
        self._share(trainer)

    def on_train_batch_end(self, trainer: Trainer, *_: Any, **__: Any) -> None:
        due = trainer.global_step // self.every > self._steps // self.every
        self._steps = trainer.global_step
        if self.monitor is not None:
            self.monitor.advance_to(trainer.global_step)
        if due:
            self._share(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.monitor is not None:
            self.monitor.finish()
        self._share(trainer)

    def _share(self, trainer: Trainer) -> None:
        """Put the last measurement where other callbacks look, in every process."""
        shares = trainer.strategy.broadcast(self._shares)
        trainer.callback_metrics.update({name: torch.tensor(value) for name, value in shares.items()})

    def _part(self, module: LightningModule) -> nn.Module | None:
        if callable(self.model):
            return self.model(module)
        if self.model is not None:
            return module.get_submodule(self.model)
        if type(module).forward is not LightningModule.forward:
            return module
        parts = [part for part in module.children() if next(part.parameters(), None) is not None]
        if len(parts) == 1:
            return parts[0]
        names = [name for name, part in module.named_children() if part in parts]
        warnings.warn(
            f"DeadUnits measures nothing: {type(module).__name__} has no forward, and several parts with parameters "
            f"({', '.join(names) or 'none'}); say which one with DeadUnits(loader, model=...)",
            stacklevel=2,
        )
        return None
