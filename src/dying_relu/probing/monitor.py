"""A monitor of a training: the units of the model that are born dead, die and revive."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

import numpy as np
from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import DataLoader

from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import preserved_random_state, require_repeatable
from dying_relu.probing.hooks import Layer
from dying_relu.probing.probe import probe
from dying_relu.probing.report import Report
from dying_relu.probing.states import preserved_state
from dying_relu.units import definitions
from dying_relu.units.history import UnitHistory, extended

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from dying_relu.probing.activity_plot import Activity

Listener = Callable[["pd.DataFrame"], None]

COUNTS = ["dead", "inactive", "dormant", "saturated"]


class Monitor:
    """Probes a model every so many steps of its training, which it leaves as it is, to the bit.

    Random numbers, modes and gradients are as if it were not there, and so is what the model keeps between calls: buffers, hidden
    states, queues, counters (:func:`dying_relu.probing.states.preserved_state`).

    In a ``with`` block around a training loop it counts the steps of the optimizers that hold parameters of the model; where several
    do, a step is done when one of them steps again. It measures at the start, every ``every`` steps and at the end of the block.
    Where no optimizer of PyTorch is at work, call :meth:`measure` before the training, :meth:`step` after each step and
    :meth:`finish` at the end.

    Args:
        model: in training or about to be; probed in evaluation mode, its modes, gradients and hooks restored.
        loader: batches to probe on, as for :func:`probe`; it is gone through again and again.
        every: how many steps lie between measurements.
        listeners: a function or several; each is called with the rows of every measurement.
        options: others of :func:`probe`, such as ``unit_axis``, ``call``, ``batches``, ``mask``, ``layers``, ``ignore`` and
            ``activations``.

    Attributes:
        steps: of the training so far.
        report: of the last measurement, for :func:`revive` and :func:`prune_dead`; its advice knows when units died.

    Raises:
        DyingReluError: a loader that gives its batches once only, is empty, or cannot be shared with the training; ``every`` below 1.

    >>> import torch
    >>> model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with Monitor(model, [torch.randn(8, 2)], every=2) as monitor:
    ...     for _ in range(3):
    ...         optimizer.zero_grad()
    ...         model(torch.randn(8, 2)).mean().backward()
    ...         optimizer.step()
    >>> monitor.history["step"].tolist()
    [0, 2, 3]
    """

    def __init__(
        self,
        model: nn.Module,
        loader: Iterable[Any],
        every: int = 100,
        *,
        listeners: Listener | Sequence[Listener] = (),
        **options: Any,
    ) -> None:
        if every < 1:
            raise DyingReluError("every", found=str(every), expected="a number of steps, at least 1")
        _require_own(loader)
        self.model, self.loader, self.every = model, loader, every
        self.listeners = [listeners] if callable(listeners) else list(listeners)
        self.options = options
        self.steps = 0
        self.report: Report | None = None
        self._measurements: list[pd.DataFrame] = []
        self._activity: list[Activity] = []
        self._histories: dict[str, UnitHistory] = {}
        self._stepped: WeakSet[Optimizer] = WeakSet()
        self._hooks = ExitStack()

    @property
    def history(self) -> "pd.DataFrame":
        """The table of all measurements.

        Returns:
            A row a layer at a step: step; layer; units; the counts dead, inactive, dormant, saturated; born_dead, those dead at every
            measurement so far; died and revived, since the measurement before; active_share and mean_abs_activation, means over the
            units.
        """
        import pandas as pd

        return pd.concat(self._measurements, ignore_index=True) if self._measurements else pd.DataFrame()

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the dead share of each layer over the steps, and in a new figure the activity of every unit beside it.

        The second panel is a heat map: a row a unit, those of a layer together and the most active at the end of training on top; its
        colour is the share of examples and positions on which the unit is active, and black where it is active on none.

        Args:
            axes: to draw the dead shares on, without the heat map; by default a new figure has both.

        Returns:
            The axes with the dead shares; the heat map is the second of ``axes.figure.axes``.

        Raises:
            DyingReluError: nothing has been measured yet.
        """
        if not self._measurements:
            raise DyingReluError(
                "the Monitor has not measured yet", remedy="train in its with block, or call measure()"
            )
        from dying_relu.probing.activity_plot import draw_activity, draw_dead_shares, new_axes

        if axes is None:
            axes, right = new_axes()
            draw_activity(right, self._activity)
        draw_dead_shares(axes, self.history)
        return axes

    def step(self) -> None:
        """Count one more step of the training, and measure if it is time."""
        self.advance_to(self.steps + 1)

    def measure(self) -> "pd.DataFrame":
        """Probe the model now.

        Returns:
            The new rows of :attr:`history`.
        """
        with preserved_random_state(self.loader), preserved_state(self.model):
            report = probe(self.model, self.loader, **self.options)
        counts = report.summary().set_index("layer").loc[list(report.layers), ["units", *COUNTS]].astype(int)
        rows = counts.assign(**self._changes(report)).reset_index()
        rows.insert(0, "step", self.steps)
        self.report = replace(report, histories=dict(self._histories))
        self._measurements.append(rows)
        self._activity.append((self.steps, {name: _rounded(one) for name, one in report.layers.items()}))
        for listener in self.listeners:
            listener(rows)
        return rows

    def advance_to(self, steps: int) -> None:
        """Set the number of steps, as somebody else has counted them, and measure once if it was time on the way."""
        due = steps // self.every > self.steps // self.every
        self.steps = steps
        if due:
            self.measure()

    def finish(self) -> None:
        """End the training: measure, unless that has just been done."""
        if not self._measurements or self._measurements[-1]["step"].iloc[0] != self.steps:
            self.measure()

    def __enter__(self) -> Self:
        self.measure()
        hook = register_optimizer_step_post_hook(self._after_optimizer_step)
        self._hooks.callback(hook.remove)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._hooks.close()
        # What was interrupted may be half done; its error is the one to see.
        if kind is None:
            self.finish()

    def _changes(self, report: Report) -> dict[str, list[float]]:
        """Columns of the history beside the report's own counts: a list over its layers each."""
        statistics = [layer.statistics for layer in report.layers.values()]
        histories = []
        for name, of_layer in zip(report.layers, statistics, strict=True):
            self._histories[name] = extended(
                self._histories.get(name), definitions.dead(of_layer), self.steps
            )
            histories.append(self._histories[name])
        return {
            "born_dead": [int(one.always_dead.sum()) for one in histories],
            "died": [int(one.died.sum()) for one in histories],
            "revived": [int(one.revived.sum()) for one in histories],
            "active_share": [float(one.active_share.mean()) for one in statistics],
            "mean_abs_activation": [float(one.mean_abs_activation.mean()) for one in statistics],
        }

    def _after_optimizer_step(self, optimizer: Optimizer, *_: object) -> None:
        """Called after a step of any optimizer in the process."""
        own = {id(parameter) for parameter in self.model.parameters()}
        parameters = (parameter for group in optimizer.param_groups for parameter in group["params"])
        if not any(id(parameter) in own for parameter in parameters):
            return
        if optimizer in self._stepped or not self._stepped:
            self._stepped = WeakSet()
            self.step()
        self._stepped.add(optimizer)


def _rounded(layer: Layer) -> np.ndarray:
    """The active share of each unit in steps of 1/255, rounded up, so that 0 is a unit that is never active."""
    return np.ceil(layer.statistics.active_share.numpy(force=True) * 255).astype(np.uint8)


def _require_own(loader: Iterable[Any]) -> None:
    require_repeatable(loader, "give the Monitor a list of batches or a DataLoader")
    if isinstance(loader, DataLoader) and loader.persistent_workers:
        raise DyingReluError(
            "the loader of the Monitor keeps its workers",
            remedy="going through it would start the training's epoch anew; make one with persistent_workers=False",
        )
