"""The definitions of dead, inactive, saturated and dormant units, of their death and revival, and of diverged networks.

A *unit* is one output of a hidden layer's non-linearity; for a convolution one channel, all its positions together.
Every definition is relative to a *probe set* D, the examples that were shown. What is needed from D is gathered batch by
batch in :class:`UnitStatistics`; the definitions are functions of it. The training engine and the probe both count with
this module, so the paper and its users mean the same thing.

>>> z = torch.tensor([[-1.0, -2.0], [-1.0, 3.0]])          # two units, two examples
>>> statistics = UnitStatistics.of(z, z.relu(), (z > 0).float(), axis=-1)
>>> dead(statistics)
tensor([ True, False])
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.units.reductions import reduce

SATURATION_TOLERANCE = 1e-3
"""A derivative at most this large everywhere on D passes (almost) no gradient."""

DORMANT_TAU = 0.025
"""The usual threshold of dormancy: that of the probe and of ReDo. Source: Sokar et al. (2023)."""
DORMANT_TAUS = {"dormant_0": 0.0, "dormant_0025": DORMANT_TAU, "dormant_01": 0.1}
"""The thresholds that a study's tables count with, by the name of their column. Source: Sokar et al. (2023)."""


@dataclass
class UnitStatistics:
    """The statistics of each unit on which the definitions rest, from all examples seen so far.

    Every tensor has shape (..., units); leading axes are networks of a stack. All are float32, or float64 when the
    pre-activations are.

    Attributes:
        pre_activation_min, pre_activation_max: the smallest and the largest pre-activation.
        activation_max: the largest absolute activation.
        derivative_max: the largest absolute derivative of the activation at the pre-activations seen.
        activation_sum: the sum of absolute activations (absolute: negative ones must not cancel positive ones).
        active_count: on how many examples (and positions) the pre-activation was positive.
        count: number of examples (times positions) seen.
        pre_activation_sum: the sum of pre-activations; None where no definition needs it, as in the training engine.
        active_examples: on how many examples the unit was active at one position at least; None where it was not counted.
        examples: number of examples seen, without regard to positions; 0 where it was not counted.
    """

    pre_activation_min: Tensor
    pre_activation_max: Tensor
    activation_max: Tensor
    derivative_max: Tensor
    activation_sum: Tensor
    active_count: Tensor
    count: int
    pre_activation_sum: Tensor | None = None
    active_examples: Tensor | None = None
    examples: int = 0

    @classmethod
    def of(cls, z: Tensor, activation: Tensor, derivative: Tensor, axis: int) -> "UnitStatistics":
        """Compute the statistics of one batch.

        Args:
            z: pre-activations, (..., units, examples) or (..., examples, units).
            activation: f(z), same shape.
            derivative: f'(z), same shape.
            axis: the axis of the examples (for a convolution: of all positions of all examples), -1 or -2.
        """
        return cls(*reduce(z, activation, derivative, axis), count=z.shape[axis])

    def merge(self, other: "UnitStatistics") -> "UnitStatistics":
        """Combine the statistics of two sets of examples: a unit is dead on D only if it is dead on every batch of D.

        Args:
            other: of the same units; tensors of shape (..., units).
        """
        return UnitStatistics(
            pre_activation_min=torch.minimum(self.pre_activation_min, other.pre_activation_min),
            pre_activation_max=torch.maximum(self.pre_activation_max, other.pre_activation_max),
            activation_max=torch.maximum(self.activation_max, other.activation_max),
            derivative_max=torch.maximum(self.derivative_max, other.derivative_max),
            activation_sum=self.activation_sum + other.activation_sum,
            active_count=self.active_count + other.active_count,
            count=self.count + other.count,
            pre_activation_sum=_sum(self.pre_activation_sum, other.pre_activation_sum),
            active_examples=_sum(self.active_examples, other.active_examples),
            examples=self.examples + other.examples,
        )

    @property
    def mean_abs_activation(self) -> Tensor:
        """(..., units) mean of |activation| over D."""
        return self.activation_sum / self.count

    @property
    def mean_pre_activation(self) -> Tensor | None:
        """(..., units) mean of the pre-activations over D; None where their sum was not gathered."""
        return None if self.pre_activation_sum is None else self.pre_activation_sum / self.count

    @property
    def active_share(self) -> Tensor:
        """(..., units) share of D on which the pre-activation is positive, in [0, 1]."""
        return self.active_count / self.count


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """The sum of two counts; None if one of them was not counted."""
    return None if one is None or other is None else one + other


