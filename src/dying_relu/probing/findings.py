"""Findings of a probe: the layers of a model, and tables of them and of their units."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dying_relu.errors import DyingReluError
from dying_relu.probing.activations import UnobservedModule
from dying_relu.probing.batches import InputScale
from dying_relu.probing.calling import ModelCall
from dying_relu.probing.hooks import Layer
from dying_relu.probing.provenance import Provenance
from dying_relu.units import definitions
from dying_relu.units.estimates import ExpectedAlive, expected_alive
from dying_relu.units.history import UnitHistory
from dying_relu.units.statistics import UnitStatistics

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ["dead", "nearly_dead", "inactive", "dormant", "saturated", "not_finite"]


@dataclass(frozen=True)
class Findings:
    """The units of a model on a probe set.

    Attributes:
        layers: by name, in the order in which the model calls them.
        never_called: activation modules that the data did not reach: path -> kind.
        unseen: modules that were called and whose activations cannot be seen: path -> kind and reason.
        inputs: mean, standard deviation and range of the inputs.
        loader: batches of the probe set.
        arguments: of the model, that the data gave by name.
        histories: of the units of each layer at the measurements of a Monitor so far; empty without one.
        provenance: model, batches, date and versions.
        calls: place in the model -> how many activations a batch has called there, those without units among them.
        remarks: what is to be said of how layers were counted: layer -> remark.
        way: how the model was called with a batch, for :func:`~dying_relu.probing.calling.model_inputs`.
        call: (model, batch) -> output, if the caller has said so; None otherwise.
        batches: number of batches that were seen.
        activations: the modules and functions whose outputs the caller has named as activations.
    """

    layers: dict[str, Layer]
    never_called: dict[str, str]
    inputs: InputScale
    loader: Iterable[Any] = field(repr=False, compare=False)
    arguments: frozenset[str] = frozenset()
    calls: dict[str, int] = field(default_factory=dict)
    unseen: dict[str, UnobservedModule] = field(default_factory=dict)
    histories: dict[str, UnitHistory] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    remarks: dict[str, str] = field(default_factory=dict)
    way: str | None = None
    call: ModelCall | None = field(default=None, repr=False, compare=False)
    batches: int = 0
    activations: tuple[str, ...] = ()

    def summary(self) -> "pd.DataFrame":
        """A table of the layers.

        Returns:
            A row a layer: layer, kind, units, and how many of them are dead, nearly_dead, inactive, dormant, saturated, not_finite;
            mean_gradient; offset_share.
            A unit is not_finite if some pre-activation is infinite or not a number; it is then neither dead nor alive. The mean
            gradient is that of abs(d loss / d pre-activation) over units, examples and positions; NaN without a loss. The offset share is
            that of the mean in the second moment of the layer's inputs. A layer that was never called, or whose units cannot be seen,
            has no counts.
        """
        import pandas as pd  # imported with the first table, since it takes as long as half of torch

        rows: list[dict[str, Any]] = [_row(layer) for layer in self.layers.values()]
        rows += [{"layer": path, "kind": kind, "units": 0} for path, kind in self.never_called.items()]
        rows += [{"layer": path, "kind": one.kind, "units": 0} for path, one in self.unseen.items()]
        counts = ["units", *COUNTS]
        columns = {name: [row.get(name) for row in rows] for name in rows[0]}
        # Column by column, and not converted afterwards, which takes longer than probing a small model.
        return pd.DataFrame(
            {name: _integers(column) if name in counts else column for name, column in columns.items()}
        )

    def units(self, layer: str) -> "pd.DataFrame":
        """A table of the units of a layer.

        Args:
            layer: its name, as in :meth:`summary`.

        Returns:
            A row a unit, in order: dead, nearly_dead, inactive, dormant, saturated, not_finite (bool); pre_activation_max,
            pre_activation_mean, pre_activation_min; centred_max, the largest pre-activation if the layer's inputs had mean 0;
            mean_abs_activation; active_share of examples and positions; active_examples, on how many examples it was active at one
            position at least; bias and weight_norm of the layer whose output the pre-activations are, as they were then; gradient_norm,
            the Euclidean norm of d loss / d pre-activation over all examples and positions; calls, the names of the layer's calls. NaN
            where it is not known.
        """
        import pandas as pd

        entry = self._layer(layer)
        statistics = entry.statistics
        columns = {
            "dead": definitions.dead(statistics),
            "nearly_dead": definitions.nearly_dead(statistics),
            "inactive": definitions.inactive(statistics),
            "dormant": definitions.dormant(statistics, definitions.DORMANT_TAU),
            "saturated": definitions.saturated(statistics),
            "not_finite": _not_finite(statistics),
            "pre_activation_max": statistics.pre_activation_max,
            "pre_activation_mean": statistics.mean_pre_activation,
            "pre_activation_min": statistics.pre_activation_min,
            "centred_max": _centred_max(entry),
            "mean_abs_activation": statistics.mean_abs_activation,
            "active_share": statistics.active_share,
            "active_examples": statistics.active_examples,
            "bias": entry.bias,
            "weight_norm": entry.weight_norm,
            "gradient_norm": None if entry.gradients is None else entry.gradients[1].sqrt(),
        }
        table = pd.DataFrame({name: _values(value, entry.units) for name, value in columns.items()})
        table["calls"] = ", ".join(entry.calls)
        return table.rename_axis("unit")

    @property
    def dead_fraction(self) -> float:
        """Share of all units that are dead; those of an activation that makes the model's output, such as a last sigmoid, count too."""
        dead = sum(int(definitions.dead(layer.statistics).sum()) for layer in self.layers.values())
        return dead / sum(layer.units for layer in self.layers.values())

    @property
    def examples(self) -> int | None:
        """Number of examples that the layers have seen, the most that one has; None where examples cannot be told from positions."""
        return max(layer.statistics.examples for layer in self.layers.values()) or None

    def expected_alive(self, more: int) -> ExpectedAlive | None:
        """Estimate how many of the dead units would be active on further examples of the same kind.

        Args:
            more: how many further examples are meant. The estimate holds up to ten times those of the report; beyond, to a factor of
                two.

        Returns:
            The estimate with its interval; printed, a sentence. It is of the units that are dead because they are inactive, as those of
            ReLU; None if examples cannot be told from positions.
        """
        counts = [counts for layer in self.layers.values() if (counts := _rarities(layer)) is not None]
        examples = self.examples
        if examples is None or not counts:
            return None
        return expected_alive([once for once, _ in counts], [dead for _, dead in counts], examples, more)

    @property
    def not_finite(self) -> int:
        """Number of units that have a pre-activation that is infinite or not a number: the training has diverged."""
        return sum(int(_not_finite(layer.statistics).sum()) for layer in self.layers.values())

    def _layer(self, name: str) -> Layer:
        if name not in self.layers:
            raise DyingReluError(
                "unknown layer", found=repr(name), expected=f"one of {', '.join(self.layers)}"
            )
        return self.layers[name]


