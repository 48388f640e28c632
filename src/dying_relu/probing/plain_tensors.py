"""Plain tensors within the transforms of torch.func: what vmap and grad have wrapped is read without them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from dying_relu.probing.tensor_origins import Axes

FUNCTORCH = torch._C._functorch


def is_wrapped(tensor: Any) -> bool:
    """Tell whether a tensor is one of a transform of torch.func.

    Args:
        tensor: anything.
    """
    return isinstance(tensor, Tensor) and FUNCTORCH.is_functorch_wrapped_tensor(tensor)


def level_of_vmap(tensor: Any) -> int | None:
    """The number of the vmap that has taken an axis of a tensor; None if none has.

    Args:
        tensor: anything.
    """
    if not is_wrapped(tensor) or not FUNCTORCH.is_batchedtensor(tensor):
        return None
    return int(FUNCTORCH.maybe_get_level(tensor))


def unwrapped_tensor(z: Tensor, axes: Axes, levels_of_weights: set[int]) -> tuple[Tensor, Axes]:
    """The numbers behind a wrapped tensor.

    Args:
        z: pre-activations, of any shape.
        axes: of the units, counted from the end.
        levels_of_weights: vmaps that go over weights, such as members of an ensemble, which are units of their own then.

    Returns:
        Pre-activations with the axes that vmap had taken in front, and the axes of the units.
    """
    while is_wrapped(z):
        batched = FUNCTORCH.is_batchedtensor(z)
        axis, level = FUNCTORCH.maybe_get_bdim(z), FUNCTORCH.maybe_get_level(z)
        z = FUNCTORCH.get_unwrapped(z)
        if batched:
            z = z.movedim(axis, 0)
            if level in levels_of_weights:
                axes = (-z.dim(), *axes)
    return z, axes


@contextmanager
def outside_transforms() -> Iterator[None]:
    """Within the block, operations are those on plain tensors."""
    if "torch._functorch.pyfunctorch" not in sys.modules:
        yield
        return
    from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

    with temporarily_clear_interpreter_stack():
        yield
