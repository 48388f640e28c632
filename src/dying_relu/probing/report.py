"""The report of a probe: its findings, printed, with advice, a figure and a page, and saved."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dying_relu.probing import advice, saved, text
from dying_relu.probing.findings import Findings
from dying_relu.units.history import UnitHistory

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Report(Findings):
    """The units of a model on a probe set; see :class:`~dying_relu.probing.findings.Findings` for what it holds."""

    def __repr__(self) -> str:
        return text.short(self)

    def __str__(self) -> str:
        return text.overview(self)

    def _repr_html_(self) -> str:
        """The top of the page, which a notebook shows: the counts, where they are from, and the table of the layers."""
        from dying_relu.probing.html import top

        return top(self)

    @property
    def lives(self) -> dict[str, UnitHistory]:
        """Old name of :attr:`histories`."""
        warnings.warn(
            "Report.lives is deprecated since dying-relu 0.2.0 and goes with 0.3.0; use Report.histories",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.histories

    def advice(self) -> str:
        """Likely causes and what to do, each with the figure it rests on; and remarks on how layers were counted."""
        return advice.advice(self)

    def plot(self) -> "Figure":
        """Draw the shares of dead, dormant and saturated units by layer, and the largest pre-activation of every unit.

        Raises:
            DyingReluError: matplotlib is not installed.
        """
        from dying_relu.probing.plot import plot

        return plot(self)

    def to_html(self, path: str | Path) -> None:
        """Write one page with everything in it: summary, advice, figure, and the units of every layer.

        Without matplotlib the page has no figure, and says so.

        Args:
            path: file to write; its folder is made if it is missing.
        """
        from dying_relu.probing.html import write

        write(self, Path(path))

    def save(self, path: str | Path) -> None:
        """Write the report as JSON: the summary, the advice, and everything that :meth:`load` needs.

        Args:
            path: file to write; its folder is made if it is missing.
        """
        saved.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> "Report":
        """Read a report that was saved; it has no loader, so that prune_dead and revive need another report.

        Args:
            path: file of :meth:`save`.

        Raises:
            DyingReluError: no such file, or one that holds no report.
        """
        return saved.load(cls, Path(path))
