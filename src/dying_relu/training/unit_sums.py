"""The statistics of a hidden layer's units, gathered batch by batch."""

import math

from torch import Tensor

from dying_relu.stack.network import Hidden
from dying_relu.units import definitions
from dying_relu.units.reductions import SIDE_BY_SIDE, RunningMoments
from dying_relu.units.statistics import UnitStatistics


class LayerSums:
    """Running sums of a hidden layer of K networks. Those of a rectifier are sums of its pre-activations, and nothing is computed from them
    before the end.

    Args:
        hidden: the layer.
    """

    def __init__(self, hidden: Hidden) -> None:
        self.hidden = hidden
        self._pre_activations = RunningMoments()
        self._activations: UnitStatistics | None = None
        self._count = 0

    def add(self, pre_activations: Tensor) -> None:
        """Add a batch.

        Args:
            pre_activations: (K, U, B) or (K, B, C, H, W), of this layer.
        """
        z, axis = self.hidden.by_unit(pre_activations)
        positions = pre_activations.shape[-2:].numel() if axis == -2 else 1
        self._pre_activations.add(z, axis, math.gcd(positions, SIDE_BY_SIDE))
        self._count += z.shape[axis]
        if self.hidden.activation.activation.rectifies:
            return
        activation, derivative = (
            self.hidden.by_unit(operation(pre_activations))[0]
            for operation in (self.hidden.activation.function, self.hidden.activation.derivative)
        )
        batch = UnitStatistics.of(z, activation, derivative, axis)
        self._activations = batch if self._activations is None else self._activations.merge(batch)

    def statistics(self) -> UnitStatistics:
        """The statistics over all batches, (K, U); after the first."""
        seen = self._pre_activations.moments()
        if self._activations is None:
            slope = self.hidden.activation.slope.value[:, None]
            return UnitStatistics.of_rectifier(seen, slope, self._count)
        activations = vars(self._activations) | {
            "pre_activation_sum": seen.total,
            "pre_activation_square_sum": seen.square_sum,
        }
        return UnitStatistics(**activations)

    def dead(self) -> Tensor:
        """(K, U) bool: the units that were dead on all batches."""
        return definitions.dead(self.statistics())
