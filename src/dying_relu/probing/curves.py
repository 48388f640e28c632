"""Statistics of activations whose curve is known, so that their derivatives need not be computed of every number."""

from collections.abc import Callable
from math import inf

import torch
from torch import Tensor

from dying_relu.probing.derivatives import Arguments
from dying_relu.probing.hinges import hinges_of
from dying_relu.probing.statistics import ActiveExamples, by_unit, empty_statistics, merged
from dying_relu.units import reductions
from dying_relu.units.curves import Curve, add_curve
from dying_relu.units.statistics import UnitStatistics

HUMPED = 0.2
"""No derivative of GELU, SiLU and Mish on the left of their zero has a larger absolute value: 0.13, 0.10 and 0.11 are the largest."""

CURVES = {
    "gelu": Curve(1.41421, HUMPED),
    "silu": Curve(2.39936, HUMPED),
    "mish": Curve(1.49057, HUMPED),
    "hardswish": Curve(3.0, 0.5),
    "selu": Curve(0.0),
    "softplus": Curve(inf),
    "sigmoid": Curve(0.0),
    "tanh": Curve(0.0),
    "softsign": Curve(0.0),
    "hardsigmoid": Curve(3.0),
    "logsigmoid": Curve(-inf),
}
"""Kind -> its curve. Peaks are rounded: next to one a derivative is flat."""
GELU_BY_TANH = Curve(1.41850, HUMPED)


def curve_of(kind: str, given: Arguments, z: Tensor) -> Curve | None:
    """The curve of an activation, where it is known and compiled loops can make use of it.

    Args:
        kind: name of the activation.
        given: all arguments of the call, by position and by name.
        z: its pre-activations, of any shape.
    """
    if z.device.type != "cpu" or not z.dim() or not reductions.compiled():
        return None
    arguments, options = given

    def number(position: int, name: str, default: float | str) -> float | str:
        value: float | str = arguments[position] if len(arguments) > position else options.get(name, default)
        return value

    hinges = hinges_of(kind, given)
    if hinges is not None:
        return Curve(hinges[1], bounds=hinges)
    if kind == "clamp":
        high = number(2, "max", inf)
        return Curve(high, bounds=(0.0, high, 0.0)) if isinstance(high, int | float) else None
    if kind in ("elu", "celu"):
        alpha = number(1, "alpha", 1.0)
        if not isinstance(alpha, int | float) or alpha <= 0:
            return None
        return Curve(0.0 if kind == "elu" and alpha > 1 else inf)
    if kind == "gelu" and number(1, "approximate", "none") != "none":
        return GELU_BY_TANH
    return CURVES.get(kind)


def curve_statistics(
    z: Tensor,
    axis: int,
    curve: Curve,
    activation: Tensor,
    derivative: Callable[[Tensor], Tensor],
    before: UnitStatistics | None,
    examples: ActiveExamples | None,
) -> UnitStatistics:
    """Statistics of the units of an activation whose curve is known.

    Args:
        z: pre-activations of any shape on a CPU, float32 or float64, detached, the units on ``axis``.
        axis: axis of the units.
        curve: of the activation.
        activation: f(z), same shape; not read for one of straight lines.
        derivative: z -> f'(z), of any shape.
        before: of earlier batches, to be added; it is changed.
        examples: to be added to.

    Returns:
        Statistics of shape (units,), of ``before`` and ``z`` together.
    """
    axis %= z.dim()
    units = z.shape[axis]
    fits = before is not None and before.pre_activation_min.dtype == z.dtype
    statistics = before if before is not None and fits else empty_statistics(units, z.dtype)
    examples = ActiveExamples.of(z.shape, units, axis) if examples is None else examples
    assert statistics.pre_activation_sum is not None
    below, above = torch.full((units,), -inf, dtype=z.dtype), torch.full((units,), inf, dtype=z.dtype)
    fields = (
        statistics.pre_activation_min,
        statistics.pre_activation_max,
        below,
        above,
        statistics.activation_max,
        statistics.activation_sum,
        statistics.active_count,
        statistics.pre_activation_sum,
    )
    add_curve(
        tuple(one.numpy() for one in fields), z, activation, curve, axis, examples.hit.numpy(), examples.inner
    )
    steepest = _largest(derivative, torch.stack([below, above]))
    if bool((tail := steepest <= curve.hump).any()) and curve.hump:
        chosen = tail.nonzero().flatten()
        steepest[chosen] = by_unit(derivative(z.index_select(axis, chosen)), axis).abs().amax(0)
    steepest = torch.where(statistics.pre_activation_min.isnan(), torch.nan, steepest)
    statistics.derivative_max = torch.maximum(statistics.derivative_max, steepest)
    statistics.count += z.numel() // units
    return statistics if fits else merged(before, statistics)


def _largest(derivative: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """The largest absolute derivative at some points, (n, units); those that are not finite do not count."""
    return torch.where(points.isfinite(), derivative(points).abs(), 0).amax(0)
