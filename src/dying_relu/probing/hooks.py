"""Hooks that record every call of an activation while a model runs, without editing the model.

A TorchFunctionMode catches the calls, which modules such as ``nn.ReLU`` make too; hooks on the modules say where in the model
each one stands.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from dying_relu.probing.activation_call import ActivationCall
from dying_relu.probing.activations import (
    CLAMPED,
    UnobservedModule,
    activation,
    clamp_derivative_at_zero,
    is_activation,
    is_custom_activation,
    place_of_function,
)
from dying_relu.probing.derivatives import derivative_of_module
from dying_relu.probing.gates import Gates
from dying_relu.probing.layers import Layer
from dying_relu.probing.marks import mark_activation
from dying_relu.probing.module_hooks import registered
from dying_relu.probing.named_outputs import NamedOutputs, function_name
from dying_relu.probing.recorder import Recorder, UnitAxis
from dying_relu.probing.rectified_tensors import looks_rectified
from dying_relu.probing.tensor_origins import Origin, tensors_among
from dying_relu.probing.tracking import Origins
from dying_relu.probing.unit_axes import LAYERS

__all__ = ["ActivationHooks", "Layer", "UnitAxis"]

GATED = "its gate, a sigmoid of half of its input, is part of one function"
FAULTS = (RuntimeError, TypeError, ValueError, LookupError, AttributeError)
"""What may go wrong where a call is followed."""


@dataclass
class ActivationHooks(TorchFunctionMode):
    """Finds every activation called in its ``with`` block, and hands it to the recorder.

    Args:
        model: its modules have hooks in the block of :meth:`registered`; they are removed at the end, whatever happens.
        recorder: gets the calls.
        outputs: names of modules and functions whose output is an activation, see :class:`NamedOutputs`.

    Attributes:
        called_modules: the paths of the modules that were called.
    """

    model: nn.Module
    recorder: Recorder
    outputs: str | Sequence[str] = ()
    called_modules: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        weights = (*self.model.parameters(), *self.model.buffers())
        self.weights = frozenset(map(id, weights))
        self.named = NamedOutputs(self.model, self.outputs)
        self.start_batch(None)

    def start_batch(self, examples: int | None) -> None:
        """Begin a batch: calls are counted from one again.

        Args:
            examples: how many it has; None if that is not known.
        """
        self.recorder.start_batch(examples)
        self.named.start_batch()
        self.path: list[tuple[str, nn.Module]] = []
        self.origins = Origins(self.weights)
        self.gates = Gates(self.origins, self._record_by_hand, examples)
        self.inside: nn.Module | None = None
        """The activation, made of functions, whose units are already seen."""

    def end_batch(self) -> None:
        """End a batch, all calls of which are counted."""
        self.gates.end_batch()
        self.recorder.end_batch()

    def registered(self) -> AbstractContextManager[None]:
        """Within the block the model's modules say when they are entered and left."""
        return registered(self)

    def enter(self, path: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Note that a module is called.

        Args:
            path: of the module in the model.
            module: the module.
            inputs: its positional arguments.
        """
        self.path.append((path, module))
        self.called_modules.add(path)
        if self.inside is not None:
            return
        if path in self.named.modules:
            self.inside = module
            self.inside_call: tuple[ActivationCall, tuple[Layer, str] | None] | None = None
            self.inside_input = inputs[0] if len(inputs) == 1 and isinstance(inputs[0], Tensor) else None
        elif is_custom_activation(module) and len(inputs) == 1:
            with torch._C.DisableTorchFunction():
                self._record_module(path, module, inputs[0])

    def leave(self, module: nn.Module, output: Any) -> None:
        """Note that the call of ``module``, which returns ``output``, is over."""
        self.path.pop()
        if self.inside is not module:
            return
        if self.inside_call is None and isinstance(output, Tensor):
            call = self._of_named(module, output)
            self.inside_call = call, self._recorded(call)
        self.inside = None
        if self.inside_call is not None:
            self._follow(*self.inside_call, output)

    def _of_named(self, module: nn.Module, output: Tensor) -> ActivationCall:
        """The call of a module whose output the caller has named as an activation: of its input, if it is an element-wise function."""
        kind, z, slope = type(module).__name__, self.inside_input, None
        if z is not None:
            with torch._C.DisableTorchFunction():
                slope = derivative_of_module(module, z, output)
        z = output if z is None or slope is None else z
        place, origin = self._path_of(module) or kind, self.origins.of(z)
        return ActivationCall(place, kind, z, origin, torch.relu, activation=output, derivative=slope)

    def _path_of(self, module: nn.Module) -> str:
        return next((path for path, one in self.model.named_modules() if one is module), "")

    def _recorded(self, call: ActivationCall) -> tuple[Layer, str] | None:
        return self.recorder.record(call, self.origins.latest, self.origins.levels_of_weights)

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        options = options or {}
        if function is mark_activation:
            return self._record_output(self._place_of(arguments[1]), arguments[1], arguments[0])
        kind = None if self.inside is not None else activation(function, arguments, options)
        named = self._named_function(function) if self.named.has_functions else None
        if kind is None and named is not None:
            return self._call_named(named, function, arguments, options)
        if kind is None:
            # nn.GLU is listed as a module.
            if function is functional.glu and (place := self._place("glu")) != self._path:
                self.recorder.not_counted.setdefault(place, UnobservedModule("glu", GATED))
            overwritten = self._overwritten(function, arguments, options)
            if function in LAYERS:
                self._look_for_unseen(function, arguments)
            result = function(*arguments, **options)
            self._note(function, arguments, options, result, overwritten)
            return result
        z = arguments[0] if arguments else options["input"]
        alone = _on_first(function, arguments, options)
        if (selection := self.gates.selected(z)) is not None:
            result = alone(z)
            found = self._record_by_hand(
                kind, selection.z, selection.dense(result.detach()), selection.origin
            )
            if found is not None:
                self.gates.count(result)
            return result
        at_zero = (clamp_derivative_at_zero() if function in CLAMPED else 0.0) if kind == "relu" else None
        self.gates.read(z)
        # Before the call, which may overwrite the pre-activations.
        call = ActivationCall(
            self._place(kind), kind, z, self.origins.of(z), alone, (arguments, options), at_zero
        )
        first = at_zero is None and not _in_place(function, arguments, options)
        if first:
            call.computed = function(*arguments, **options)
        found = self._recorded(call)
        result = call.computed if first else function(*arguments, **options)
        self._follow(call, found, result)
        return result

    def _named_function(self, function: Callable[..., Any]) -> str | None:
        """The name of a call whose output the caller has named."""
        name = function_name(function)
        if self.inside is not None or name == "get":
            return None
        return self.named.function(self._path, name)

    def _call_named(
        self, name: str, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Call a function whose output the caller has named as an activation."""
        for tensor in tensors_among((*arguments, *options.values())):
            self.gates.read(tensor)
        result = function(*arguments, **options)
        self.origins.note(function, arguments, options, result)
        output = arguments[0] if function is Tensor.__setitem__ else result
        self._record_output(name, function_name(function), output)
        return result

    def _record_output(self, place: str, kind: str, output: Any) -> Any:
        """Record a tensor that is an activation because the caller says so, and return it."""
        if not isinstance(output, Tensor) or not output.is_floating_point():
            returned = output.dtype if isinstance(output, Tensor) else f"a {type(output).__name__}"
            self.recorder.not_counted.setdefault(
                place,
                UnobservedModule(kind, f"it returns no tensor of floating-point numbers, but {returned}"),
            )
            return output
        call = ActivationCall(place, kind, output, self.origins.of(output), torch.relu, activation=output)
        self._follow(call, self._recorded(call), output)
        return output

    def _overwritten(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Tensor | None:
        try:
            return self.gates.replaces(function, arguments, options)
        except FAULTS:
            return None

    def _note(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        result: Any,
        overwritten: Tensor | None,
    ) -> None:
        """Follow a call; what cannot be followed is said, and is no fault of the model."""
        try:
            self.origins.note(function, arguments, options, result)
            self.recorder.inputs.note(function, arguments, options, result)
            self.gates.note(function, arguments, options, result, overwritten)
        except FAULTS as error:
            name = getattr(function, "__name__", str(function))
            self.recorder.remarks[self._place_of(name)] = (
                f"it could not be followed ({type(error).__name__}: {str(error).partition(chr(10))[0]})"
            )

    def _look_for_unseen(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """List a layer whose input something has rectified that was not seen, such as scripted or compiled code."""
        x = arguments[0] if arguments else None
        weight = arguments[1] if len(arguments) > 1 else None
        if self.inside is not None or not isinstance(x, Tensor) or not self.origins.weight_key(weight):
            return
        origin = self.origins.of(x)
        seen = origin is not None and not any(isinstance(key, int) for key, _ in origin.sources)
        seen = seen or self.gates.follows(x) or self.origins.is_input(x)
        if seen or self.origins.weight_key(x):
            return
        try:
            rectified = looks_rectified(x)
        except FAULTS:
            return
        if rectified:
            self.recorder.not_counted.setdefault(
                self._place_of(getattr(function, "__name__", "layer")),
                UnobservedModule(
                    "rectified", "it reads a tensor that was rectified by something that was not seen"
                ),
            )

    def _record_by_hand(
        self, kind: str, z: Tensor, activation: Tensor, origin: Origin | None
    ) -> tuple[Layer, str] | None:
        """Record an activation that is written by hand, or pre-activations of which a gate has let some through."""
        if self.inside is not None:
            return None
        plain = kind == "relu" and torch.equal(activation, z.relu())
        at_zero, values = (0.0, None) if plain else (None, activation)
        call = ActivationCall(
            self._place_of(kind), kind, z, origin, torch.relu, at_zero=at_zero, activation=values
        )
        found = self._recorded(call)
        self._follow(call, found, activation)
        return found

    def _follow(self, call: ActivationCall, found: tuple[Layer, str] | None, result: Any) -> None:
        """Remember where the output of an activation comes from, and follow it to its gates."""
        if not isinstance(result, Tensor):
            return
        if found is not None:
            layer, name = found
            self.origins.set(result, self.origins.after(layer.name, layer.unit_axes))
            self.gates.add(result, layer, name)
        elif call.origin is not None:
            self.origins.set(result, call.origin.bare)

    def _place(self, kind: str) -> str:
        path, module = self.path[-1] if self.path else ("", self.model)
        return (path or type(module).__name__) if is_activation(module) else place_of_function(path, kind)

    @property
    def _path(self) -> str:
        """The path of the module that runs."""
        return self.path[-1][0] if self.path else ""

    def _place_of(self, function: str) -> str:
        return place_of_function(self._path, function)

    def _record_module(self, path: str, module: nn.Module, z: Any) -> None:
        """Record a module that is an activation made of functions as one activation, if it keeps the shape of its input."""
        if not isinstance(z, Tensor) or not z.is_floating_point():
            return
        with torch.no_grad():
            output = module.forward(z.clone())
        if not isinstance(output, Tensor) or output.shape != z.shape:
            return
        self.inside = module
        kind = type(module).__name__
        call = ActivationCall(path or kind, kind, z, self.origins.of(z), module.forward, ((z,), {}))
        self.inside_call = call, self._recorded(call)


def _in_place(function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Tell whether a call overwrites its pre-activations."""
    flags = (*arguments[1:], options.get("inplace"))
    return getattr(function, "__name__", "").endswith("_") or any(flag is True for flag in flags)


def _on_first(
    function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
) -> Callable[[Tensor], Tensor]:
    """The function of its first argument alone, the others as they are."""
    rest, others = arguments[1:], {key: value for key, value in options.items() if key != "input"}
    return lambda inputs: function(inputs, *rest, **others)
