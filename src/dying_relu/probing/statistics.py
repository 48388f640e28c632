"""The statistics of one call of an activation, unit by unit.

ReLU's follow from its pre-activations alone, in one pass over memory and without a copy; any other activation's derivative comes
from autograd, so that it is the one that training sees.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from dying_relu.probing.one_pass import none_seen, scan_on_cpu
from dying_relu.units.definitions import UnitStatistics


def of_relu(
    z: Tensor, axis: int, at_zero: float = 0.0, before: UnitStatistics | None = None
) -> UnitStatistics:
    """Statistics of ReLU units.

    Args:
        z: pre-activations, the units on ``axis``, examples and positions on all others.
        axis: axis of the units.
        at_zero: the derivative at exactly 0: PyTorch's ReLU has 0 there, its ``clamp(min=0)`` 1.
        before: of earlier batches, to be added; on a CPU it is changed. One compiled call in place of many operations on small
            tensors, which cost more than the scan of a small layer.
    """
    z = accurate(z)
    if z.device.type == "cpu":
        # A model whose precision changes from batch to batch is counted anew and merged.
        fits = before is not None and before.pre_activation_min.dtype == z.dtype
        found = before if before is not None and fits else none_seen(z.shape[axis], z.dtype)
        scan_on_cpu(found, z, axis, at_zero)
        return found if fits else _merged(before, found)
    low, high, total, active, level = _scan(z, axis)
    slope = torch.where(high == 0, at_zero, high.sign().clamp(min=0))
    found = UnitStatistics(
        pre_activation_min=low,
        pre_activation_max=high,
        activation_max=high.relu(),
        # NaN stays NaN, of which sign() would make 0.
        derivative_max=torch.where(high.isnan(), high, slope),
        activation_sum=_summed(total),
        active_count=_summed(active),
        count=z.numel() // z.shape[axis],
        pre_activation_sum=_summed(level),
    )
    return _merged(before, found)


def of_any(
    z: Tensor, axis: int, function: Callable[[Tensor], Tensor], before: UnitStatistics | None = None
) -> UnitStatistics:
    """Statistics of the units of an element-wise ``function``; other arguments as for :func:`of_relu`."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = accurate(z.detach()).clone().requires_grad_()
        # A clone, since the function may work in place.
        activation = function(leaf.clone())
        (derivative,) = torch.autograd.grad(activation, leaf, torch.ones_like(activation))
    z, values, slopes = (by_unit(tensor.detach(), axis) for tensor in (leaf, activation, derivative))
    found = UnitStatistics.of(z, values, slopes, axis=-2)
    found.activation_sum = _summed(found.activation_sum)
    found.active_count = _summed(found.active_count)
    found.pre_activation_sum = _summed(z.sum(0))
    return _merged(before, found)


def _merged(before: UnitStatistics | None, found: UnitStatistics) -> UnitStatistics:
    return found if before is None else before.merge(found)


def by_unit(z: Tensor, axis: int) -> Tensor:
    """(examples and positions, units)."""
    return z.movedim(axis, -1).flatten(0, -2) if z.dim() > 1 else z[None]


def accurate(z: Tensor) -> Tensor:
    """Float32 for what is narrower."""
    z = z.detach()
    return z if z.dtype in (torch.float32, torch.float64) else z.float()


def _summed(total: Tensor) -> Tensor:
    """A batch's sum, ready to be added to those of many: counts above 2^24 are not exact in float32."""
    return total if total.device.type == "mps" else total.double()


def _scan(z: Tensor, axis: int) -> tuple[Tensor, ...]:
    others = tuple(other for other in range(z.dim()) if other != axis % z.dim())
    return z.amin(others), z.amax(others), z.relu().sum(others), (z > 0).sum(others), z.sum(others)
