"""Ways to call a model with a batch: the arguments that it may want of it, the likeliest first."""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from inspect import Parameter, signature
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from dying_relu.errors import DyingReluError

ModelCall = Callable[[nn.Module, Any], Any]
LABELS = ("labels", "label", "targets", "target", "y")
"""Names under which batches keep what a loss compares the output with."""


def is_named_tuple(batch: Any) -> bool:
    """Tell whether a batch is a tuple whose entries have names."""
    return isinstance(batch, tuple) and hasattr(batch, "_fields")


def on_device(batch: Any, device: torch.device | None) -> Any:
    """Move the tensors of a batch to a device; what holds them stays what it is.

    Args:
        batch: a tensor, or mappings, tuples, lists and data classes of them, however deep; what has a method ``to`` is moved by it.
        device: None leaves them where they are.
    """
    if isinstance(batch, Tensor):
        # Autograd refuses a tensor of inference mode, and takes its copy.
        batch = batch.clone() if batch.is_inference() and not torch.is_inference_mode_enabled() else batch
        return batch if device is None or batch.device.type == "meta" else batch.to(device)
    if callable(to := getattr(batch, "to", None)) and not isinstance(batch, type):
        return batch if device is None else to(device)
    if is_named_tuple(batch):
        return type(batch)(*(on_device(part, device) for part in batch))
    if isinstance(batch, Mapping):
        moved = {key: on_device(value, device) for key, value in batch.items()}
        if type(batch) is dict or not isinstance(batch, MutableMapping):
            return moved
        alike = copy.copy(batch)
        alike.update(moved)
        return alike
    if isinstance(batch, tuple | list):
        parts = [on_device(part, device) for part in batch]
        return tuple(parts) if isinstance(batch, tuple) else parts
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        fields = {one.name for one in dataclasses.fields(batch) if one.init}
        return dataclasses.replace(
            batch, **{name: on_device(getattr(batch, name), device) for name in fields}
        )
    return batch


def tensors_in(inputs: Any) -> Iterator[Tensor]:
    """Find the tensors of a batch, however deep they lie.

    Args:
        inputs: a tensor, or what :func:`on_device` moves; anything else is passed over.

    Yields:
        The tensors in their order, each of any shape.
    """
    if isinstance(inputs, Tensor):
        yield inputs
    elif isinstance(inputs, PackedSequence):
        yield inputs.data
    elif isinstance(inputs, Mapping | list | tuple):
        for part in inputs.values() if isinstance(inputs, Mapping) else inputs:
            yield from tensors_in(part)
    elif dataclasses.is_dataclass(inputs) and not isinstance(inputs, type):
        for one in dataclasses.fields(inputs):
            yield from tensors_in(getattr(inputs, one.name))


def examples_in(inputs: Any) -> int | None:
    """Count the examples of a batch: the length of its first tensor; None if that is not known.

    Args:
        inputs: as for :func:`tensors_in`.
    """
    for part in inputs if isinstance(inputs, list | tuple) else [inputs]:
        if isinstance(part, PackedSequence):
            return int(part.batch_sizes[0])
    return next((len(tensor) for tensor in tensors_in(inputs) if tensor.dim()), None)


@dataclasses.dataclass(frozen=True)
class ModelInputs:
    """The arguments that a model is called with.

    Attributes:
        positional: arguments by position.
        named: arguments by name.
        labels: a loss compares the model's output with them; None if the batch has none.
        way: how they were taken out of the batch.
    """

    positional: list[Any]
    named: dict[str, Any]
    labels: Any
    way: str = ""

    def call(self, model: nn.Module) -> Any:
        """Call the model, and return its output."""
        return model(*self.positional, **self.named)

    def __str__(self) -> str:
        """Shapes of the tensors, for a message."""
        positional = [_described(one) for one in self.positional]
        return ", ".join(positional + [f"{name}={_described(one)}" for name, one in self.named.items()])


def _described(one: Any) -> str:
    if isinstance(one, Tensor):
        return str(tuple(one.shape))
    name = type(one).__name__
    return f"{name} of {', '.join(map(str, one))}" if isinstance(one, Mapping) else name


@dataclasses.dataclass(frozen=True)
class _Signature:
    """The arguments of a model's forward: all names, those that it needs, and how many by position."""

    names: frozenset[str]
    required: list[str]
    by_position: int
    most: float
    anything: bool

    @classmethod
    def of(cls, model: nn.Module) -> "_Signature":
        parameters = signature(model.forward).parameters.values()
        by_position = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        named = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        required = [one for one in parameters if one.default is one.empty]
        many = any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
        return cls(
            frozenset(one.name for one in parameters if one.kind in named),
            [one.name for one in required if one.kind in (*by_position, *named)],
            sum(one.kind in by_position for one in required),
            float("inf") if many else sum(one.kind in by_position for one in parameters),
            any(one.kind is Parameter.VAR_KEYWORD for one in parameters),
        )


_signatures: WeakKeyDictionary[nn.Module, _Signature] = WeakKeyDictionary()


