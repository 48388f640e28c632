"""The tensors in what a model returns, however it wraps them."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from torch import Tensor

TAKEN_WHOLE = (str, bytes, int, float, complex, bool, type(None), type)


def tensors_of(output: Any) -> list[Tensor]:
    """The tensors of an output, in their order.

    Args:
        output: a tensor, or mappings, lists, named tuples, data classes and other objects that hold tensors, however deep.

    >>> from types import SimpleNamespace
    >>> import torch
    >>> len(tensors_of({"a": (torch.ones(1), [torch.ones(2)]), "b": SimpleNamespace(c=torch.ones(3))}))
    3
    """
    return list(_found(output, set()))


def _found(output: Any, seen: set[int]) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
        return
    if isinstance(output, TAKEN_WHOLE) or callable(output) or id(output) in seen:
        return
    seen.add(id(output))
    if isinstance(output, Mapping):
        parts = list(output.values())
    elif isinstance(output, tuple | list | Set):
        parts = list(output)
    else:
        names = [name for one in type(output).__mro__ for name in getattr(one, "__slots__", ())]
        parts = [*vars(output).values()] if hasattr(output, "__dict__") else []
        parts += [getattr(output, name) for name in names if name != "__dict__" and hasattr(output, name)]
    for part in parts:
        yield from _found(part, seen)
