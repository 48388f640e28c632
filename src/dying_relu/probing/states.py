"""The state that a model keeps between calls: buffers, hidden states, queues, counters; kept as it was, and copied."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dying_relu.probing.outputs import tensors_of

Restore = Callable[[], None]

OF_MODULES = frozenset(vars(nn.Module()))
"""What every module has of PyTorch's own: its parameters, buffers, submodules and hooks."""
COUNTERS = (bool, int, float, complex, str, bytes, type(None))


@contextmanager
def preserved_state(model: nn.Module) -> Iterator[None]:
    """Restore, after the block, what calls of the model change in it, in evaluation mode too.

    Restored are the values of buffers and parameters, and what modules hold as attributes: tensors, numbers, lists, dicts, deques and
    generators of random numbers. Parameters are copied only where an operation is about to overwrite them.

    Args:
        model: any module.

    >>> norm = nn.BatchNorm1d(2)
    >>> with preserved_state(norm):
    ...     _ = norm(torch.randn(4, 2))
    >>> int(norm.num_batches_tracked)
    0
    """
    restores = [restore for module in model.modules() for restore in _of_module(module)]
    parameters = _KeptParameters(model)
    try:
        with parameters:
            yield
    finally:
        restores += parameters.restores
        with torch.no_grad():
            for restore in restores:
                restore()


def state_tensors(model: nn.Module) -> list[Tensor]:
    """The tensors that the modules of a model hold, but for parameters.

    Args:
        model: any module.

    Returns:
        Its buffers, and the tensors in its attributes, however deep.
    """
    held = [
        [
            *module._buffers.values(),
            *(value for name, value in vars(module).items() if name not in OF_MODULES),
        ]
        for module in model.modules()
    ]
    return tensors_of([one for of_module in held for one in of_module if _holds_state(one)])


def _holds_state(value: Any) -> bool:
    return isinstance(value, Tensor | dict | list | tuple | deque | set) or _is_plain_object(value)


def _of_module(module: nn.Module) -> Iterator[Restore]:
    buffers = {name: tensor for name, tensor in module._buffers.items() if tensor is not None}
    yield _dict_restore(module._buffers, {})
    for tensor in buffers.values():
        yield _tensor_restore(tensor)
    for parameter in module._parameters.values():
        if parameter is not None:
            yield _parameter_restore(parameter)
    names = [name for name in vars(module) if name not in OF_MODULES]
    values = {name: vars(module)[name] for name in names}
    inner: dict[int, Any] = {}
    restores = [restore for value in values.values() for restore in _of_value(value, inner)]
    yield from restores
    yield lambda: _set_attributes(module, values)


def _set_attributes(module: nn.Module, values: dict[str, Any]) -> None:
    own = vars(module)
    for name in [name for name in own if name not in OF_MODULES and name not in values]:
        del own[name]
    own.update(values)


def _of_value(value: Any, seen: dict[int, Any]) -> Iterator[Restore]:
    """Restores of what a value holds: whoever holds the value restores that it does."""
    if isinstance(value, COUNTERS) or id(value) in seen:
        return
    seen[id(value)] = value
    if isinstance(value, Tensor):
        yield _tensor_restore(value)
    elif isinstance(value, torch.Generator):
        state = value.get_state()
        yield partial(_set_generator, value, state)
    elif isinstance(value, np.random.Generator):
        numpy_state = deepcopy(value.bit_generator.state)
        yield lambda: setattr(value.bit_generator, "state", numpy_state)
    elif isinstance(value, random.Random):
        yield partial(value.setstate, value.getstate())
    elif isinstance(value, np.random.RandomState):
        yield partial(value.set_state, value.get_state())
    elif isinstance(value, np.ndarray):
        array = value.copy()
        yield lambda: np.copyto(value, array)
    elif isinstance(value, dict):
        yield _dict_restore(value, seen)
        yield from (restore for part in list(value.values()) for restore in _of_value(part, seen))
    elif isinstance(value, list | deque | set):
        yield _sequence_restore(value)
        yield from (restore for part in list(value) for restore in _of_value(part, seen))
    elif isinstance(value, tuple):
        yield from (restore for part in value for restore in _of_value(part, seen))
    elif _is_plain_object(value):
        yield _dict_restore(vars(value), seen)
        yield from (restore for part in list(vars(value).values()) for restore in _of_value(part, seen))