def _signature_of(model: nn.Module) -> _Signature:
    """The arguments of a model's forward, looked at once: it takes as long as a small layer."""
    # A forward that was replaced on the model itself may be replaced again.
    if "forward" in vars(model):
        return _Signature.of(model)
    if (known := _signatures.get(model)) is None:
        known = _signatures[model] = _Signature.of(model)
    return known


def ways_to_call(batch: Any, model: nn.Module, number: int) -> list[ModelInputs]:
    """List the arguments that a model may want of a batch, the likeliest first.

    Of a mapping it gets the entries that it has arguments for, or the whole. Of (inputs, labels, ...) it gets the first entry; if it
    needs several arguments it gets that entry's parts, or as many entries of the batch as it needs, and the labels stand behind them.
    A named tuple, a data class and any other object are handed over whole; the first is taken apart only if the model refuses it.

    Args:
        batch: as :func:`on_device` returns it.
        model: is not called.
        number: of the batch, for a message.

    Raises:
        DyingReluError: the batch is an empty tuple.
    """
    wanted = _signature_of(model)
    if isinstance(batch, Mapping):
        ways = _of_mapping(batch, wanted, _labels_of(batch))
    elif isinstance(batch, tuple | list) and not isinstance(batch, PackedSequence):
        if not batch:
            raise DyingReluError(f"batch {number} is an empty tuple", expected="(inputs, labels)")
        named = is_named_tuple(batch)
        ways = _of_fields(batch, wanted) if named else []
        ways += _of_sequence(batch, wanted)
        ways += [] if named else [ModelInputs([batch], {}, None, "whole")]
    else:
        ways = _whole(batch, wanted, _labels_of(batch), "whole")
    return ways


def model_inputs(batch: Any, model: nn.Module, number: int, way: str | None = None) -> ModelInputs:
    """Choose the arguments that a model gets of a batch.

    Args:
        batch: as :func:`on_device` returns it.
        model: is not called.
        number: of the batch, for a message.
        way: how arguments were taken out of a batch with which the model could be called; None chooses the likeliest.

    Raises:
        DyingReluError: the batch is an empty tuple.
    """
    ways = ways_to_call(batch, model, number)
    return next((one for one in ways if one.way == way), ways[0])


def _of_mapping(batch: Mapping[str, Any], wanted: _Signature, labels: Any) -> list[ModelInputs]:
    given = dict(batch) if wanted.anything else {name: batch[name] for name in batch if name in wanted.names}
    by_name = ModelInputs([], given, labels, "by name")
    whole = ModelInputs([batch], {}, labels, "whole")
    complete = given and not any(name not in given for name in wanted.required)
    if complete:
        return [by_name, whole] if len(wanted.required) <= 1 else [by_name]
    return [whole, by_name] if len(wanted.required) <= 1 else [by_name, whole]


def _of_fields(batch: Any, wanted: _Signature) -> list[ModelInputs]:
    """Of a named tuple: its fields by name if the model needs several, else the whole."""
    fields = batch._asdict()
    labels = _labels_of(fields)
    if len(wanted.required) > 1 and set(wanted.required) <= set(fields):
        given = {name: value for name, value in fields.items() if name in wanted.names}
        return [ModelInputs([], given, labels, "by name")]
    return _whole(batch, wanted, labels, "whole")


def _of_sequence(batch: Any, wanted: _Signature) -> list[ModelInputs]:
    first, rest = batch[0], batch[1:]
    labels = rest[0] if len(rest) else None
    needed = wanted.by_position
    if isinstance(first, Mapping):
        return _of_mapping(first, wanted, labels)
    ways = []
    last = batch[-1]
    if len(rest) and isinstance(last, Mapping) and last and set(last) <= wanted.names:
        inputs = list(batch[:-1])
        ways.append(ModelInputs(inputs[: max(1, needed)], dict(last), _labels_of(last), "last by name"))
    if needed > 1 and isinstance(first, list | tuple) and len(first) == needed:
        ways.append(ModelInputs(list(first), {}, labels, "grouped"))
    if is_named_tuple(first) and not isinstance(first, PackedSequence):
        one = _of_fields(first, wanted)[0]
        return [*ways, dataclasses.replace(one, labels=labels, way="fields")]
    inputs = list(batch[:needed] if 1 < needed <= len(batch) else batch[:1])
    behind = batch[len(inputs)] if len(batch) > len(inputs) else None
    if needed <= 1:
        ways += _whole(inputs[0], wanted, behind, "first")
    else:
        ways.append(ModelInputs(inputs, {}, behind, "first ones"))
    if len(inputs) < len(batch) <= wanted.most:
        ways.append(ModelInputs(list(batch), {}, None, "all"))
    return ways


def _whole(batch: Any, wanted: _Signature, labels: Any, way: str) -> list[ModelInputs]:
    """One argument, by name if the model takes none by position."""
    if not wanted.most and wanted.required:
        return [ModelInputs([], {wanted.required[0]: batch}, labels, way)]
    return [ModelInputs([batch], {}, labels, way)]


def _labels_of(batch: Any) -> Any:
    """The labels of a mapping or an object, under one of their usual names."""
    if isinstance(batch, Tensor):
        return None
    for name in LABELS:
        value = batch.get(name) if isinstance(batch, Mapping) else getattr(batch, name, None)
        if value is not None:
            return value
    return None
