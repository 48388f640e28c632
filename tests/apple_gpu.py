"""A device that is like an Apple GPU where that matters: it has no float64, and its tensors do not mix with those of the CPU."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

MPS = torch.device("mps")

TO_PYTHON = (Tensor.tolist, Tensor.item, Tensor.__float__, Tensor.__int__, Tensor.__bool__)


class OnAppleGPU(Tensor):
    """A tensor that says it lives on an Apple GPU; its numbers are in ``inner``, on the CPU."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> "OnAppleGPU":
        if inner.dtype == torch.float64:
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support it"
            )
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            # What PyTorch's inside believes: it would look for drivers of any other.
            device="meta",
        )
        made.inner = inner
        return made

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return MPS

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"OnAppleGPU({self.inner})"

    @classmethod
    def __torch_dispatch__(
        cls, operation: Callable[..., Any], _: object, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return computed(operation, args, kwargs or {})


def computed(operation: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What ``operation`` returns, on the device where its operands are, or where it is asked to put it."""
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    there = [tensor for tensor in tensors if isinstance(tensor, OnAppleGPU)]
    moves = "copy" in str(operation) or "index" in str(operation)
    if there and not moves:
        strangers = [tensor for tensor in tensors if not isinstance(tensor, OnAppleGPU) and tensor.dim()]
        assert not strangers, f"{operation} of tensors on different devices"
    wanted = kwargs.get("device")
    on_gpu = wanted.type in ("mps", "meta") if wanted is not None else bool(there)
    if there and "copy_" in str(operation):
        on_gpu = isinstance(args[0], OnAppleGPU)
    inner_args, inner_kwargs = tree_map_only(OnAppleGPU, lambda tensor: tensor.inner, (args, kwargs))
    if wanted is not None:
        inner_kwargs = inner_kwargs | {"device": torch.device("cpu")}
    result = operation(*inner_args, **inner_kwargs)
    if not on_gpu:
        return result
    # An operation in place returns what it was given.
    known = {id(tensor.inner): tensor for tensor in there}
    return tree_map_only(
        Tensor, lambda tensor: known[id(tensor)] if id(tensor) in known else OnAppleGPU(tensor), result
    )


class _NewTensors(TorchDispatchMode):
    """Makes tensors there that are made of nothing, as by torch.zeros."""

    def __torch_dispatch__(
        self, operation: Callable[..., Any], _: object, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return computed(operation, args, kwargs or {})


class _WithoutTheRealOne(TorchFunctionMode):
    """What would look for a real GPU before it comes to the dispatch."""

    def __torch_function__(
        self, function: Callable[..., Any], _: object, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if function is torch.tensor and torch.device(kwargs.get("device") or "cpu").type == "mps":
            return OnAppleGPU(torch.tensor(*args, **kwargs | {"device": "cpu"}))
        if function is Tensor.to and MPS in (*args, *kwargs.values()):
            return args[0] if isinstance(args[0], OnAppleGPU) else OnAppleGPU(args[0].clone())
        if function in TO_PYTHON and isinstance(args[0], OnAppleGPU):
            return function(args[0].inner)
        return function(*args, **kwargs)


@contextmanager
def apple_gpu() -> Iterator[torch.device]:
    """Within the block there is such a device."""
    with _WithoutTheRealOne(), _NewTensors():
        yield MPS
