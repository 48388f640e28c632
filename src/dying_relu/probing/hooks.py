"""Sees every call of an activation while a model runs, without editing the model.

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
from dying_relu.probing import statistics as scanning
from dying_relu.probing.activations import (
    CLAMPED,
    Names,
    activation,
    is_activation,
    is_self_made,
    place_of_function,
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
    """

    name: str
    kind: str
    axis: int
    axes: int
    statistics: UnitStatistics
    weight_norm: Tensor | None = None
    bias: Tensor | None = None
    gradients: Tensor | None = None

    @property
    def units(self) -> int:
        """How many there are."""
        return len(self.statistics.pre_activation_max)


@dataclass
class Watcher(TorchFunctionMode):
    """Collects the statistics of every activation called in its ``with`` block.

    Args:
        model: in the block of ``hooked()`` its modules have hooks, which are removed at the end, whatever happens.
        unit_axis: axis of the units, for all layers or by name; by default decided by what computed the pre-activations.
        gradients: whether to record the gradients that reach the units when somebody computes them.

    Attributes:
        layers: by name.
        entered: the paths of the modules that were called.
        calls: place in the model -> how many activations a batch has called there, at most.
    """

    model: nn.Module
    unit_axis: UnitAxis = None
    gradients: bool = False
    layers: dict[str, Layer] = field(default_factory=dict)
    entered: set[str] = field(default_factory=set)
    calls: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self.start_batch()

    def start_batch(self) -> None:
        """Calls are counted from one again."""
        self.path: list[tuple[str, nn.Module]] = []
        self.names = Names()
        self.origins = Origins()
        self.inside: nn.Module | None = None
        """The activation, made of functions, whose units are already seen."""

    def end_batch(self) -> None:
        """All calls of a batch are counted."""
        for place, number in self.names.calls.items():
            self.calls[place] = max(number, self.calls.get(place, 0))

    def hooked(self) -> AbstractContextManager[None]:
        """Within the block the model's modules say when they are entered and left."""
        return _hooked(self)

    def enter(self, path: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """A module is called."""
        self.path.append((path, module))
        self.entered.add(path)
        if self.inside is None and is_self_made(module) and len(inputs) == 1:
            with torch._C.DisableTorchFunction():
                self._see_module(path, module, inputs[0])

    def leave(self, module: nn.Module) -> None:
        """Its call is over."""
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
            return result
        z = arguments[0] if arguments else options["input"]
        origin = self.origins.of(z)
        at_zero = (1.0 if function in CLAMPED else 0.0) if kind == "relu" else None
        # Before the call, which may overwrite the pre-activations.
        self._see(self._place(kind), kind, z, _on_first(function, arguments, options), at_zero)
        result = function(*arguments, **options)
        self.origins.set(result, None if origin is None else origin.bare)
        return result

    def _place(self, kind: str) -> str:
        path, module = self.path[-1] if self.path else ("", self.model)
        return (path or type(module).__name__) if is_activation(module) else place_of_function(path, kind)

    def _see_module(self, path: str, module: nn.Module, z: Any) -> None:
        """A module that is an activation made of functions: it is seen as a whole, if it keeps the shape of what it gets."""
        if not isinstance(z, Tensor) or not z.is_floating_point():
            return
        with torch.no_grad():
            output = module.forward(z.clone())
        if not isinstance(output, Tensor) or output.shape != z.shape:
            return
        self.inside = module
        kind = type(module).__name__
        self._see(path or kind, kind, z, module.forward, None)

    def _see(
        self,
        place: str,
        kind: str,
        z: Tensor,
        function: Callable[[Tensor], Tensor],
        at_zero: float | None,
    ) -> None:
        """Take the statistics of a call; ``at_zero`` is the derivative there of a ReLU, and None for any other function."""
        # Counted even if it has no units, as in the model's graph.
        name = self.names.next(place)
        if not z.is_floating_point() or z.dim() == 0 or z.numel() == 0:
            return
        origin = self.origins.of(z)
        axis = self._axis(name, z, origin)
        units = z.shape[axis]
        seen = self.layers.get(name)
        if seen is not None and units != seen.units:
            raise DyingReluError(
                f"layer {name} has not as many units in every batch",
                found=f"{units} after {seen.units}",
                remedy="say which axis is the units' with unit_axis=",
            )
        before = None if seen is None else seen.statistics
        found = (
            scanning.elementwise_statistics(z, axis, function, before)
            if at_zero is None
            else scanning.relu_statistics(z, axis, at_zero, before)
        )
        if seen is None:
            fed = origin if origin is not None and origin.axis % z.dim() == axis % z.dim() else Origin(axis)
            norm, bias = _norm_of(fed.weight, units), _bias_of(fed.bias, units)
            self.layers[name] = seen = Layer(name, kind, axis, z.dim(), found, norm, bias)
        else:
            seen.statistics = found
        if self.gradients and z.requires_grad:
            z.register_hook(lambda gradient: _add_gradient(seen, gradient))

    def _axis(self, name: str, z: Tensor, origin: Origin | None) -> int:
        said = self.unit_axis.get(name) if isinstance(self.unit_axis, dict) else self.unit_axis
        axis = said
        if axis is None:
            guess = self.origins.latest if self.origins.latest is not None else (1 if z.dim() > 3 else -1)
            axis = guess if origin is None else origin.axis
            axis = axis if -z.dim() <= axis < z.dim() else -1
        if not -z.dim() <= axis < z.dim():
            raise DyingReluError(
                f"unit_axis of layer {name}",
                found=str(said),
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
def _hooked(watcher: Watcher) -> Iterator[None]:
    with ExitStack() as stack:
        for path, module in watcher.model.named_modules():
            if _calls_no_activation(module):
                continue
            enter = module.register_forward_pre_hook(
                lambda module, inputs, path=path: watcher.enter(path, module, inputs), prepend=True
            )
            stack.callback(enter.remove)
            leave = module.register_forward_hook(lambda module, *_: watcher.leave(module))
            stack.callback(leave.remove)
        # The fused path of nn.TransformerEncoder calls no activation that could be seen.
        stack.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)
        yield


def _calls_no_activation(module: nn.Module) -> bool:
    """Whether all activations inside stand in submodules, whose hooks are enough: a hook costs as much as a small layer."""
    return type(module).__module__ in WITHOUT_ACTIVATIONS


def _norm_of(weight: Any, units: int) -> Tensor | None:
    """Of each unit's weights, if there is a row for each."""
    if not isinstance(weight, Tensor) or weight.dim() == 0 or len(weight) != units:
        return None
    return scanning.at_least_float32(weight).reshape(units, -1).norm(dim=1)


def _bias_of(bias: Any, units: int) -> Tensor | None:
    """A copy, since training goes on with the bias itself."""
    return bias.detach().clone() if isinstance(bias, Tensor) and bias.shape == (units,) else None


def _add_gradient(layer: Layer, gradient: Tensor) -> None:
    found = scanning.by_unit(gradient.detach().float(), layer.axis)
    sums = torch.stack([found.abs().sum(0), found.square().sum(0)])
    layer.gradients = sums if layer.gradients is None else layer.gradients + sums
