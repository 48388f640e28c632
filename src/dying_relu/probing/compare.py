"""Two reports of one model: which units died between them, and which are alive again."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.probing.findings import Findings
from dying_relu.probing.layers import Layer
from dying_relu.probing.markup import fragment, page, table
from dying_relu.probing.text import WIDTH, lines, markdown_table
from dying_relu.units import definitions

if TYPE_CHECKING:
    import pandas as pd

DIED, REVIVED, WOKE = "died", "revived", "woke"
MEANINGS = {
    "dead_before": "units that were dead in the first report",
    "dead_after": "units that are dead in the second report",
    DIED: "alive in the first report, dead in the second",
    REVIVED: "dead in the first report, alive in the second, with other weights or another bias of their own",
    WOKE: "dead in the first report, alive in the second with the same weights and bias: their inputs changed",
}
"""Column -> its meaning."""
SAME = 1e-6
"""Relative difference of norms and biases that is rounding."""


@dataclass(frozen=True)
class Comparison:
    """The difference between two reports, layer by layer and unit by unit.

    Attributes:
        layers: a row a layer that both have: layer, units, dead_before, dead_after, died, revived, woke.
        units: a row a unit whose state changed: layer, unit, change (died, revived or woke), and its largest pre-activation before and
            after.
        not_compared: layer -> why: it is in one report only, or has another number of units.
        origins: model, examples and date of the two reports.
    """

    layers: "pd.DataFrame"
    units: "pd.DataFrame"
    not_compared: dict[str, str]
    origins: tuple[str, str]

    @property
    def headline(self) -> str:
        """The numbers of units that were dead, are dead, died, were revived and woke, in a sentence."""
        total = self.layers.drop(columns="layer").sum()
        return (
            f"Dead: {total['dead_before']:,} before, {total['dead_after']:,} after, of {total['units']:,} units; "
            f"{total[DIED]:,} died, {total[REVIVED]:,} revived, {total[WOKE]:,} woke."
        )

    def __str__(self) -> str:
        changed = self.layers[self.layers[[DIED, REVIVED, WOKE]].sum(axis=1) > 0]
        return "\n".join([*lines(self.headline), *lines(changed, WIDTH), *self._notes()])

    def __repr__(self) -> str:
        return f"<Comparison: {self.headline}>"

    def _repr_html_(self) -> str:
        return fragment(self._top())

    def to_markdown(self) -> str:
        """The counts and the table of layers with a change, for a pull request."""
        changed = self.layers[self.layers[[DIED, REVIVED, WOKE]].sum(axis=1) > 0]
        parts = [f"**{self.headline}**", *([markdown_table(changed)] if len(changed) else []), *self._notes()]
        return "\n\n".join(parts) + "\n"

    def to_html(self, path: str | Path) -> None:
        """Write a page with the counts, the layers and the units that changed.

        Args:
            path: file to write; its folder is made if it is missing.
        """
        body = f"{self._top()}\n<h2>Units that changed</h2>\n{table(self.units, MEANINGS)}"
        with atomic_path(Path(path)) as scratch:
            scratch.write_text(page("Dead units before and after", body, "{}"), encoding="utf-8")

    def _top(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self._notes())
        origin = escape(" → ".join(origin for origin in self.origins if origin))
        return f"<h1>{escape(self.headline)}</h1>\n<p class='quiet'>{origin}</p>\n{table(self.layers, MEANINGS, (DIED,))}{notes}"

    def _notes(self) -> list[str]:
        return [f"{layer}: not compared, since {why}." for layer, why in self.not_compared.items()]


def compare(before: Findings, after: Findings) -> Comparison:
    """Compare two reports of one model, such as those of two checkpoints, or from before and after a remedy.

    Args:
        before: the first.
        after: the second; its layers are found by name.

    Raises:
        DyingReluError: they have no layer in common.

    >>> from torch import nn
    >>> from dying_relu import probe
    >>> model, data = nn.Sequential(nn.Linear(3, 8), nn.ReLU()), [torch.randn(64, 3)]
    >>> first = probe(model, data)
    >>> _ = model[0].bias.data[:2].fill_(-100)
    >>> compare(first, probe(model, data)).units[["layer", "unit", "change"]].to_dict("records")
    [{'layer': '1', 'unit': 0, 'change': 'died'}, {'layer': '1', 'unit': 1, 'change': 'died'}]
    """
    import pandas as pd

    both = {
        name: (before.layers[name], after.layers[name])
        for name in before.layers
        if name in after.layers and before.layers[name].units == after.layers[name].units
    }
    if not both:
        raise DyingReluError(
            "the reports have no layer in common",
            found=f"{', '.join(before.layers)} and {', '.join(after.layers)}",
            expected="two reports of one model",
        )
    changes = {name: _changes(*layers) for name, layers in both.items()}
    rows = [
        {
            "layer": name,
            "units": first.units,
            "dead_before": int(definitions.dead(first.statistics).sum()),
            "dead_after": int(definitions.dead(second.statistics).sum()),
            **{change: int(units.sum()) for change, units in changes[name].items()},
        }
        for name, (first, second) in both.items()
    ]
    units = [
        {
            "layer": name,
            "unit": int(unit),
            "change": change,
            "largest_before": float(both[name][0].statistics.pre_activation_max[unit]),
            "largest_after": float(both[name][1].statistics.pre_activation_max[unit]),
        }
        for name, kinds in changes.items()
        for change, chosen in kinds.items()
        for unit in chosen.nonzero().flatten()
    ]
    columns = ["layer", "unit", "change", "largest_before", "largest_after"]
    origins = (_origin(before), _origin(after))
    return Comparison(
        pd.DataFrame(rows), pd.DataFrame(units, columns=columns), _unmatched(before, after), origins
    )


def _changes(before: Layer, after: Layer) -> dict[str, Tensor]:
    """(units,) bool of each change."""
    was, now = (definitions.dead(layer.statistics).cpu() for layer in (before, after))
    alive_again = definitions.revived(was, now)
    unchanged = _same(before.weight_norm, after.weight_norm) & _same(before.bias, after.bias, missing=True)
    return {
        DIED: definitions.died(was, now),
        REVIVED: alive_again & ~unchanged,
        WOKE: alive_again & unchanged,
    }


def _same(before: Tensor | None, after: Tensor | None, missing: bool = False) -> Tensor:
    """Tell which numbers did not change; ``missing`` where neither report has them."""
    if before is None or after is None:
        return torch.tensor(missing and before is after)
    return torch.isclose(before.cpu().double(), after.cpu().double(), rtol=SAME, atol=0)


def _unmatched(before: Findings, after: Findings) -> dict[str, str]:
    notes = {name: "only the first report has it" for name in before.layers if name not in after.layers}
    notes |= {name: "only the second report has it" for name in after.layers if name not in before.layers}
    for name, layer in before.layers.items():
        other = after.layers.get(name)
        if other is not None and other.units != layer.units:
            notes[name] = f"it has {other.units} units after {layer.units}"
    return notes


def _origin(report: Findings) -> str:
    provenance = report.provenance
    examples = "" if report.examples is None else f"{report.examples:,} examples"
    return ", ".join(part for part in (provenance.model, examples, provenance.date) if part)