def _set_generator(generator: torch.Generator, state: Tensor) -> None:
    generator.set_state(state)


def _is_plain_object(value: Any) -> bool:
    """Tell whether a value is one of the user's own objects, which may hold a state."""
    foreign = (
        "torch",
        "numpy",
        "builtins",
        "lightning",
        "pytorch_lightning",
        "transformers",
        "functools",
        "abc",
        "types",
        "logging",
    )
    own = type(value).__module__.partition(".")[0] not in foreign or type(value).__name__ == "SimpleNamespace"
    return (
        own and hasattr(value, "__dict__") and not isinstance(value, nn.Module | type) and not callable(value)
    )


def _dict_restore(value: dict, _: Any) -> Restore:
    copy = dict(value)

    def restore() -> None:
        value.clear()
        value.update(copy)

    return restore


def _sequence_restore(value: Any) -> Restore:
    copy = list(value)

    def restore() -> None:
        value.clear()
        (value.update if isinstance(value, set) else value.extend)(copy)

    return restore


def _tensor_restore(tensor: Tensor) -> Restore:
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_quantized:
        return lambda: None  # nothing writes into those in place
    data, values = tensor.detach(), tensor.detach().clone()

    def restore() -> None:
        _reset(tensor, data)
        if not _equal(tensor, values):
            tensor.detach().copy_(values)

    return restore


def _parameter_restore(tensor: Tensor) -> Restore:
    data = tensor.detach()
    return lambda: _reset(tensor, data)


def overwritten(function: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> list[Tensor]:
    """The tensors that a call of an operator is about to overwrite.

    Args:
        function: the operator, as a TorchDispatchMode gets it.
        arguments: by position.
        options: by name.
    """
    schema = function._schema
    if not schema.is_mutable:
        return []
    by_name = {one.name: value for one, value in zip(schema.arguments, arguments, strict=False)} | options
    written = [one.name for one in schema.arguments if one.alias_info and one.alias_info.is_write]
    leaves = [leaf for name in written for leaf in tree_leaves(by_name.get(name))]
    return [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.layout == torch.strided]


def storage_of(tensor: Tensor) -> int:
    """The identity of the memory that a tensor looks at.

    Args:
        tensor: of any shape and layout.
    """
    return tensor.untyped_storage()._cdata if tensor.layout == torch.strided else id(tensor)


class _KeptParameters(TorchDispatchMode):
    """Copies a parameter before it is overwritten, which saves the copies of all others."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.restores: list[Restore] = []
        self._waiting = {storage_of(one): one for one in model.parameters()}

    def __torch_dispatch__(
        self,
        function: Any,
        types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        for tensor in overwritten(function, arguments, options or {}):
            parameter = self._waiting.pop(storage_of(tensor), None)
            if parameter is not None:
                self.restores.append(_tensor_restore(parameter))
        return function(*arguments, **(options or {}))


def _reset(tensor: Tensor, data: Tensor) -> None:
    """Make a tensor look at its old numbers again, if somebody has set ``tensor.data``."""
    if tensor.layout == torch.strided and not tensor.is_meta and data.data_ptr() != tensor.data_ptr():
        tensor.data = data


def _equal(tensor: Tensor, values: Tensor) -> bool:
    same = tensor.shape == values.shape and tensor.dtype == values.dtype
    # NaN equals itself here: it is a value that stayed.
    return same and bool(((tensor == values) | ((tensor != tensor) & (values != values))).all())


def copied(model: nn.Module) -> nn.Module:
    """A copy of a model, with its state.

    Args:
        model: it may hold tensors with a history of gradients, as hidden states do, which ``deepcopy`` refuses.

    Returns:
        A copy; such tensors have no history there.
    """
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            _copy_histories(value, memo, 0)
    return deepcopy(model, memo)


def _copy_histories(value: Any, memo: dict[int, Any], depth: int) -> None:
    if isinstance(value, Tensor) and value.grad_fn is not None:
        memo[id(value)] = value.detach().clone()
    elif isinstance(value, torch.Generator):
        memo[id(value)] = value.clone_state()
    elif depth < 3 and isinstance(value, dict | list | tuple | deque):
        for part in value.values() if isinstance(value, dict) else value:
            _copy_histories(part, memo, depth + 1)
