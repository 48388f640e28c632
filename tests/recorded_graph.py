"""What a CUDA graph does, on any device: operators are recorded once, and replayed on the same tensors."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS = (torch.ops.aten._local_scalar_dense, torch.ops.aten.equal, torch.ops.aten.nonzero)
"""Operators whose result the CPU would wait for."""


class RecordedGraph(TorchDispatchMode):
    """Records the operators that run within its block; :meth:`replay` runs them again, and puts results where they were.

    Python is not run again, as with a CUDA graph: a number that Python computed stays what it was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any]] = []

    def __torch_dispatch__(
        self, operation: Any, _: object, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        assert operation.overloadpacket not in READS, f"{operation} waits for the device"
        result = operation(*args, **(kwargs or {}))
        self.calls.append((operation, args, kwargs or {}, result))
        return result

    def replay(self) -> None:
        for operation, args, kwargs, earlier in self.calls:
            result = operation(*args, **kwargs)
            for place, new in zip(tree_leaves(earlier), tree_leaves(result), strict=True):
                # Views, and what is changed in place, are where they were.
                if isinstance(new, Tensor) and new.numel() and new.data_ptr() != place.data_ptr():
                    place.copy_(new)
