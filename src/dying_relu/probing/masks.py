"""Positions that count: a mask of a batch, such as that of its padding, and what of a layer's pre-activations it leaves."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from dying_relu.errors import DyingReluError
from dying_relu.probing.statistics import ActiveExamples

Mask = str | Callable[[Any], Tensor]


def positions_that_count(mask: Mask | None, batch: Any, number: int) -> Tensor | None:
    """The mask of a batch.

    Args:
        mask: the key under which it lies in the batch, or a function of the batch; None if all positions count.
        batch: on the model's device.
        number: of the batch, for a message.

    Returns:
        (examples, ...) bool; None if all positions count.

    Raises:
        DyingReluError: the batch has no such key, or what lies there is no tensor.
    """
    if mask is None:
        return None
    found = mask(batch) if callable(mask) else _under(mask, batch)
    if not isinstance(found, Tensor) or not found.dim():
        raise DyingReluError(
            f"the mask of batch {number}",
            found=type(found).__name__,
            expected="a tensor, (examples, ...), true where a position counts",
            remedy="mask= is the key of a batch that is a dict, or a function of the batch",
        )
    return found.bool()


def _under(key: str, batch: Any) -> Any:
    parts = batch if isinstance(batch, tuple | list) else [batch]
    for part in (batch, *parts):
        if isinstance(part, Mapping) and key in part:
            return part[key]
        if not isinstance(part, Tensor | Mapping) and hasattr(part, key):
            return getattr(part, key)
    return None


def rows_that_count(z: Tensor, axis: int, mask: Tensor) -> tuple[Tensor, Tensor] | None:
    """Those pre-activations that count.

    Args:
        z: pre-activations of any shape, the units on ``axis``, a position for each entry of the mask.
        axis: of the units, counted from the front.
        mask: (examples, ...) bool.

    Returns:
        (rows, units), and the example of each row; None if the mask does not fit.
    """
    others = z.movedim(axis, -1)
    if others.shape[:-1][: mask.dim()] == mask.shape:
        kept = others[mask]
    elif others.dim() == 2 and len(others) == mask.numel():
        kept = others[mask.flatten()]
    else:
        return None
    examples = mask.nonzero()[:, 0]
    positions = kept.shape[1:-1].numel()
    return kept.reshape(-1, kept.shape[-1]), examples.repeat_interleave(positions)


def awake(active: Tensor, examples: Tensor, number: int) -> ActiveExamples:
    """The examples that have woken each unit.

    Args:
        active: (rows, units) bool.
        examples: (rows,), the example of each.
        number: of examples.
    """
    counts = torch.zeros(number, active.shape[1], dtype=torch.int32, device=active.device)
    counts.index_add_(0, examples, active.int())
    return ActiveExamples((counts > 0).to("cpu", torch.uint8), 1)
