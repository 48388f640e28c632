"""What the probe has found, as tables and as advice."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from dying_relu import units
from dying_relu.errors import DyingReluError
from dying_relu.probing.watching import Layer

TAU = 0.025
"""Up to this dormancy a unit counts as dormant, as in Sokar et al. (2023)."""

WORTH_MENTIONING = 0.1
"""Advice is given on layers of whose units more than this share is dead."""


@dataclass(frozen=True)
class Report:
    """The units of a model on a probe set.

    Attributes:
        layers: by name, in the order in which the model calls them.
        never_called: activation modules that the data did not reach: path -> kind.
    """

    layers: dict[str, Layer]
    never_called: dict[str, str]

    def summary(self) -> pd.DataFrame:
        """A row a layer: layer, kind, calls seen, counts of units, and the mean gradient (NaN without a loss).

        A layer never called has no units and no counts.
        """
        rows = [_row(layer) for layer in self.layers.values()]
        rows += [{"layer": path, "kind": kind, "units": 0} for path, kind in self.never_called.items()]
        table = pd.DataFrame(rows)
        counts = ["units", "dead", "inactive", "dormant", "saturated"]
        return table.astype(dict.fromkeys(counts, "Int64"))

    def units(self, layer: str) -> pd.DataFrame:
        """A row a unit of ``layer``, in order; weight norm, bias and gradient are NaN where they are not known."""
        found = self._layer(layer)
        seen = found.statistics
        weight = None if found.weight is None else found.weight.flatten(1).norm(dim=1)
        columns = {
            "dead": units.dead(seen),
            "inactive": units.inactive(seen),
            "dormant": units.dormant(seen, TAU),
            "saturated": units.saturated(seen),
            "pre_activation_max": seen.pre_activation_max,
            "pre_activation_min": seen.pre_activation_min,
            "mean_abs_activation": seen.mean_abs_activation,
            "active_share": seen.active_share,
            "bias": found.bias,
            "weight_norm": weight,
            "gradient": found.gradient,
        }
        table = pd.DataFrame({name: _values(value, found.units) for name, value in columns.items()})
        return table.rename_axis("unit")

    @property
    def dead_fraction(self) -> float:
        """Share of all units that are dead."""
        dead = sum(int(units.dead(layer.statistics).sum()) for layer in self.layers.values())
        return dead / sum(layer.units for layer in self.layers.values())

    def advice(self) -> str:
        """Likely causes, each with the figure it rests on."""
        said = [line for name in self.layers for line in self._causes(name)]
        said += [f"{path}: never called on these data." for path in self.never_called]
        return "\n".join(said) or f"No layer has more than {WORTH_MENTIONING:.0%} dead units."

    def _causes(self, name: str) -> list[str]:
        table = self.units(name)
        dead = table[table["dead"]]
        if len(dead) <= WORTH_MENTIONING * len(table):
            return []
        said = [f"{name}: {len(dead)} of {len(table)} units are dead."]
        alive_bias = table.loc[~table["dead"], "bias"].median()
        if dead["bias"].median() < min(0.0, alive_bias if pd.notna(alive_bias) else 0.0):
            said.append(
                f"  Their median bias is {dead['bias'].median():.3g} (the others': {alive_bias:.3g}): a bias this low, or a "
                "learning rate that pushed it there, keeps them off. Start from bias 0 or lower the rate."
            )
        without_weights = int((dead["weight_norm"] == 0).sum())
        if without_weights:
            said.append(f"  {without_weights} of them have weights that are all 0: they ignore their inputs.")
        return said

    def _layer(self, name: str) -> Layer:
        if name not in self.layers:
            raise DyingReluError(
                "unknown layer", found=repr(name), expected=f"one of {', '.join(self.layers)}"
            )
        return self.layers[name]


def _row(layer: Layer) -> dict[str, object]:
    seen = layer.statistics
    examples = seen.count
    return {
        "layer": layer.name,
        "kind": layer.kind,
        "units": layer.units,
        "dead": int(units.dead(seen).sum()),
        "inactive": int(units.inactive(seen).sum()),
        "dormant": int(units.dormant(seen, TAU).sum()),
        "saturated": int(units.saturated(seen).sum()),
        "mean_gradient": float("nan") if layer.gradient is None else float(layer.gradient.mean()) / examples,
    }


def _values(values: Tensor | None, number: int) -> object:
    return (
        [float("nan")] * number
        if values is None
        else values.to("cpu", torch.float64 if values.is_floating_point() else values.dtype).numpy()
    )
