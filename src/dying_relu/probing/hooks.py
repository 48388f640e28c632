"""Hooks that record every call of an activation while a model runs, without editing the model.

A TorchFunctionMode catches the calls, which modules such as ``nn.ReLU`` make too; hooks on the modules say where in the model
each one stands.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dying_relu.errors import DyingReluError
from dying_relu.probing.activations import (
    CLAMPED,
    CallNames,
    activation,
    clamp_derivative_at_zero,
    is_activation,
    is_custom_activation,
    place_of_function,
)
from dying_relu.probing.layer_inputs import InputRecords, LayerInputs
from dying_relu.probing.statistics import (
    at_least_float32,
    by_unit,
    elementwise_statistics,
    relu_statistics,
)
from dying_relu.probing.unit_axes import Origin, Origins
from dying_relu.units.definitions import UnitStatistics

WITHOUT_ACTIVATIONS = frozenset(
    f"torch.nn.modules.{name}"
    for name in (
        "linear",
        "conv",
        "batchnorm",
        "normalization",
        "pooling",
        "dropout",
        "flatten",
        "sparse",
        "container",
    )
)
"""Where PyTorch's own classes stand whose ``forward`` calls no activation; what is derived from them stands elsewhere."""

UnitAxis = int | dict[str, int] | None


@dataclass
class Layer:
    """One place in the model where an activation is called.

    Attributes:
        name: path of the activation's module; for a function path of the module that calls it, ":" and the function; from the second
            call on with "#2", "#3", ...
        kind: the activation.
        axis: axis of the units, counted from the end if the model has decided it.
        axes: how many axes the pre-activations have.
        statistics: of all batches so far.
        weight_norm, bias: per unit, of the layer whose output the pre-activations are, as they were when the model was probed; None if
            they are more than that, or if the layer has no such entries.
        gradients: per unit, sums of the absolute and of the squared gradients of the losses at the pre-activations, (2, U); None if no
            gradient was asked for.
        inputs: of the layer whose output the pre-activations are; None if they were not seen.
        computed: whether the pre-activations are the output of that layer and nothing else, so that their means are its effective
            biases.
    """

    name: str
    kind: str
    axis: int
    axes: int
    statistics: UnitStatistics
    weight_norm: Tensor | None = None
    bias: Tensor | None = None
    gradients: Tensor | None = None
    inputs: LayerInputs | None = None
    computed: bool = False

    @property
    def units(self) -> int:
        """The number of units of the layer."""
        return len(self.statistics.pre_activation_max)


