"""The statistics of one call of an activation, unit by unit.

ReLU's follow from its pre-activations alone, in one pass over memory and without a copy; any other activation's derivative is the
one that training sees: in closed form where PyTorch has a kernel for it, else by autograd.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.units import reductions
from dying_relu.units.statistics import UnitStatistics


@dataclass
class ActiveExamples:
    """The examples of a batch that have woken each unit of a layer, at one position at least.

    Attributes:
        hit: (examples, units) uint8, 1 where one has.
        inner: how many positions after one another are of one example, in pre-activations whose units' axis is left out; then come
            those of the next, and after the last example the first again.
    """

    hit: Tensor
    inner: int

    @classmethod
    def of(cls, shape: tuple[int, ...], units: int, axis: int, batch: int | None = None) -> "ActiveExamples":
        """Find the axis of the examples in pre-activations of some shape.

        It is the first axis, unless only the second is as long as the batch, as where time comes first. An axis that is a multiple of the
        batch has several rows for each example; where it fits in no way, every entry of the first axis counts as an example.

        Args:
            shape: of the pre-activations.
            units: how many there are.
            axis: of the units, counted from the front.
            batch: number of examples that the model was given; None if it is not known.
        """
        others = shape[:axis] + shape[axis + 1 :]
        if not others or axis == 0:
            return cls(torch.zeros(1, units, dtype=torch.uint8), _product(others))
        first = others[0]
        if batch and first != batch:
            if len(others) > 1 and axis != 1 and others[1] == batch:
                return cls(torch.zeros(batch, units, dtype=torch.uint8), _product(others[2:]))
            if first % batch == 0:
                return cls(torch.zeros(batch, units, dtype=torch.uint8), _product(others) // batch)
        return cls(torch.zeros(first, units, dtype=torch.uint8), _product(others[1:]))

    def add(self, active: Tensor) -> None:
        """Add a call.

        Args:
            active: (examples and positions, units) bool.
        """
        examples, units = self.hit.shape
        awake = active.reshape(-1, examples, self.inner, units).amax((0, 2))
        self.hit |= awake.to(self.hit)


def _product(sizes: tuple[int, ...]) -> int:
    return torch.Size(sizes).numel()


def relu_statistics(
    z: Tensor,
    axis: int,
    at_zero: float = 0.0,
    before: UnitStatistics | None = None,
    examples: ActiveExamples | None = None,
) -> UnitStatistics:
    """Statistics of ReLU units.

    Args:
        z: pre-activations of any shape, the units on ``axis``, examples and positions on all others.
        axis: axis of the units.
        at_zero: the derivative at exactly 0: 0 for PyTorch's ReLU; of its ``clamp(min=0)`` it depends on PyTorch's version.
        before: of earlier batches, to be added; on a CPU it is changed. One compiled call in place of many operations on small
            tensors, which cost more than the scan of a small layer.
        examples: to be added to.

    Returns:
        Statistics of shape (units,), of ``before`` and ``z`` together.
    """
    z = at_least_float32(z)
    if z.device.type == "cpu" and reductions.compiled():
        # A model whose precision changes from batch to batch is counted anew and merged.
        fits = before is not None and before.pre_activation_min.dtype == z.dtype
        statistics = before if before is not None and fits else empty_statistics(z.shape[axis], z.dtype)
        if examples is None:
            examples = ActiveExamples.of(z.shape, z.shape[axis], axis % z.dim())
        _add(statistics, z, axis, at_zero, examples)
        return statistics if fits else merged(before, statistics)
    others = tuple(other for other in range(z.dim()) if other != axis % z.dim())
    high = z.amax(others)
    slope = torch.where(high == 0, at_zero, high.sign().clamp(min=0))
    if examples is not None:
        examples.add(by_unit(z > 0, axis))
    statistics = UnitStatistics(
        pre_activation_min=z.amin(others),
        pre_activation_max=high,
        activation_max=high.relu(),
        # NaN stays NaN, of which sign() would make 0.
        derivative_max=torch.where(high.isnan(), high, slope),
        activation_sum=_widened(z.relu().sum(others)),
        active_count=_widened((z > 0).sum(others)),
        count=z.numel() // z.shape[axis],
        pre_activation_sum=_widened(z.sum(others)),
    )
    return merged(before, statistics)


def elementwise_statistics(
    z: Tensor,
    activation: Tensor,
    derivative: Tensor,
    axis: int,
    before: UnitStatistics | None = None,
    examples: ActiveExamples | None = None,
    *,
    gated: bool = False,
) -> UnitStatistics:
    """Statistics of the units of any element-wise activation.

    Args:
        z: pre-activations of any shape, the units on ``axis``, examples and positions on all others.
        activation: f(z), same shape.
        derivative: f'(z), same shape.
        axis: axis of the units.
        before: of earlier batches, to be added.
        examples: to be added to.
        gated: a unit is active where its activation is positive, not where its pre-activation is.

    Returns:
        Statistics of shape (units,), of ``before`` and ``z`` together.
    """
    wide = [at_least_float32(tensor) for tensor in (z, activation, derivative)]
    if not gated and _in_blocks(wide, axis):
        return merged(before, _block_statistics(wide[0], wide[1], wide[2], examples))
    z, values, slopes = (by_unit(tensor, axis) for tensor in wide)
    statistics = UnitStatistics.of(z, values, slopes, axis=-2)
    statistics.activation_sum = _widened(statistics.activation_sum)
    statistics.active_count = _widened(statistics.active_count)
    statistics.pre_activation_sum = _widened(z.sum(0))
    if gated:
        statistics.active_count = (values > 0).sum(0, dtype=torch.float64)
    if examples is not None:
        examples.add((values if gated else z) > 0)
    return merged(before, statistics)


def _in_blocks(tensors: list[Tensor], axis: int) -> bool:
    """Tell whether each unit's positions lie side by side, as after a convolution, so that nothing need be copied."""
    z = tensors[0]
    return (
        axis % z.dim() == 1
        and z.dim() > 2
        and z.device.type == "cpu"
        and reductions.compiled() is not None
        and all(one.is_contiguous() and one.dtype == z.dtype for one in tensors)
    )


