"""Gates behind activations, and activations written by hand: what passes a mask, a threshold or a top-k.

``relu(z) * (z > threshold)`` has the activations that pass the threshold, and ``z * (z > 0)`` is a ReLU. A tensor counts as gated only if
nothing reads it as it was before the gate.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from weakref import ref

import torch
from torch import Tensor

from dying_relu.probing.activations import Function, argument, spellings
from dying_relu.probing.layers import Layer
from dying_relu.probing.recorder import units_on_one_axis
from dying_relu.probing.statistics import ActiveExamples, by_unit
from dying_relu.probing.tensor_origins import Origin, tensors_among
from dying_relu.probing.tracking import Origins
from dying_relu.probing.unit_axes import COPIES, SHAPES


def _functions(*names: str) -> frozenset[Function]:
    return frozenset(spellings(names))


COMPARISONS = _functions(
    "gt", "ge", "lt", "le", "greater", "greater_equal", "less", "less_equal", "heaviside"
)
LOGIC = _functions("logical_and", "logical_or", "logical_not", "bitwise_and", "bitwise_or", "bitwise_not") | {
    Tensor.__and__,
    Tensor.__or__,
    Tensor.__invert__,
}
VIEWS = _functions(*COPIES, *SHAPES)
SPREADS = VIEWS | _functions("expand", "expand_as", "broadcast_to") | {Tensor.__getitem__}
PRODUCTS = _functions("mul", "multiply")
CHOICES = _functions("where")
FILLS = _functions("masked_fill")
MAXIMA = _functions("maximum", "max", "fmax")
TOP = _functions("topk")
SORTS = _functions("sort", "argsort")
SCATTERS = _functions("scatter", "scatter_add")
INSPECTIONS = (
    COMPARISONS
    | LOGIC
    | SORTS
    | _functions("kthvalue", "argmax", "argmin", "quantile", "nonzero", "any", "all", "isnan")
    | _functions(
        "count_nonzero", "zeros_like", "ones_like", "empty_like", "full_like", "size", "dim", "numel"
    )
    | _functions("new_zeros", "new_ones", "new_full", "new_empty", "isfinite", "allclose", "equal")
)
"""Functions that read a tensor to look at it, or to make a mask of it."""


class Counts(NamedTuple):
    """Statistics of what an activation has let through, by unit: (units,) each."""

    largest: Tensor
    total: Tensor
    active: Tensor
    examples: ActiveExamples


class Output:
    """The output of an activation, or what a gate has let through of it.

    Attributes:
        layer: of the activation.
        call: its name.
        shape: of the activation's output.
        counts: of what a gate has let through; None of the activation's own output.
        reads: how many functions have read it as it is.
        gated: what further gates let through of it.
    """

    __slots__ = ("call", "counts", "gated", "layer", "reads", "shape")

    def __init__(self, layer: Layer, call: str, shape: torch.Size, counts: Counts | None = None) -> None:
        self.layer, self.call, self.shape, self.counts = layer, call, shape, counts
        self.reads, self.gated = 0, list[Output]()

    def passed(self) -> list[Counts]:
        """The counts of what is read of it in the end; none if it is read without a gate."""
        if self.reads or not self.gated:
            return [] if self.counts is None else [self.counts]
        parts = [one.passed() for one in self.gated]
        return [counts for part in parts for counts in part] if all(parts) else []


class Selection(NamedTuple):
    """The largest of some pre-activations, or of an activation's output: the tensor, its origin, and the indices along an axis."""

    z: Tensor
    origin: Origin | None
    output: Output | None
    dim: int
    indices: Tensor

    def dense(self, values: Tensor) -> Tensor:
        """Put values at their places among zeros."""
        zeros = torch.zeros_like(self.z, dtype=values.dtype)
        return zeros.scatter(self.dim, self.indices, values)


Record = Callable[[str, Tensor, Tensor, Origin | None], Any]
"""(kind, pre-activations, activations, origin) -> None: records an activation that is written by hand."""


