"""The statistics of units on which their definitions rest, gathered batch by batch."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from dying_relu.units.reductions import Moments, Reduced, reduce


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
        pre_activation_sum: the sum of pre-activations; None where it was not gathered.
        pre_activation_square_sum: the sum of their squares; None where it was not gathered.
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
    pre_activation_square_sum: Tensor | None = None
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

    @classmethod
    def of_rectifier(cls, seen: Moments, slope: Tensor, count: int) -> "UnitStatistics":
        """The statistics of (leaky) rectifiers, which follow from their pre-activations.

        Args:
            seen: (..., units) of their pre-activations.
            slope: (..., 1) the fixed slope left of zero, and at it.
            count: number of examples (times positions) seen.
        """
        return cls(*_rectified(seen, slope), count, seen.total, seen.square_sum)

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
            pre_activation_sum=_sum_of_known(self.pre_activation_sum, other.pre_activation_sum),
            pre_activation_square_sum=_sum_of_known(
                self.pre_activation_square_sum, other.pre_activation_square_sum
            ),
            active_examples=_sum_of_known(self.active_examples, other.active_examples),
            examples=self.examples + other.examples,
        )

    def of_networks(self, chosen: Tensor) -> "UnitStatistics":
        """The statistics of some of the networks.

        Args:
            chosen: (n,) their places on the first axis.
        """
        parts: dict[str, Any] = {
            name: part[chosen] for name, part in vars(self).items() if isinstance(part, Tensor)
        }
        return replace(self, **parts)

    @property
    def mean_abs_activation(self) -> Tensor:
        """(..., units) mean of |activation| over D."""
        return self.activation_sum / self.count

    @property
    def mean_pre_activation(self) -> Tensor | None:
        """(..., units) mean of the pre-activations over D; None where their sum was not gathered."""
        return None if self.pre_activation_sum is None else self.pre_activation_sum / self.count

    @property
    def pre_activation_sd(self) -> Tensor | None:
        """(..., units) standard deviation of the pre-activations over D; None where its sums were not gathered."""
        mean = self.mean_pre_activation
        if mean is None or self.pre_activation_square_sum is None:
            return None
        return (self.pre_activation_square_sum / self.count - mean.square()).clamp(min=0).sqrt()

    @property
    def active_share(self) -> Tensor:
        """(..., units) share of D on which the pre-activation is positive, in [0, 1]."""
        return self.active_count / self.count


def _rectified(seen: Moments, slope: Tensor) -> Reduced:
    """The reductions of a rectifier's activations and derivatives, which follow from its pre-activations.

    Args:
        seen: (..., units) of its pre-activations.
        slope: (..., 1) left of zero, and at it.
    """
    steep = slope.abs().to(seen.low)
    # 0 times infinity is not a number.
    flat = steep == 0
    lowest, below = (
        torch.where(flat, torch.zeros_like(values), steep * values)
        for values in (-seen.low, seen.positive_sum - seen.total)
    )
    largest = torch.maximum(seen.high, lowest).clamp(min=0)
    right = (seen.high > 0).to(steep)
    left = torch.where(seen.low <= 0, steep, torch.zeros_like(seen.low))
    derivative = torch.maximum(right, left)
    unknown = seen.low.isnan()
    largest, derivative = (values.masked_fill(unknown, torch.nan) for values in (largest, derivative))
    return Reduced(seen.low, seen.high, largest, derivative, seen.positive_sum + below, seen.active_count)


def _sum_of_known(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    return None if one is None or other is None else one + other
