"""The record of a forward pass: each call of an activation goes to its layer, or is listed as not counted, with the reason."""

from dataclasses import dataclass, field

from torch import Tensor

from dying_relu.errors import DyingReluError
from dying_relu.probing.activation_call import ActivationCall
from dying_relu.probing.activations import CallNames, UnobservedModule
from dying_relu.probing.curves import curve_of, curve_statistics
from dying_relu.probing.hinges import hinge_statistics, hinges_of, statistics_below
from dying_relu.probing.layer_inputs import InputRecords
from dying_relu.probing.layers import Layer, Layers, bias_of, weight_norm
from dying_relu.probing.masks import awake, rows_that_count
from dying_relu.probing.plain_tensors import is_wrapped, outside_transforms, unwrapped_tensor
from dying_relu.probing.selected_layers import EVERYTHING, Selected
from dying_relu.probing.statistics import (
    at_least_float32,
    by_unit,
    elementwise_statistics,
    relu_statistics,
)
from dying_relu.probing.tensor_origins import Axes, Origin

UnitAxis = int | tuple[int, ...] | dict[str, int | tuple[int, ...]] | None


@dataclass
class Recorder:
    """Collects the statistics of calls of activations.

    Args:
        unit_axis: axis or axes of the units, for all layers or by name; by default decided by what computed the pre-activations.
        gradients: whether to record the gradients that reach the units when somebody computes them.
        selected: the layers that are wanted.

    Attributes:
        layers: of the model so far.
        not_counted: calls that have no statistics: name -> kind and reason.
        empty: calls that had no numbers to work on: name -> kind.
        calls: place in the model -> how many activations a batch has called there, at most.
        batch: number of examples of the batch.
        inputs: moments of what the model's layers were fed.
        mask: positions of the batch that count; None for all.
        remarks: what is to be said of layers: name -> remark.
        seen: the names of all calls.
    """

    unit_axis: UnitAxis = None
    gradients: bool = False
    selected: Selected = EVERYTHING
    layers: Layers = field(default_factory=Layers)
    not_counted: dict[str, UnobservedModule] = field(default_factory=dict)
    empty: dict[str, str] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    batch: int | None = None
    names: CallNames = field(default_factory=CallNames)
    inputs: InputRecords = field(default_factory=InputRecords)
    mask: Tensor | None = None
    remarks: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    batches: int = 0

    def start_batch(self, examples: int | None) -> None:
        """Begin a batch: calls are counted from one again.

        Args:
            examples: how many it has; None if that is not known.
        """
        self.names, self.batch = CallNames(), examples
        self.layers.start_batch()

    def end_batch(self) -> None:
        """End a batch, all calls of which are counted."""
        self.layers.end_batch()
        self.batches += 1
        for place, number in self.names.calls.items():
            self.calls[place] = max(number, self.calls.get(place, 0))

    def clear(self) -> bool:
        """Forget a batch that the model refused; only the first can be.

        Returns:
            Whether it is forgotten.
        """
        if self.batches:
            return False
        self.layers = Layers()
        for record in (self.not_counted, self.empty, self.calls, self.remarks, self.seen):
            record.clear()
        return True

    def record(
        self, call: ActivationCall, latest: Axes | None, levels: set[int] | None = None
    ) -> tuple[Layer, str] | None:
        """Add a call to its layer.

        Args:
            call: of an activation.
            latest: axes of the units of the layer called last.
            levels: of the vmaps that go over weights.

        Returns:
            The layer and the name of the call in it; None if the call is not counted.
        """
        # Counted even if it has no units, as in the model's graph.
        name = self.names.next(call.place)
        z = call.z
        if not z.is_floating_point():
            return None
        if z.numel() == 0:
            self.empty[name] = call.kind
            return None
        self.seen.add(name)
        if self.selected is not EVERYTHING and not self.selected.wants(name):
            return None
        axes, reason = self._axes(name, call, latest, levels)
        try:
            if axes is None:
                raise _NotCounted(reason)
            if is_wrapped(z):
                with outside_transforms():
                    return self._add(name, call, *unwrapped_tensor(z, axes, levels or set()))
            return self._add(name, call, z, axes)
        except _NotCounted as one:
            self.not_counted[name] = UnobservedModule(call.kind, str(one))
        except (RuntimeError, TypeError, ValueError) as error:
            message = f"{type(error).__name__}: {error}".partition("\n")[0]
            self.not_counted[name] = UnobservedModule(call.kind, f"its numbers cannot be read ({message})")
        return None

    def _add(self, name: str, call: ActivationCall, plain: Tensor, axes: Axes) -> tuple[Layer, str] | None:
        z, axis = units_on_one_axis(plain.detach(), axes)
        units = z.shape[axis]
        layer = self.layers.find(name, call.place, units, call.origin)
        if layer is not None and units != layer.units:
            self.layers.remove(layer)
            raise _NotCounted(
                f"it had {layer.units} units in one batch and {units} in another, so that its axis is none of units"
            )
        if name in self.not_counted:
            raise _NotCounted(self.not_counted[name].reason)
        parts = [z]
        piecewise = call.at_zero is None and call.activation is None
        curve = curve_of(call.kind, call.given, z) if piecewise else None
        hinges = hinges_of(call.kind, call.given) if piecewise else None
        if curve is not None and curve.bounds is None:
            parts += [units_on_one_axis(call.output(at_least_float32(plain)), axes)[0]]
        elif call.at_zero is None and curve is None and hinges is None:
            values = call.values(at_least_float32(plain))
            parts += [units_on_one_axis(value, axes)[0] for value in values]
        counting = None if self.mask is None else rows_that_count(z, axis, self.mask)
        if counting is not None and not len(counting[1]):
            self.empty[name] = call.kind
            return None
        if layer is None:
            layer = self._new(name, call, plain, axes, units)
        name = layer.call_name(name)
        examples = None
        if self.mask is not None and counting is not None:
            parts = [rows_that_count(part, axis, self.mask)[0] for part in parts]  # type: ignore[index]
            active = parts[0 if call.activation is None else 1] > 0
            layer.wake(awake(active, counting[1], len(self.mask)))
            axis = 1
        else:
            if self.mask is not None:
                self.remarks[layer.name] = "the mask does not fit its shape, and all its positions count"
            examples = layer.examples_of(z.shape, axis, self.batch)
        before = layer.calls.get(name)
        if call.at_zero is not None:
            statistics = relu_statistics(parts[0], axis, call.at_zero, before, examples)
        elif curve is not None:
            wide = at_least_float32(parts[0])
            below = None if hinges is None else statistics_below(wide, axis, hinges, before, examples)
            statistics = below or curve_statistics(
                wide, axis, curve, parts[-1], call.derivative_at, before, examples
            )
        elif hinges is not None:
            statistics = hinge_statistics(at_least_float32(parts[0]), axis, hinges, before, examples)
        else:
            gated = call.activation is not None
            statistics = elementwise_statistics(
                parts[0], parts[1], parts[2], axis, before, examples, gated=gated
            )
        layer.add(name, statistics)
        layer.inputs = self.inputs.of(None if call.origin is None else call.origin.weight) or layer.inputs
        if self.gradients and plain.requires_grad and plain is call.z:
            plain.register_hook(lambda gradient: layer.add_gradient(_rows(gradient, axes)))
        return layer, name

    def _new(self, name: str, call: ActivationCall, z: Tensor, axes: Axes, units: int) -> Layer:
        origin = call.origin
        source = origin if origin is not None and _same(origin.axes, axes, z.dim()) else Origin(axes)
        layer = Layer(
            name,
            call.kind,
            axes,
            z.dim(),
            units,
            weight_norm=weight_norm(source.weight, units, len(axes)),
            bias=bias_of(source.bias, units),
            guessed=origin is None and self._given(name) is None,
            computed=self.inputs.computed(call.z, source.weight),
        )
        self.layers.add(layer)
        if layer.guessed and z.dim() > 2:
            self.remarks[layer.name] = "nothing that was seen says which axis is the units'; unit_axis= does"
        return layer

    def _given(self, name: str) -> Axes | None:
        given = self.unit_axis.get(name) if isinstance(self.unit_axis, dict) else self.unit_axis
        return (given,) if isinstance(given, int) else given

    def _axes(
        self, name: str, call: ActivationCall, latest: Axes | None, levels: set[int] | None
    ) -> tuple[Axes | None, str]:
        z, origin, given = call.z, call.origin, self._given(name)
        if given is not None:
            if not all(-z.dim() <= axis < z.dim() for axis in given):
                raise DyingReluError(
                    f"unit_axis of layer {name}",
                    found=str(given if len(given) > 1 else given[0]),
                    expected=f"an axis of a tensor with {z.dim()} of them",
                )
            return given, ""
        if origin is not None and (origin.axes is not None or origin.reason):
            axes = origin.axes
            if axes is not None and any(-axis > z.dim() for axis in axes):
                axes = (-1,) if z.dim() else ()
            return axes, origin.reason
        if levels:
            return (
                None,
                "it may come out of a vmap over weights, so that nothing says on which axes its units lie; unit_axis= does",
            )
        if z.dim() < 2:
            return None, "it has one axis, of which nothing says whether it is the units' or the examples'"
        guess = latest if latest is not None else ((1,) if z.dim() > 3 else (-1,))
        return (guess if all(-z.dim() <= axis < z.dim() for axis in guess) else (-1,)), ""


class _NotCounted(Exception):
    """The reason, in words."""


def units_on_one_axis(z: Tensor, axes: Axes) -> tuple[Tensor, int]:
    """Bring units that lie on several axes, or on none, onto one.

    Args:
        z: pre-activations of any shape.
        axes: of the units.

    Returns:
        Pre-activations, not copied where units lie on one axis; and that axis, counted from the front.
    """
    if len(axes) == 1 and z.dim():
        return z, axes[0] % z.dim()
    if not axes:
        return z.unsqueeze(-1), z.dim()
    ordered = sorted(axis % z.dim() for axis in axes)
    moved = z.movedim(ordered, tuple(range(-len(ordered), 0)))
    return moved.flatten(-len(ordered)), z.dim() - len(ordered)


def _rows(gradient: Tensor, axes: Axes) -> Tensor:
    return by_unit(*units_on_one_axis(gradient.detach().float(), axes))


def _same(one: Axes | None, other: Axes, dim: int) -> bool:
    return one is not None and sorted(axis % dim for axis in one) == sorted(axis % dim for axis in other)
