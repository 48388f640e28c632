"""A monitor of a training: the units of the model that are born dead, die and revive."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import DataLoader

from dying_relu.errors import DyingReluError
from dying_relu.probing.batches import preserved_random_state, require_repeatable
from dying_relu.probing.hooks import UnitAxis
from dying_relu.probing.probe import probe
from dying_relu.probing.report import Report
from dying_relu.units import definitions
from dying_relu.units.history import UnitHistory, extended

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Listener = Callable[["pd.DataFrame"], None]

COUNTS = ["dead", "inactive", "dormant", "saturated"]


class Monitor:
    """Probes a model every so many steps of its training, which it leaves as it is, to the bit.

    In a ``with`` block around a training loop it counts the steps of the optimizers that hold parameters of the model; where several
    do, a step is done when one of them steps again. It measures at the start, every ``every`` steps and at the end of the block.
    Where no optimizer of PyTorch is at work, call :meth:`measure` before the training, :meth:`step` after each step and
    :meth:`finish` at the end.

    Args:
        model: in training or about to be; probed in evaluation mode, its modes, gradients and hooks restored.
        loader: batches to probe on, as for :func:`probe`; it is gone through again and again.
        every: how many steps lie between measurements.
        unit_axis: as for :func:`probe`.
        listeners: each is called with the rows of every measurement.

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
        unit_axis: UnitAxis = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        if every < 1:
            raise DyingReluError("every", found=str(every), expected="a number of steps, at least 1")
        _require_own(loader)
        self.model, self.loader, self.every = model, loader, every
        self.unit_axis, self.listeners = unit_axis, listeners
        self.steps = 0
        self.report: Report | None = None
        self._measurements: list[pd.DataFrame] = []
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
        """Draw the dead share of each layer over the steps.

        Args:
            axes: to draw on; by default new ones.

        Raises:
            DyingReluError: nothing has been measured yet.
        """
        if not self._measurements:
            raise DyingReluError(
                "the Monitor has not measured yet", remedy="train in its with block, or call measure()"
            )
        from dying_relu.probing.plot import pyplot

        axes = pyplot().subplots(layout="constrained")[1] if axes is None else axes
        for layer, rows in self.history.groupby("layer", sort=False):
            axes.plot(rows["step"], rows["dead"] / rows["units"], marker=".", label=layer)
        axes.set(xlabel="step", ylabel="dead units (share)", ylim=(-0.02, 1.02))
        axes.legend()
        return axes

    def step(self) -> None:
        """Count one more step of the training, and measure if it is time."""
        self.advance_to(self.steps + 1)

    def measure(self) -> "pd.DataFrame":
        """Probe the model now.

        Returns:
            The new rows of :attr:`history`.
        """
        with preserved_random_state(self.loader):
            report = probe(self.model, self.loader, unit_axis=self.unit_axis)
        counts = report.summary().set_index("layer").loc[list(report.layers), ["units", *COUNTS]].astype(int)
        rows = counts.assign(**self._changes(report)).reset_index()
        rows.insert(0, "step", self.steps)
        self.report = replace(report, histories=dict(self._histories))
        self._measurements.append(rows)
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


def _require_own(loader: Iterable[Any]) -> None:
    require_repeatable(loader, "give the Monitor a list of batches or a DataLoader")
    if isinstance(loader, DataLoader) and loader.persistent_workers:
        raise DyingReluError(
            "the loader of the Monitor keeps its workers",
            remedy="going through it would start the training's epoch anew; make one with persistent_workers=False",
        )
