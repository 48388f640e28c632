"""The recording of a forward pass as a graph of operations, seen below autograd, where nothing is hidden.

A TorchDispatchMode sees every operation on tensors, whoever asks for it: a module, a function, a custom autograd function, a scripted
one. The names of the activations are those of the probe, whose hooks run at the same time.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from dying_relu.probing.activation_call import ActivationCall
from dying_relu.probing.batches import evaluation_mode
from dying_relu.probing.calling import ModelCall
from dying_relu.probing.forward_pass import ForwardPass, uncompiled
from dying_relu.probing.graph import Graph, GraphCall, Operation, Parameter, Value
from dying_relu.probing.hooks import ActivationHooks
from dying_relu.probing.layers import Layer
from dying_relu.probing.outputs import tensors_of
from dying_relu.probing.recorder import Recorder
from dying_relu.probing.states import overwritten, state_tensors, storage_of


def record(
    model: nn.Module,
    call: Callable[[ForwardPass], Any],
    recorder: Recorder,
    way: ModelCall | None,
    activations: Sequence[str] = (),
) -> Graph:
    """Record one forward pass, in evaluation mode and without gradients.

    Args:
        model: the module that is called.
        call: calls it under the hooks of the pass that it is given, and returns the output.
        recorder: of the calls of activations; one for all batches gives them the names that the probe gives.
        way: (model, batch) -> output, if the caller of the probe has said so.
        activations: names of modules and functions whose outputs are activations.
    """
    operations = _Operations(model)
    hooks = _CallsOfActivations(model, recorder, operations, activations)
    with ExitStack() as stack:
        stack.enter_context(evaluation_mode(model))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        stack.enter_context(hooks.registered())
        stack.enter_context(uncompiled())
        stack.enter_context(operations)
        output = call(ForwardPass(model, hooks, way))
        operations.paused = True
        hooks.end_batch()
    kept = [(tensor, "an attribute of the model") for tensor in state_tensors(model)]
    kept += [(tensor, "the output of the model") for tensor in tensors_of(output)]
    values = [(operations.value(tensor), by) for tensor, by in kept]
    for value, by in values:
        value.kept_by = by if value.source is not None else ""
    operations.graph.keep_what_matters(value for value, _ in values)
    return operations.graph


class _Operations(TorchDispatchMode):
    """Notes every operation; a tensor is known for as long as it lives."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.graph = Graph()
        self.paused = False
        self._known: dict[int, tuple[ref[Tensor], Value]] = {}
        self._parameters: dict[int, list[Parameter]] = defaultdict(list)
        owned = (
            Parameter(path, name, tensor)
            for path, module in model.named_modules()
            for name, tensor in [*module._parameters.items(), *module._buffers.items()]
            if tensor is not None
        )
        seen: set[int] = set()
        for parameter in owned:
            if id(parameter.tensor) not in seen:
                seen.add(id(parameter.tensor))
                self._parameters[storage_of(parameter.tensor)].append(parameter)

    def value(self, tensor: Tensor) -> Value:
        """The value that a tensor has now."""
        known = self._known.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else self._set(tensor, None)

    def __torch_dispatch__(
        self,
        function: Any,
        types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        options = options or {}
        if self.paused:
            return function(*arguments, **options)
        taken = tree_map(self._value_of_leaf, (arguments, options))
        written = overwritten(function, arguments, options)
        result = function(*arguments, **options)
        operation = Operation(function, taken[0], taken[1], len(self.graph.operations))
        self.graph.operations.append(operation)
        for value in operation.values:
            value.users.append(operation)
        given = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        operation.results = [self._set(tensor, operation) for tensor in given]
        operation.returned = len(given)
        for tensor in written:
            self._overwrite(tensor, operation, {id(one) for one in given})
        for value in operation.values:
            if value.parameter is not None and not operation.is_view_of(value):
                self.graph.consumers[id(value.parameter.tensor)].append(operation)
        return result

    def _value_of_leaf(self, leaf: Any) -> Any:
        return self.value(leaf) if isinstance(leaf, Tensor) else leaf

    def _set(self, tensor: Tensor, source: Operation | None) -> Value:
        strided = tensor.layout == torch.strided
        value = Value(
            tensor.shape,
            tensor.stride() if strided else (),
            int(tensor.storage_offset()) if strided else 0,
            source,
            self._parameter(tensor),
        )
        key = id(tensor)
        # When the tensor goes, its entry goes, and another may get its id.
        self._known[key] = (ref(tensor, partial(self._forget, key)), value)
        return value

    def _forget(self, key: int, gone: Any) -> None:
        if key in self._known and self._known[key][0] is gone:
            del self._known[key]

    def _parameter(self, tensor: Tensor) -> Parameter | None:
        """The parameter in whose storage a tensor lies."""
        if tensor.layout != torch.strided or not tensor.numel():
            return None
        for parameter in self._parameters.get(storage_of(tensor), ()):
            start = parameter.tensor.storage_offset()
            if start <= tensor.storage_offset() < start + parameter.tensor.numel():
                return parameter
        return None

    def _overwrite(self, tensor: Tensor, operation: Operation, given: set[int]) -> None:
        """A new value for every tensor that looks at the same storage."""
        storage = storage_of(tensor)
        for key, (reference, _) in list(self._known.items()):
            other = reference()
            if other is None or key in given or other.layout != torch.strided or not other.numel():
                continue
            if storage_of(other) == storage:
                operation.results.append(self._set(other, operation))


class _CallsOfActivations(ActivationHooks):
    """Notes which tensors go into each activation and come out of it."""

    def __init__(
        self, model: nn.Module, recorder: Recorder, operations: _Operations, outputs: Sequence[str]
    ) -> None:
        self.operations = operations
        self._before: dict[int, Value] = {}
        super().__init__(model, recorder, outputs)

    def start_batch(self, examples: int | None) -> None:
        self.operations.graph.calls.clear()
        super().start_batch(examples)

    def _of_named(self, module: nn.Module, output: Tensor) -> ActivationCall:
        # Calls the module again.
        paused, self.operations.paused = self.operations.paused, True
        try:
            return super()._of_named(module, output)
        finally:
            self.operations.paused = paused

    def _recorded(self, call: ActivationCall) -> tuple[Layer, str] | None:
        # Before the call, which may overwrite the pre-activations.
        self._before[id(call)] = self.operations.value(call.z)
        paused, self.operations.paused = self.operations.paused, True
        try:
            return super()._recorded(call)
        finally:
            self.operations.paused = paused

    def _follow(self, call: ActivationCall, found: tuple[Layer, str] | None, result: Any) -> None:
        super()._follow(call, found, result)
        if found is not None and isinstance(result, Tensor):
            values = self._before.pop(id(call)), self.operations.value(result)
            self.operations.graph.calls[found[0].name].append(GraphCall(*values))
