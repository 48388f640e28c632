"""The reductions over a batch that the definitions need, unit by unit, in one pass over memory.

In tensor operations it takes a pass for each maximum and each sum, and long columns of few units are slow to reduce: measuring
cost half as much as training, and probing a convolution as much as the convolution. On a CPU a compiled loop does it, if numba is
installed; elsewhere, tensor operations.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

SIDE_BY_SIDE = 16
"""So many rows of units are reduced next to each other, which fills the processor's vectors."""

WORTH_A_THREAD = 1 << 20
"""Fewer numbers are reduced before another thread has started."""


class Reduced(NamedTuple):
    """Over the examples of a batch, for each unit; each (..., units)."""

    pre_activation_min: Tensor
    pre_activation_max: Tensor
    activation_max: Tensor
    """Of absolute values, like all of ``activation`` and ``derivative``."""
    derivative_max: Tensor
    activation_sum: Tensor
    active_count: Tensor
    """How many pre-activations are positive."""


class Moments(NamedTuple):
    """Of the pre-activations of a batch, for each unit; each (..., units), float64 from the compiled loops."""

    low: Tensor
    high: Tensor
    positive_sum: Tensor
    """Of those above 0."""
    total: Tensor
    square_sum: Tensor
    active_count: Tensor
    """How many are positive."""


_loops: list[ModuleType | None] = []
"""What :func:`compiled` has found; no functools.cache, at whose sight torch.compile warns."""


def compiled() -> ModuleType | None:
    """The compiled loops, imported when a reduction on a CPU first needs them; None if numba is not installed."""
    if not _loops:
        try:
            _loops.append(import_module("dying_relu.units.compiled"))
        except ImportError:
            _loops.append(None)
    return _loops[0]


def reduce(z: Tensor, activation: Tensor, derivative: Tensor, axis: int) -> Reduced:
    """Reduce the pre-activations of any activation; NaN stays NaN.

    Args:
        z: pre-activations, (..., units, examples) or (..., examples, units).
        activation: f(z), same shape.
        derivative: f'(z), same shape.
        axis: the axis of the examples, -1 or -2.

    Returns:
        Fields of shape (..., units), in the precision of ``z``.
    """
    if axis == -2 and z.device.type == "cpu" and z.dtype in (torch.float32, torch.float64) and compiled():
        return _reduce_rows(z, activation, derivative)
    magnitude = activation.abs()
    return Reduced(
        z.amin(axis),
        z.amax(axis),
        magnitude.amax(axis),
        derivative.abs().amax(axis),
        magnitude.sum(axis),
        # Not (z > 0).sum(): ones and zeros of the same type are counted ten times faster.
        z.sign().clamp_(min=0).sum(axis),
    )