def _block_statistics(
    z: Tensor, activation: Tensor, derivative: Tensor, examples: ActiveExamples | None
) -> UnitStatistics:
    """The same for units whose positions lie side by side: (examples, units, ...)."""
    number, units = z.shape[:2]
    blocks = [one.reshape(number * units, -1, 1) for one in (z, activation, derivative)]
    by_block = reductions.reduce_blocks(*blocks)
    low, high, largest, steepest, total, active = (one.view(number, units) for one in by_block)
    if examples is not None:
        outer = (
            active.view(-1, len(examples.hit), number // len(examples.hit), units)
            if number % len(examples.hit) == 0
            else active[:, None, None]
        )
        examples.hit |= (outer > 0).any(0).any(1).to(examples.hit)
    return UnitStatistics(
        low.amin(0), high.amax(0), largest.amax(0), steepest.amax(0),
        _widened(total).sum(0), _widened(active).sum(0), z.numel() // units,
        _widened(z.reshape(number, units, -1).sum(2)).sum(0),
    )  # fmt: skip


def empty_statistics(units: int, dtype: torch.dtype) -> UnitStatistics:
    """Statistics of no example, on a CPU, ready to be added to.

    Args:
        units: how many there are.
        dtype: of the pre-activations; sums are float64.
    """
    return UnitStatistics(
        pre_activation_min=torch.full((units,), torch.inf, dtype=dtype),
        pre_activation_max=torch.full((units,), -torch.inf, dtype=dtype),
        activation_max=torch.zeros(units, dtype=dtype),
        derivative_max=torch.zeros(units, dtype=dtype),
        activation_sum=torch.zeros(units, dtype=torch.float64),
        active_count=torch.zeros(units, dtype=torch.float64),
        count=0,
        pre_activation_sum=torch.zeros(units, dtype=torch.float64),
    )


def by_unit(z: Tensor, axis: int) -> Tensor:
    """Flatten pre-activations to a row for each example and position.

    Args:
        z: pre-activations of any shape.
        axis: the axis of the units.

    Returns:
        (examples times positions, units).
    """
    return z.movedim(axis, -1).flatten(0, -2) if z.dim() > 1 else z[None]


def at_least_float32(z: Tensor) -> Tensor:
    """Detach pre-activations, and widen them to float32 if they are narrower.

    Args:
        z: of any shape.

    Returns:
        The same shape, float32 or float64.
    """
    z = z.detach()
    return z if z.dtype in (torch.float32, torch.float64) else z.float()


def _add(statistics: UnitStatistics, z: Tensor, axis: int, at_zero: float, examples: ActiveExamples) -> None:
    """Add ``z`` to ``statistics``, whose sum of pre-activations is known."""
    level = statistics.pre_activation_sum
    assert level is not None
    fields = (
        statistics.pre_activation_min.numpy(),
        statistics.pre_activation_max.numpy(),
        statistics.activation_max.numpy(),
        statistics.derivative_max.numpy(),
        statistics.activation_sum.numpy(),
        statistics.active_count.numpy(),
        level.numpy(),
    )
    reductions.add_relu(fields, z, axis, at_zero, examples.hit.numpy(), examples.inner)
    statistics.count += z.numel() // z.shape[axis]


def merged(before: UnitStatistics | None, statistics: UnitStatistics) -> UnitStatistics:
    """Add the statistics of earlier batches.

    Args:
        before: of these, tensors of shape (units,); None if there were none.
        statistics: of the same units.
    """
    return statistics if before is None else before.merge(statistics)


def _widened(total: Tensor) -> Tensor:
    """A batch's sum, ready to be added to those of many: counts above 2^24 are not exact in float32."""
    return total if total.device.type == "mps" else total.double()
