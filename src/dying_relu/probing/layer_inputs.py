"""The mean of what a linear layer or a convolution is fed, and its share of the inputs' second moment.

Units whose inputs have a large mean are pushed along it all together: what a layer's inputs have in common acts on a unit like a bias
that the weights carry. Measured on a sample, since a scan of all inputs would cost as much as that of the units.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn

from dying_relu.probing.activations import argument, spellings

MOST_AT_ONCE = 2**20
"""Numbers of a call that are looked at, of evenly spaced examples."""
MOST = 2**20
"""Numbers of a layer that are looked at in all: a thousand images are more than a mean needs."""

AXES = dict.fromkeys(spellings(["linear"]), 0) | {
    function: axes for axes in (1, 2, 3) for function in spellings([f"conv{axes}d"])
}
"""Function -> how many axes of positions its inputs have behind that of their features; a linear layer's features come last."""


@dataclass
class LayerInputs:
    """Sums over the inputs of one layer; of a convolution over all positions, without the zeros beyond the border.

    Attributes:
        total: (features,) sum of the inputs, float64.
        square: sum of all their squares.
        rows: how many inputs there were, examples times positions.
    """

    total: Tensor
    square: float
    rows: int

    @property
    def offset_share(self) -> float:
        """The squared norm of the mean input over the mean squared norm, in [0, 1]; NaN where all inputs are 0."""
        mean_square = self.square / self.rows
        if not mean_square > 0:
            return float("nan")
        return min(1.0, float((self.total / self.rows).square().sum()) / mean_square)


@dataclass
class InputRecords:
    """The inputs of all layers that have weights of their own, by these weights.

    >>> records, x = InputRecords(), torch.tensor([[3.0, 1.0], [3.0, -1.0]])
    >>> layer = nn.Linear(2, 4)
    >>> records.note(nn.functional.linear, (x, layer.weight, layer.bias), {}, layer(x))
    >>> round(records.of(layer.weight).offset_share, 6)
    0.9
    """

    known: dict[int, LayerInputs] = field(default_factory=dict)
    results: dict[int, "ref[Tensor]"] = field(default_factory=dict)

    def note(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any], result: Any
    ) -> None:
        """Add the inputs of a call, if it is one of a linear layer or a convolution.

        Args:
            function: that was called.
            arguments: positional arguments of the call.
            options: arguments by name.
            result: what it returned.
        """
        axes = AXES.get(function)
        if axes is None or not isinstance(result, Tensor):
            return
        x, weight = argument(arguments, options, 0, "input"), argument(arguments, options, 1, "weight")
        if not isinstance(weight, nn.Parameter) or not isinstance(x, Tensor) or not x.numel():
            return
        key = id(weight)
        self.results[key] = ref(result)
        before = self.known.get(key)
        if before is None or before.rows * len(before.total) < MOST:
            self.known[key] = _sum(before, x.detach(), axes)

    def of(self, weight: Tensor | None) -> LayerInputs | None:
        """The inputs of the layer with these weights; None if they were not seen.

        Args:
            weight: of the layer, as it was called.
        """
        return None if weight is None else self.known.get(id(weight))

    def computed(self, z: Tensor, weight: Tensor | None) -> bool:
        """Tell whether pre-activations are what a layer computed last, nothing added or normalised since.

        Args:
            z: the pre-activations, of any shape.
            weight: of the layer.
        """
        result = self.results.get(id(weight))
        return result is not None and result() is z


def _sum(before: LayerInputs | None, x: Tensor, axes: int) -> LayerInputs:
    if x.dim() > axes + 1:
        x = x[:: -(-x.numel() // MOST_AT_ONCE)]
    wide = x if x.dtype == torch.float64 else x.float()
    features = x.dim() - 1 - axes
    others = [axis for axis in range(x.dim()) if axis != features]
    total = (wide.sum(others) if others else wide).double().cpu()
    square, rows = float(torch.linalg.vector_norm(wide)) ** 2, x.numel() // x.shape[features]
    if before is None:
        return LayerInputs(total, square, rows)
    return LayerInputs(before.total + total, before.square + square, before.rows + rows)