def _not_finite(statistics: UnitStatistics) -> Tensor:
    return ~(statistics.pre_activation_min.isfinite() & statistics.pre_activation_max.isfinite())


def _rarities(layer: Layer) -> tuple[int, int] | None:
    """How many units were active on exactly one example, and how many are dead; None where the second is not for want of activity."""
    active, dead = layer.statistics.active_examples, definitions.dead(layer.statistics)
    if active is None or bool((dead != definitions.inactive(layer.statistics)).any()):
        return None
    return int((active == 1).sum()), int(dead.sum())


def _centred_max(layer: Layer) -> Tensor | None:
    """(units,) the largest pre-activation without what the mean of the layer's inputs adds to it."""
    mean = layer.statistics.mean_pre_activation
    if mean is None or not layer.computed:
        return None
    centred = layer.statistics.pre_activation_max - mean
    return centred if layer.bias is None else centred + layer.bias


def _row(layer: Layer) -> dict[str, object]:
    statistics = layer.statistics
    mean = float("nan") if layer.gradients is None else float(layer.gradients[0].mean()) / statistics.count
    return {
        "layer": layer.name,
        "kind": layer.kind,
        "units": layer.units,
        "dead": int(definitions.dead(statistics).sum()),
        "nearly_dead": int(definitions.nearly_dead(statistics).sum()),
        "inactive": int(definitions.inactive(statistics).sum()),
        "dormant": int(definitions.dormant(statistics, definitions.DORMANT_TAU).sum()),
        "saturated": int(definitions.saturated(statistics).sum()),
        "not_finite": int(_not_finite(statistics).sum()),
        "mean_gradient": mean,
        "offset_share": float("nan") if layer.inputs is None else layer.inputs.offset_share,
    }


def _integers(values: list[Any]) -> "pd.arrays.IntegerArray":
    """A column of whole numbers, some of which may be missing."""
    import pandas as pd

    missing = np.array([value is None for value in values])
    return pd.arrays.IntegerArray(np.array([value or 0 for value in values], np.int64), missing)


def _values(values: Tensor | None, number: int) -> object:
    return (
        [float("nan")] * number
        if values is None
        else values.to("cpu", torch.float64 if values.is_floating_point() else values.dtype).numpy()
    )