class Gates:
    """Follows the outputs of activations through a forward pass until they pass a gate, or something reads them.

    Args:
        origins: of the tensors of the pass.
        record: is called for an activation that is written by hand.
        batch: number of examples; None if it is not known.
    """

    def __init__(self, origins: Origins, record: Record, batch: int | None) -> None:
        self._origins, self._record, self.batch = origins, record, batch
        self._outputs: dict[int, tuple[ref[Tensor], Output]] = {}
        self._masks: dict[int, tuple[ref[Tensor], int]] = {}
        self._selections: dict[int, tuple[ref[Tensor], Selection]] = {}
        self._sorted: dict[int, tuple[ref[Tensor], Selection]] = {}
        self._indices: dict[int, tuple[ref[Tensor], int]] = {}
        self._counted: dict[int, tuple[ref[Tensor], bool]] = {}
        self._open: list[Output] = []

    def add(self, result: Any, layer: Layer, call: str) -> None:
        """Follow the output of an activation.

        Args:
            result: the output.
            layer: of the activation.
            call: its name.
        """
        if isinstance(result, Tensor):
            output = Output(layer, call, result.shape)
            self._open.append(output)
            _remember(self._outputs, result, output)

    def read(self, tensor: Tensor) -> None:
        """Note that a function reads a tensor as it is.

        Args:
            tensor: maybe the output of an activation.
        """
        if (output := self._outputs.get(id(tensor))) is not None:
            output[1].reads += 1

    def follows(self, tensor: Tensor) -> bool:
        """Tell whether a tensor is an activation's output, or what a gate has let through of one.

        Args:
            tensor: of any shape.
        """
        return id(tensor) in self._outputs or id(tensor) in self._counted

    def count(self, values: Tensor) -> None:
        """Note that the activation of some selected pre-activations is counted.

        Args:
            values: the activation, of the shape of the selected ones.
        """
        _remember(self._counted, values, True)

    def selected(self, z: Tensor) -> Selection | None:
        """The pre-activations of which a tensor holds the largest; None if it holds no such."""
        known = self._selections.get(id(z))
        return None if known is None else known[1]

    def replaces(
        self, function: Function, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Tensor | None:
        """A copy of the pre-activations that a call is about to overwrite, if it is a gate.

        Args:
            function: about to be called.
            arguments: positional arguments of the call.
            options: arguments by name.
        """
        if not self._masks or not arguments or not isinstance(arguments[0], Tensor):
            return None
        in_place = function is Tensor.__setitem__ or getattr(function, "__name__", "").endswith("_")
        if not in_place or function not in GATES:
            return None
        z = arguments[0]
        gated = self._gated(function, arguments, options)
        return z.clone() if gated is z and id(z) not in self._outputs else None

    def note(
        self,
        function: Function,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        result: Any,
        overwritten: Tensor | None,
    ) -> None:
        """Follow a call of a function.

        Args:
            function: the function.
            arguments: positional arguments of the call.
            options: arguments by name.
            result: what it returned.
            overwritten: a copy of the pre-activations that it has overwritten; None if it has not.
        """
        if function in GATES:
            if self._counted and any(id(one) in self._counted for one in tensors_among(arguments)):
                _remember(self._counted, arguments[0] if function is Tensor.__setitem__ else result, True)
            if function in MARKS and self._indices and self._is_marked(arguments, options):
                made = arguments[0] if function is Tensor.__setitem__ else result
                _remember(self._masks, made, id(made))
            else:
                self._pass(function, arguments, options, result, overwritten)
            return
        if function in COMPARISONS or function in LOGIC:
            if isinstance(result, Tensor):
                subject = next((id(one) for one in tensors_among(arguments)), 0)
                _remember(self._masks, result, self._masks.get(subject, (None, subject))[1])
            return
        if function in TOP or function in SORTS:
            self._choose(function, arguments, options, result)
            return
        if not (self._outputs or self._masks or self._selections or self._sorted or self._counted):
            return
        first = arguments[0] if arguments else None
        if function in SPREADS and isinstance(result, Tensor) and isinstance(first, Tensor):
            for known in (self._masks, self._selections, self._indices, self._counted):
                if (entry := known.get(id(first))) is not None:
                    _remember(known, result, entry[1])
            if function is Tensor.__getitem__ and (entry := self._sorted.get(id(first))) is not None:
                self._take_sorted(entry[1], arguments[1], result)
        for tensor in tensors_among((*arguments, *options.values()) if options else arguments):
            output = self._outputs.get(id(tensor))
            if output is None or function in INSPECTIONS:
                continue
            if function in VIEWS:
                # The others say what type or shape it gets.
                if tensor is first and isinstance(result, Tensor):
                    _remember(self._outputs, result, output[1])
            elif isinstance(result, Tensor | tuple | list) and not isinstance(result, torch.Size):
                output[1].reads += 1

    def end_batch(self) -> None:
        """Hand to each layer what its gates have let through."""
        for output in self._open:
            layer = output.layer
            layer.batches[output.call] = layer.batches.get(output.call, 0) + 1
            passed = output.passed()
            for counts in passed:
                layer.add_passed(output.call, *counts)
            if passed:
                layer.gated_batches[output.call] = layer.gated_batches.get(output.call, 0) + 1
        self._open.clear()

    def _pass(
        self,
        function: Function,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        result: Any,
        overwritten: Tensor | None,
    ) -> None:
        gated = self._gated(function, arguments, options)
        passed = arguments[0] if function is Tensor.__setitem__ else result
        for tensor in tensors_among((*arguments, *options.values())):
            output = self._outputs.get(id(tensor))
            if output is None:
                continue
            if tensor is gated and isinstance(passed, Tensor) and passed.numel() == output[1].shape.numel():
                self._let_through(output[1], passed, passed)
                gated = None
            else:
                output[1].reads += 1
        if gated is None or not isinstance(passed, Tensor):
            return
        selection = self._selections.get(id(gated))
        if selection is not None and passed.numel() == selection[1].z.numel():
            z = selection[1].z
            values = passed if passed.shape == z.shape else passed.reshape(z.shape)
            self._record("topk", z, values, selection[1].origin)
        elif selection is None:
            z = overwritten if overwritten is not None else gated
            if z.shape == passed.shape and z.is_floating_point():
                kind = "relu" if torch.equal(passed, z.relu()) else "gate"
                self._record(kind, z, passed, self._origins.of(gated))

    def _let_through(self, output: Output, values: Tensor, passed: Tensor | None) -> None:
        """Count what a gate lets through, and follow it to the next one."""
        counts = _counts(values.detach().reshape(output.shape), output.layer, self.batch)
        after = Output(output.layer, output.call, output.shape, counts)
        output.gated.append(after)
        if passed is not None:
            _remember(self._outputs, passed, after)

    def _gated(
        self, function: Function, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Tensor | None:
        """The tensor that a call gates; None if it gates none."""
        gate = GATES[function]
        return gate(self, arguments, options)

    def _is_mask_of(self, mask: Any, tensor: Tensor) -> bool:
        """Tell whether a mask lets through some entries of a tensor: for an activation's output any mask, else one made of the tensor."""
        if not isinstance(mask, Tensor) or not isinstance(tensor, Tensor):
            return False
        known = self._masks.get(id(mask))
        if id(tensor) in self._outputs:
            constant = (
                self._origins.of(mask) is None and mask.numel() > 1 and not self._origins.weight_key(mask)
            )
            return known is not None or constant
        if known is None:
            return False
        behind, of_tensor = self._origins.of(mask), self._origins.of(tensor)
        if behind is not None and of_tensor is not None and behind.sources & of_tensor.sources:
            return True
        return known[1] == id(tensor)

    def _is_marked(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> bool:
        """Tell whether a call writes a number, such as 1, at the places of a top-k, which makes a mask."""
        flat = [part for one in arguments for part in (one if isinstance(one, tuple) else (one,))]
        flat += options.values()
        written = flat[-1]
        constant = not isinstance(written, Tensor) or (
            self._origins.of(written) is None and id(written) not in self._selections
        )
        return constant and any(id(one) in self._indices for one in flat)

    def _is_zero(self, value: Any) -> bool:
        if isinstance(value, Tensor):
            return id(value) not in self._outputs and not bool(value.any())
        return isinstance(value, int | float) and value == 0

    def _choose(
        self, function: Function, arguments: tuple[Any, ...], options: dict[str, Any], result: Any
    ) -> None:
        """Follow the values and the indices of a top-k, or of a sort, whose first few are one."""
        tensor = arguments[0] if arguments else options["input"]
        if isinstance(result, Tensor):
            _remember(self._indices, result, id(tensor))
            return
        values, indices = result
        _remember(self._indices, indices, id(tensor))
        dim = argument(arguments, options, 2 if function in TOP else 1, "dim")
        _, output = self._outputs.get(id(tensor), (None, None))
        origin = self._origins.of(tensor)
        selection = Selection(tensor.detach(), origin, output, -1 if dim is None else dim, indices)
        if function in TOP:
            self._select(selection, values)
        else:
            _remember(self._sorted, values, selection)

    def _take_sorted(self, selection: Selection, index: Any, values: Tensor) -> None:
        """Follow what is taken of sorted values."""
        if values.dim() == selection.z.dim() and values.shape != selection.z.shape:
            self._select(selection._replace(indices=selection.indices[index]), values)

    def _select(self, selection: Selection, values: Tensor) -> None:
        if selection.output is not None:
            self._let_through(selection.output, selection.dense(values.detach()), None)
        elif selection.z.is_floating_point():
            _remember(self._selections, values, selection)


def _product(gates: Gates, arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    one, other = arguments[0], argument(arguments, options, 1, "other")
    for tensor, mask in ((one, other), (other, one)):
        if gates._is_mask_of(mask, tensor):
            return tensor
    return None


def _choice(gates: Gates, arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    if len(arguments) + len(options) < 3:
        return None
    condition, one, other = (
        argument(arguments, options, n, name) for n, name in enumerate(("condition", "input", "other"))
    )
    # x.where(mask, other) has the tensor first.
    if isinstance(condition, Tensor) and condition.dtype != torch.bool and isinstance(one, Tensor):
        condition, one = one, condition
    for tensor, rest in ((one, other), (other, one)):
        if gates._is_mask_of(condition, tensor) and gates._is_zero(rest):
            return tensor
    return None


def _fill(gates: Gates, arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    tensor, mask, value = (
        argument(arguments, options, n, name) for n, name in enumerate(("input", "mask", "value"))
    )
    return tensor if gates._is_zero(value) and gates._is_mask_of(mask, tensor) else None


def _assignment(gates: Gates, arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    tensor, mask, value = arguments
    if isinstance(value, Tensor) and id(value) in gates._selections:
        return value
    return tensor if gates._is_zero(value) and gates._is_mask_of(mask, tensor) else None


def _maximum(gates: Gates, arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    if len(arguments) < 2 or not all(isinstance(one, Tensor) for one in arguments[:2]):
        return None
    for tensor, other in (arguments[:2], arguments[1::-1]):
        unread = gates._origins.of(other) is None or not other.requires_grad
        if (
            unread
            and tensor.is_floating_point()
            and gates._is_zero(other)
            and id(tensor) not in gates._outputs
        ):
            return tensor
    return None


def _scatter(gates: Gates, arguments: tuple[Any, ...], options: dict[str, Any]) -> Tensor | None:
    source = argument(arguments, options, 3, "src")
    return source if isinstance(source, Tensor) and id(source) in gates._selections else None


GATES: dict[Function, Callable[[Gates, tuple[Any, ...], dict[str, Any]], Tensor | None]] = {
    **dict.fromkeys(PRODUCTS, _product),
    **dict.fromkeys(CHOICES, _choice),
    **dict.fromkeys(FILLS, _fill),
    **dict.fromkeys(MAXIMA, _maximum),
    **dict.fromkeys(SCATTERS, _scatter),
    Tensor.__setitem__: _assignment,
}
"""Function -> the tensor that a call of it gates."""

MARKS = SCATTERS | {Tensor.__setitem__}


def _counts(passed: Tensor, layer: Layer, batch: int | None) -> Counts:
    """Largest absolute value, sum of these, and number of positive ones of each unit; and the examples that have woken it."""
    on_one, axis = units_on_one_axis(passed, layer.unit_axes)
    rows = by_unit(on_one, axis)
    magnitude = rows.abs().double()
    examples = ActiveExamples.of(on_one.shape, layer.units, axis, batch)
    active = rows > 0
    examples.add(active)
    return Counts(magnitude.amax(0), magnitude.sum(0), active.sum(0, dtype=torch.float64), examples)


def _remember(known: dict[int, tuple[ref[Tensor], Any]], tensor: Tensor, value: Any) -> None:
    key = id(tensor)
    known[key] = (ref(tensor, partial(_forget, known, key)), value)


def _forget(known: dict[int, tuple[ref[Tensor], Any]], key: int, gone: ref[Tensor]) -> None:
    if (entry := known.get(key)) is not None and entry[0] is gone:
        del known[key]
