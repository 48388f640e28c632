"""Statistics of activations that are made of straight lines, from those of ReLU: one pass over memory, as for a ReLU.

A leaky ReLU is a ReLU of z and a part of one of -z; ReLU6 is a ReLU of z without one of z - 6.
"""

from typing import Any

import torch
from torch import Tensor

from dying_relu.probing.derivatives import Arguments
from dying_relu.probing.statistics import ActiveExamples, merged, relu_statistics
from dying_relu.units.statistics import UnitStatistics


def hinges_of(kind: str, given: Arguments) -> tuple[float, float, float] | None:
    """The lower and the upper bound of an activation, and its slope below the lower one.

    Args:
        kind: name of the activation.
        given: all arguments of the call, by position and by name.

    Returns:
        None if it is not made of straight lines, or has a slope for each unit.
    """
    arguments, options = given

    def number(position: int, name: str, default: float) -> Any:
        return arguments[position] if len(arguments) > position else options.get(name, default)

    if kind == "relu6":
        return 0.0, 6.0, 0.0
    if kind == "hardtanh":
        bounds = number(1, "min_val", -1.0), number(2, "max_val", 1.0)
        return (*bounds, 0.0) if bounds[0] <= 0 < bounds[1] else None
    if kind == "leaky_relu":
        slope = number(1, "negative_slope", 0.01)
        return (0.0, float("inf"), slope) if 0 <= slope <= 1 else None
    return None


def hinge_statistics(
    z: Tensor,
    axis: int,
    hinges: tuple[float, float, float],
    before: UnitStatistics | None,
    examples: ActiveExamples | None,
) -> UnitStatistics:
    """Statistics of the units of an activation of straight lines.

    Args:
        z: pre-activations of any shape, float32 or float64, the units on ``axis``.
        axis: axis of the units.
        hinges: lower and upper bound, between which the slope is 1, and the slope below the lower; above the upper it is 0.
        before: of earlier batches, to be added.
        examples: to be added to.

    Returns:
        Statistics of shape (units,), of ``before`` and ``z`` together.
    """
    low, high, slope = hinges
    seen = relu_statistics(z, axis, 0.0, None, examples)
    assert seen.pre_activation_sum is not None
    smallest, largest = seen.pre_activation_min, seen.pre_activation_max
    negative = seen.activation_sum - seen.pre_activation_sum
    total, steep = seen.activation_sum, seen.active_count
    if low < 0:
        total, steep = total + negative, torch.full_like(steep, seen.count)
        if not bool((smallest > low).all()):
            total, steep = _without(low - z, axis, total, steep)
    elif slope:
        total = total + slope * negative
    if not bool((largest < high).all()):
        total, steep = _without(z - high, axis, total, steep)
    return merged(before, _of_hinges(seen, hinges, total, steep))


def statistics_below(
    z: Tensor,
    axis: int,
    hinges: tuple[float, float, float],
    before: UnitStatistics | None,
    examples: ActiveExamples | None,
) -> UnitStatistics | None:
    """Statistics of the units of an activation of straight lines whose lower bound is 0, if no pre-activation reaches the upper one.

    One compiled scan does, as of a ReLU.

    Args:
        z: pre-activations of any shape, float32 or float64, the units on ``axis``.
        axis: axis of the units.
        hinges: lower and upper bound, and the slope below the lower.
        before: of earlier batches, to be added.
        examples: to be added to.

    Returns:
        Statistics of shape (units,), of ``before`` and ``z`` together; None if the bounds are others.
    """
    low, high, slope = hinges
    # What was reached once is likely to be reached again.
    if low < 0 or (before is not None and bool((before.pre_activation_max >= high).any())):
        return None
    seen = relu_statistics(z, axis, 0.0, None, examples)
    assert seen.pre_activation_sum is not None
    if bool((seen.pre_activation_max >= high).any()):
        return None
    negative = seen.activation_sum - seen.pre_activation_sum
    return merged(before, _of_hinges(seen, hinges, seen.activation_sum + slope * negative, seen.active_count))


def _of_hinges(
    seen: UnitStatistics, hinges: tuple[float, float, float], total: Tensor, steep: Tensor
) -> UnitStatistics:
    """What ReLU's statistics become with the sum of activations, and the count of those on the steep part."""
    low, high, slope = hinges
    smallest, largest = seen.pre_activation_min, seen.pre_activation_max
    seen.activation_sum = total
    seen.activation_max = torch.maximum(
        largest.clamp(0, high),
        (-smallest).clamp(min=0).mul(slope) if low == 0 else (-smallest).clamp(0, -low),
    )
    gentle = (seen.count - steep > 0).to(largest.dtype) * slope
    seen.derivative_max = torch.where(steep > 0, torch.ones_like(largest), gentle)
    seen.derivative_max = torch.where(largest.isnan(), largest, seen.derivative_max)
    return seen


def _without(beyond: Tensor, axis: int, total: Tensor, steep: Tensor) -> tuple[Tensor, Tensor]:
    """Take away what lies beyond a bound, where ``beyond`` is at least 0."""
    others = tuple(other for other in range(beyond.dim()) if other != axis % beyond.dim())
    flat = (beyond >= 0).sum(others).to(steep)
    return total - beyond.clamp(min=0).sum(others, dtype=torch.float64).to(total), steep - flat