def inactive(statistics: UnitStatistics) -> Tensor:
    """Units whose pre-activation is at most 0 on every example of D.

    Args:
        statistics: of D; tensors of shape (..., units).

    Returns:
        (..., units) bool.
    """
    return statistics.pre_activation_max <= 0


def dead(statistics: UnitStatistics) -> Tensor:
    """Units that output 0 on every example of D and pass no gradient from any example to their weights.

    For ReLU the same as :func:`inactive`. A leaky unit can be inactive and is not dead. Exact zeros are meant: a
    GELU unit is dead only where float32 has rounded both its output and its derivative to 0.

    Args:
        statistics: of D; tensors of shape (..., units).

    Returns:
        (..., units) bool.

    Source: Lu et al. (2020) call such a unit dead on the whole domain; here, dead on D.
    """
    silent = (statistics.activation_max == 0) & (statistics.derivative_max == 0)
    # A unit that was infinite somewhere is not judged, even if ReLU has made 0 of minus infinity.
    return silent & statistics.pre_activation_min.isfinite() & statistics.pre_activation_max.isfinite()


def saturated(statistics: UnitStatistics) -> Tensor:
    """Units whose derivative is at most ``SATURATION_TOLERANCE`` in size on every example of D.

    Args:
        statistics: of D; tensors of shape (..., units).

    Returns:
        (..., units) bool.
    """
    return statistics.derivative_max <= SATURATION_TOLERANCE


def dormancy(statistics: UnitStatistics) -> Tensor:
    """Mean |activation| of each unit over D, divided by the mean of the same over its layer (last axis).

    The scores of a layer average to 1. In a layer whose every unit outputs 0 the ratio is 0/0 and defined as 0:
    nothing there is more awake than the rest. In a layer with a unit that is not a number no other can be compared.

    Args:
        statistics: of D; tensors of shape (..., units), the units of one layer.

    Returns:
        (..., units) float.

    Source: Sokar et al. (2023).
    """
    mean = statistics.mean_abs_activation
    layer = mean.mean(-1, keepdim=True)
    return torch.where(layer == 0, torch.zeros_like(mean), mean / layer)


def dormant(statistics: UnitStatistics, tau: float) -> Tensor:
    """Units whose dormancy is at most tau, called tau-dormant.

    tau = 0 is exact death for ReLU; ``DORMANT_TAUS`` are usual.

    Args:
        statistics: of D; tensors of shape (..., units), the units of one layer.
        tau: the threshold, at least 0.

    Returns:
        (..., units) bool.

    Source: Sokar et al. (2023).
    """
    return dormancy(statistics) <= tau


def died(dead_before: Tensor, dead_now: Tensor) -> Tensor:
    """Units that were alive at an earlier checkpoint and are dead at a later one.

    Args:
        dead_before: (..., units) bool, at the earlier one.
        dead_now: (..., units) bool, at the later one.

    Returns:
        (..., units) bool.
    """
    return ~dead_before & dead_now


def revived(dead_before: Tensor, dead_now: Tensor) -> Tensor:
    """Units that were dead at an earlier checkpoint and are alive at a later one.

    Args:
        dead_before: (..., units) bool, at the earlier one.
        dead_now: (..., units) bool, at the later one.

    Returns:
        (..., units) bool.
    """
    return dead_before & ~dead_now


def diverged(losses: Iterable[Tensor], parameters: Iterable[Tensor] = ()) -> Tensor:
    """Networks of which a loss or a parameter is infinite or not a number.

    Looked at after every step of training (the loss on its minibatch) and at every checkpoint (the losses on the probe sets, and the
    parameters). A network that has diverged once stays so.

    Args:
        losses: (K,) each, of K networks.
        parameters: (K, ...) each.

    Returns:
        (K,) bool.

    >>> diverged([torch.tensor([1.0, 1.0, torch.nan])], [torch.tensor([[0.0], [torch.inf], [0.0]])])
    tensor([False,  True,  True])
    """
    return ~torch.stack([_finite(numbers) for numbers in (*losses, *parameters)]).all(0)


def _finite(numbers: Tensor) -> Tensor:
    """Networks all of whose numbers are finite: (K, ...) -> (K,) bool."""
    of_network = numbers.reshape(len(numbers), -1)
    # NaN is the largest and the smallest; to look at every number takes ten times as long.
    return of_network.amax(1).isfinite() & of_network.amin(1).isfinite()
