"""TensorBoard: the measurements of a Monitor, as scalars.

with SummaryWriter("runs") as writer, Monitor(model, loader, listeners=[logging_to(writer)]):
    ...
"""

from typing import TYPE_CHECKING

from dying_relu.adapters.extras import required
from dying_relu.probing.monitor import Listener
from dying_relu.probing.scalars import scalars

if TYPE_CHECKING:
    import pandas as pd

with required("tensorboard"):
    from torch.utils.tensorboard import SummaryWriter


def logging_to(writer: SummaryWriter) -> Listener:
    """A listener of a Monitor that writes each measurement when it is made: ``dead/<layer>`` and ``dead_fraction``."""
    return lambda measurement: write(measurement, writer)


def write(history: "pd.DataFrame", writer: SummaryWriter) -> None:
    """Write the history of a Monitor, or some of its steps.

    Args:
        history: a row a step and layer, with the columns of :attr:`Monitor.history <dying_relu.probing.monitor.Monitor.history>`.
        writer: of the event file.
    """
    for step, measurement in history.groupby("step"):
        for name, value in scalars(measurement).items():
            writer.add_scalar(name, value, step)
