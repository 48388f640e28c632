"""Sees every call of an activation while a model runs, without editing the model.

A TorchFunctionMode catches the calls, which modules such as ``nn.ReLU`` make too; hooks on the modules say where in the model
each one stands.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dying_relu.errors import DyingReluError
from dying_relu.probing import scanning
from dying_relu.probing.functions import CLAMPED, UNITS_AXIS_1, UNITS_LAST, activation
from dying_relu.units import UnitStatistics

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
        axis: axis of the units.
        axes: how many axes the pre-activations have.
        statistics: of all batches so far.
        weight, bias: of the layer that feeds it, if they have an entry per unit.
        gradients: per unit, sums of the absolute and of the squared gradients of the losses at the pre-activations, (2, U); None if no
            gradient was asked for.
    """

    name: str
    kind: str
    axis: int
    axes: int
    statistics: UnitStatistics
    weight: Tensor | None = None
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
    """

    model: nn.Module
    unit_axis: UnitAxis = None
    gradients: bool = False
    layers: dict[str, Layer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self.start_batch()

    def start_batch(self) -> None:
        """Calls are counted from one again."""
        self.path: list[tuple[str, nn.Module]] = []
        self.calls: Counter[str] = Counter()
        self.last_axis: int | None = None
        self.weight: Tensor | None = None
        self.bias: Tensor | None = None

    def hooked(self) -> AbstractContextManager[None]:
        """Within the block the model's modules say when they are entered and left."""
        return _hooked(self)

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        options: dict[str, Any] | None = None,
    ) -> Any:
        options = options or {}
        kind = activation(function, arguments, options)
        if kind is not None:
            self._see(kind, function, arguments, options)
        elif function in UNITS_LAST or function in UNITS_AXIS_1:
            self._remember(function, arguments, options)
        return function(*arguments, **options)

    def _remember(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        """The layer that the next activation follows."""
        self.last_axis = -1 if function in UNITS_LAST else 1
        name = function.__name__
        if name == "linear" or name.startswith("conv"):
            self.weight = options.get("weight", arguments[1] if len(arguments) > 1 else None)
            self.bias = options.get("bias", arguments[2] if len(arguments) > 2 else None)
        elif name == "batch_norm":
            self.bias = options.get("bias", arguments[4] if len(arguments) > 4 else None)

    def _see(
        self,
        kind: str,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        options: dict[str, Any],
    ) -> None:
        """Takes the statistics before the call, which may overwrite the pre-activations."""
        z = arguments[0] if arguments else options["input"]
        if not z.is_floating_point() or z.dim() == 0 or z.numel() == 0:
            return
        name = self._name(kind)
        axis = self._axis(name, z)
        units = z.shape[axis]
        seen = self.layers.get(name)
        if seen is not None and units != seen.units:
            raise DyingReluError(
                f"layer {name} has not as many units in every batch",
                found=f"{units} after {seen.units}",
                remedy="say which axis is the units' with unit_axis=",
            )
        before = None if seen is None else seen.statistics
        if kind == "relu":
            found = scanning.of_relu(z, axis, 1.0 if function in CLAMPED else 0.0, before)
        else:
            rest, others = arguments[1:], {key: value for key, value in options.items() if key != "input"}
            found = scanning.of_any(z, axis, lambda inputs: function(inputs, *rest, **others), before)
        if seen is None:
            weight, bias = (_with_entries(tensor, units) for tensor in (self.weight, self.bias))
            self.layers[name] = seen = Layer(name, kind, axis, z.dim(), found, weight, bias)
        else:
            seen.statistics = found
        if self.gradients and z.requires_grad:
            z.register_hook(lambda gradient: _add_gradient(seen, gradient))

    def _name(self, kind: str) -> str:
        path, module = self.path[-1] if self.path else ("", self.model)
        is_activation = type(module).__module__ == "torch.nn.modules.activation"
        place = path or type(module).__name__ if is_activation else f"{path}:{kind}" if path else kind
        self.calls[place] += 1
        return place if self.calls[place] == 1 else f"{place}#{self.calls[place]}"

    def _axis(self, name: str, z: Tensor) -> int:
        said = self.unit_axis.get(name) if isinstance(self.unit_axis, dict) else self.unit_axis
        axis = said
        if axis is None:
            axis = self.last_axis if self.last_axis is not None else (1 if z.dim() > 3 else -1)
            # What follows a convolution and a flattening has no second axis left but the last.
            axis = axis if axis < z.dim() else -1
        if not -z.dim() <= axis < z.dim():
            raise DyingReluError(
                f"unit_axis of layer {name}",
                found=str(said),
                expected=f"an axis of a tensor with {z.dim()} of them",
            )
        return axis


@contextmanager
def _hooked(watcher: Watcher) -> Iterator[None]:
    with ExitStack() as stack:
        for path, module in watcher.model.named_modules():
            if _calls_no_activation(module):
                continue
            enter = module.register_forward_pre_hook(
                lambda module, _, path=path: watcher.path.append((path, module)), prepend=True
            )
            stack.callback(enter.remove)
            leave = module.register_forward_hook(lambda *_: _leave(watcher))
            stack.callback(leave.remove)
        # The fused path of nn.TransformerEncoder calls no activation that could be seen.
        stack.callback(torch.backends.mha.set_fastpath_enabled, torch.backends.mha.get_fastpath_enabled())
        torch.backends.mha.set_fastpath_enabled(False)
        yield


def _calls_no_activation(module: nn.Module) -> bool:
    """Whether all activations inside stand in submodules, whose hooks are enough: a hook costs as much as a small layer."""
    return type(module).__module__ in WITHOUT_ACTIVATIONS


def _leave(watcher: Watcher) -> None:
    watcher.path.pop()


def _with_entries(tensor: Tensor | None, units: int) -> Tensor | None:
    return tensor.detach() if isinstance(tensor, Tensor) and len(tensor) == units else None


def _add_gradient(layer: Layer, gradient: Tensor) -> None:
    found = scanning.by_unit(gradient.detach().float(), layer.axis)
    sums = torch.stack([found.abs().sum(0), found.square().sum(0)])
    layer.gradients = sums if layer.gradients is None else layer.gradients + sums