def _reduce_rows(*tensors: Tensor) -> Reduced:
    """(..., examples, units), examples and units side by side as far as they can be."""
    if tensors[0].dim() == 3:
        # Networks side by side in memory are units side by side: nothing is copied.
        networks, _, units = tensors[0].shape
        joined = _reduce_rows(*(tensor.movedim(0, 1).flatten(1) for tensor in tensors))
        return Reduced(*(values.view(networks, units) for values in joined))
    *outer, examples, units = tensors[0].shape
    fold = math.gcd(examples, SIDE_BY_SIDE)
    folded = [tensor.reshape(-1, examples // fold, fold * units).numpy() for tensor in tensors]
    fields = np.empty((len(Reduced._fields), folded[0].shape[0], fold * units), folded[0].dtype)
    loops = compiled()
    assert loops is not None
    loops.scan_stack(*folded, fields)
    each = torch.from_numpy(fields).view(-1, *outer, fold, units).unbind()
    smallest, *largest = each[0].amin(-2), *(maximum.amax(-2) for maximum in each[1:4])
    # One after the other: the order of PyTorch's own sum depends on how many units there are, and so on the stack.
    return Reduced(smallest, *largest, *(sum(total.unbind(-2)) for total in each[4:]))


def reduce_blocks(z: Tensor, activation: Tensor, derivative: Tensor) -> Reduced:
    """Reduce blocks of numbers that lie side by side, on a CPU; needs :func:`compiled`.

    Args:
        z: pre-activations, (blocks, positions, 1), contiguous.
        activation: f(z), same shape.
        derivative: f'(z), same shape.

    Returns:
        Fields of shape (blocks,), in the precision of ``z``.
    """
    loops = compiled()
    assert loops is not None
    blocks, positions = z.shape[:2]
    fold = math.gcd(positions, SIDE_BY_SIDE)
    folded = [one.view(blocks, positions // fold, fold).numpy() for one in (z, activation, derivative)]
    fields = np.empty((len(Reduced._fields), blocks, fold), folded[0].dtype)
    loops.scan_stack(*folded, fields)
    each = torch.from_numpy(fields).unbind()
    return Reduced(each[0].amin(1), *(one.amax(1) for one in each[1:4]), *(one.sum(1) for one in each[4:]))


def moments(z: Tensor, axis: int) -> Moments:
    """Reduce the pre-activations of one batch; see :class:`RunningMoments`.

    Args:
        z: (..., units, examples) or (..., examples, units).
        axis: the axis of the examples, -1 or -2.
    """
    running = RunningMoments()
    running.add(z, axis)
    return running.moments()


class RunningMoments:
    """Moments of a layer's pre-activations, batch by batch, in one pass over memory on a CPU with numba; NaN stays NaN.

    Their bits do not depend on the number of units.
    """

    def __init__(self) -> None:
        self._fields: Any = None
        self._units: tuple[int, ...] = ()
        self._fold = 0

    def add(self, z: Tensor, axis: int, fold: int = 1) -> None:
        """Add a batch.

        Args:
            z: (..., units, examples) or (..., examples, units), at every call with the same axes.
            axis: the axis of the examples, -1 or -2.
            fold: so many rows of units are reduced side by side, a divisor of the number of examples (and positions) of every batch.
        """
        loops = compiled() if z.device.type == "cpu" and z.dtype in (torch.float32, torch.float64) else None
        if loops is None:
            self._add_elsewhere(z, axis)
        elif axis == -1:
            rows = z.reshape(-1, z.shape[-1])
            self._begin(z.shape[:-1], (len(rows),))
            loops.moments_of_rows(rows.contiguous().numpy(), self._fields)
        else:
            # Networks side by side in memory are units side by side: nothing is copied.
            joined = z.movedim(0, 1).flatten(1) if z.dim() == 3 else z
            examples, columns = joined.shape
            self._begin((*z.shape[:-2], z.shape[-1]), (1, fold * columns))
            self._fold = fold
            folded = joined.reshape(1, examples // fold, fold * columns)
            loops.moments_of_columns(folded.numpy(), self._fields)

    def _begin(self, units: tuple[int, ...], shape: tuple[int, ...]) -> None:
        if self._fields is None:
            self._units = tuple(units)
            self._fields = np.zeros((len(Moments._fields), *shape))
            self._fields[0], self._fields[1] = np.inf, -np.inf

    def _add_elsewhere(self, z: Tensor, axis: int) -> None:
        total, square, active = z.sum(axis), z.square().sum(axis), z.sign().clamp_(min=0).sum(axis)
        batch = [z.amin(axis), z.amax(axis), z.clamp(min=0).sum(axis), total, square, active]
        if self._fields is not None:
            low, high, *others = self._fields
            batch[:2] = torch.minimum(low, batch[0]), torch.maximum(high, batch[1])
            batch[2:] = (before + values for before, values in zip(others, batch[2:], strict=True))
        self._fields = batch

    def moments(self) -> Moments:
        """The moments of all batches, fields of shape (..., units)."""
        if isinstance(self._fields, list):
            return Moments(*self._fields)
        each = torch.from_numpy(self._fields.copy())
        if self._fold:
            low, high, *others = each.view(len(each), self._fold, -1).unbind()
            # One after the other: the order of PyTorch's own sum depends on how many units there are, and so on the stack.
            each = torch.stack(
                [
                    low.amin(0),
                    high.amax(0),
                    *(sum(total.unbind(), torch.zeros_like(total[0])) for total in others),
                ]
            )
        low, high, *others = each.view(-1, *self._units).unbind()
        # The loops keep NaN in the sums alone.
        unknown = others[1].isnan()
        return Moments(*(extreme.masked_fill(unknown, torch.nan) for extreme in (low, high)), *others)


def sums(x: Tensor) -> tuple[Tensor, Tensor]:
    """Sum numbers and their squares over examples.

    Args:
        x: (stack, examples, columns), contiguous.

    Returns:
        (stack, columns) float64 each (in the precision of ``x`` without numba), whose bits do not depend on the number of columns.
    """
    loops = compiled() if x.device.type == "cpu" else None
    if loops is None:
        return x.sum(1), x.square().sum(1)
    total, square = np.empty((len(x), x.shape[2])), np.empty((len(x), x.shape[2]))
    loops.sums_of_columns(x.numpy(), total, square)
    return torch.from_numpy(total), torch.from_numpy(square)


def add_relu(
    fields: tuple[np.ndarray, ...], z: Tensor, axis: int, at_zero: float, hit: np.ndarray, inner: int
) -> None:
    """Add a batch of ReLU's pre-activations to running fields, in place; needs :func:`compiled`.

    A NaN makes all fields of its unit but the count NaN for good. The sums do not depend on the number of threads.

    Args:
        fields: (units,) each: smallest and largest pre-activation, largest activation, largest derivative, sum of activations, count of
            positive pre-activations, sum of pre-activations. The sums and the count are float64.
        z: pre-activations on a CPU, the units on ``axis``, examples and positions on all others; float32 or float64.
        axis: axis of the units.
        at_zero: the derivative at exactly 0.
        hit: (examples, units) uint8, set to 1 where an example has a positive pre-activation.
        inner: how many positions after one another are of one example, with the units' axis left out.
    """
    loops = compiled()
    assert loops is not None
    axis %= z.dim()
    units, behind = z.shape[axis], z.shape[axis + 1 :].numel()
    # Units side by side, as after a linear layer or in "channels last", are reduced row by row; so are examples behind the units.
    rows = z if axis == z.dim() - 1 else z.movedim(axis, -1)
    if rows.is_contiguous() or inner % behind:
        scan = partial(loops.scan_columns, rows.reshape(-1, units).numpy(), at_zero)
        rest = (hit, inner)
    else:
        blocks = z.reshape(z.shape[:axis].numel(), units, behind)
        scan = partial(loops.scan_blocks, blocks.contiguous().numpy(), at_zero)
        rest = (hit, inner // behind)
    _in_threads(scan, units, z.numel(), (*fields, *rest))


def _in_threads(scan: Callable[..., None], units: int, numbers: int, fields: tuple[Any, ...]) -> None:
    """Give each thread units of its own, so that none waits for another and sums do not depend on their number."""
    threads = max(1, min(torch.get_num_threads(), units, numbers // WORTH_A_THREAD))
    if threads == 1:
        scan(0, units, *fields)
        return
    bounds = pairwise(units * thread // threads for thread in range(threads + 1))
    with ThreadPoolExecutor(threads) as pool:
        for share in [pool.submit(scan, *bound, *fields) for bound in bounds]:
            share.result()
