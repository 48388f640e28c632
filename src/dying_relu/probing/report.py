"""The report of a probe: its findings with advice, a figure and a page."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dying_relu.probing import advice
from dying_relu.probing.findings import Findings

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Report(Findings):
    """The units of a model on a probe set; see :class:`~dying_relu.probing.findings.Findings` for what it holds."""

    def advice(self) -> str:
        """Likely causes and what to do, each with the figure it rests on."""
        return advice.advice(self)

    def plot(self) -> "Figure":
        """A figure: the shares of dead, dormant and saturated units by layer, and how far from zero their pre-activations end."""
        from dying_relu.probing.plot import plot

        return plot(self)

    def to_html(self, path: str | Path) -> None:
        """Write one page with everything in it: summary, advice, figure, and the units of every layer."""
        from dying_relu.probing.html import write

        write(self, Path(path))