@dataclass
class ActivationHooks(TorchFunctionMode):
    """Collects the statistics of every activation called in its ``with`` block.

    Args:
        model: its modules have hooks in the block of :meth:`registered`; they are removed at the end, whatever happens.
        unit_axis: axis of the units, for all layers or by name; by default decided by what computed the pre-activations.
        gradients: whether to record the gradients that reach the units when somebody computes them.

    Attributes:
        layers: by name.
        called_modules: the paths of the modules that were called.
        calls: place in the model -> how many activations a batch has called there, at most.
    """

    model: nn.Module
    unit_axis: UnitAxis = None
    gradients: bool = False
    layers: dict[str, Layer] = field(default_factory=dict)
    called_modules: set[str] = field(default_factory=set)
    calls: dict[str, int] = field(default_factory=dict)
    inputs: InputRecords = field(default_factory=InputRecords)

    def __post_init__(self) -> None:
        super().__init__()
        self.start_batch()

    def start_batch(self) -> None:
        """Begin a batch: calls are counted from one again."""
        self.path: list[tuple[str, nn.Module]] = []
        self.names = CallNames()
        self.origins = Origins()
        self.inside: nn.Module | None = None
        """The activation, made of functions, whose units are already seen."""

    def end_batch(self) -> None:
        """End a batch, all calls of which are counted."""
        for place, number in self.names.calls.items():
            self.calls[place] = max(number, self.calls.get(place, 0))

    def registered(self) -> AbstractContextManager[None]:
        """Within the block the model's modules say when they are entered and left."""
        return _registered(self)

    def enter(self, path: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Note that a module is called.

        Args:
            path: of the module in the model.
            module: the module.
            inputs: its positional arguments.
        """
        self.path.append((path, module))
        self.called_modules.add(path)
        if self.inside is None and is_custom_activation(module) and len(inputs) == 1:
            with torch._C.DisableTorchFunction():
                self._record_module(path, module, inputs[0])

    def leave(self, module: nn.Module, output: Any = None) -> None:
        """Note that the call of ``module`` is over, and gave ``output``."""
        self.path.pop()
        if self.inside is module:
            self.inside = None

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        options = options or {}
        kind = None if self.inside is not None else activation(function, arguments, options)
        if kind is None:
            result = function(*arguments, **options)
            self.origins.note(function, arguments, options, result)
            self.inputs.note(function, arguments, options, result)
            return result
        z = arguments[0] if arguments else options["input"]
        origin = self.origins.of(z)
        at_zero = (clamp_derivative_at_zero() if function in CLAMPED else 0.0) if kind == "relu" else None
        # Before the call, which may overwrite the pre-activations.
        self._record(self._place(kind), kind, z, _on_first(function, arguments, options), at_zero)
        result = function(*arguments, **options)
        self.origins.set(result, None if origin is None else origin.bare)
        return result

    def _place(self, kind: str) -> str:
        path, module = self.path[-1] if self.path else ("", self.model)
        return (path or type(module).__name__) if is_activation(module) else place_of_function(path, kind)

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
        self._record(path or kind, kind, z, module.forward, None)

    def _record(
        self,
        place: str,
        kind: str,
        z: Tensor,
        function: Callable[[Tensor], Tensor],
        at_zero: float | None,
    ) -> None:
        """Add a call to its layer's statistics; ``at_zero`` is the derivative there of a ReLU, and None for any other function."""
        # Counted even if it has no units, as in the model's graph.
        name = self.names.next(place)
        if not z.is_floating_point() or z.dim() == 0 or z.numel() == 0:
            return
        origin = self.origins.of(z)
        axis = self._axis(name, z, origin)
        units = z.shape[axis]
        layer = self.layers.get(name)
        if layer is not None and units != layer.units:
            raise DyingReluError(
                f"layer {name} has not as many units in every batch",
                found=f"{units} after {layer.units}",
                remedy="say which axis is the units' with unit_axis=",
            )
        before = None if layer is None else layer.statistics
        statistics = (
            elementwise_statistics(z, axis, function, before)
            if at_zero is None
            else relu_statistics(z, axis, at_zero, before)
        )
        if layer is None:
            source = (
                origin if origin is not None and origin.axis % z.dim() == axis % z.dim() else Origin(axis)
            )
            norm, bias = _weight_norm(source.weight, units), _bias(source.bias, units)
            self.layers[name] = layer = Layer(name, kind, axis, z.dim(), statistics, norm, bias)
            layer.computed = self.inputs.computed(z, source.weight)
        else:
            layer.statistics = statistics
        layer.inputs = self.inputs.of(None if origin is None else origin.weight) or layer.inputs
        if self.gradients and z.requires_grad:
            z.register_hook(lambda gradient: _add_gradient(layer, gradient))

    def _axis(self, name: str, z: Tensor, origin: Origin | None) -> int:
        given = self.unit_axis.get(name) if isinstance(self.unit_axis, dict) else self.unit_axis
        axis = given
        if axis is None:
            guess = self.origins.latest if self.origins.latest is not None else (1 if z.dim() > 3 else -1)
            axis = guess if origin is None else origin.axis
            axis = axis if -z.dim() <= axis < z.dim() else -1
        if not -z.dim() <= axis < z.dim():
            raise DyingReluError(
                f"unit_axis of layer {name}",
                found=str(given),
                expected=f"an axis of a tensor with {z.dim()} of them",
            )
        return axis


def _on_first(
    function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
) -> Callable[[Tensor], Tensor]:
    """The function of its first argument alone, the others as they are."""
    rest, others = arguments[1:], {key: value for key, value in options.items() if key != "input"}
    return lambda inputs: function(inputs, *rest, **others)


@contextmanager
def _registered(hooks: ActivationHooks) -> Iterator[None]:
    with ExitStack() as stack:
        for path, module in hooks.model.named_modules():
            if _calls_no_activation(module):
                continue
            enter = module.register_forward_pre_hook(
                lambda module, inputs, path=path: hooks.enter(path, module, inputs), prepend=True
            )
            stack.callback(enter.remove)
            leave = module.register_forward_hook(lambda module, _, output: hooks.leave(module, output))
            stack.callback(leave.remove)
        # The fused path of nn.TransformerEncoder calls no activation that could be seen.
        stack.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)
        yield


def _calls_no_activation(module: nn.Module) -> bool:
    """Tell whether all activations inside stand in submodules, whose hooks are enough: a hook costs as much as a small layer."""
    return type(module).__module__ in WITHOUT_ACTIVATIONS


def _weight_norm(weight: Any, units: int) -> Tensor | None:
    """Norm of each unit's weights, (units,), if there is a row for each."""
    if not isinstance(weight, Tensor) or weight.dim() == 0 or len(weight) != units:
        return None
    return at_least_float32(weight).reshape(units, -1).norm(dim=1)


def _bias(bias: Any, units: int) -> Tensor | None:
    """Copy of the bias, (units,), since training goes on with the bias itself."""
    return bias.detach().clone() if isinstance(bias, Tensor) and bias.shape == (units,) else None


def _add_gradient(layer: Layer, gradient: Tensor) -> None:
    gradients = by_unit(gradient.detach().float(), layer.axis)
    sums = torch.stack([gradients.abs().sum(0), gradients.square().sum(0)])
    layer.gradients = sums if layer.gradients is None else layer.gradients + sums
