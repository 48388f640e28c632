"""Gates behind activations, and activations written by hand: what passes a mask, a threshold or a top-k.

``relu(z) * (z > threshold)`` has the activations that pass the threshold, and ``z * (z > 0)`` is a ReLU. A tensor counts as gated only if
nothing reads it as it was before the gate.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

import torch
from torch import Tensor

from dying_relu.probing.activations import Function, argument
from dying_relu.probing.gate_functions import (
    COMPARISONS,
    GATES,
    INSPECTIONS,
    LOGIC,
    MARKS,
    SORTS,
    SPREADS,
    TOP,
    VIEWS,
)
from dying_relu.probing.gated_outputs import Output, Selection, counts_of
from dying_relu.probing.layers import Layer
from dying_relu.probing.tensor_origins import Origin, tensors_among
from dying_relu.probing.tracking import Origins

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

    def is_output(self, tensor: Tensor) -> bool:
        """Tell whether a tensor is an activation's output, all of it or what a gate has let through.

        Args:
            tensor: of any shape.
        """
        return id(tensor) in self._outputs

    def is_constant(self, tensor: Tensor) -> bool:
        """Tell whether a tensor is none that training changes.

        Args:
            tensor: of any shape.
        """
        return self._origins.of(tensor) is None or not tensor.requires_grad

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
                self._let_through(output[1], passed, tensor, passed)
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

    def _let_through(self, output: Output, values: Tensor, gated: Tensor, passed: Tensor | None) -> None:
        """Count what a gate lets through of a tensor, and follow it to the next one."""
        shape = output.shape
        counts = counts_of(
            values.detach().reshape(shape), gated.detach().reshape(shape), output.layer, self.batch
        )
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

    def is_mask_of(self, mask: Any, tensor: Tensor) -> bool:
        """Tell whether a mask lets through some entries of a tensor: for an activation's output any mask, else one made of the tensor.

        Args:
            mask: anything.
            tensor: of any shape.
        """
        if not isinstance(mask, Tensor) or not isinstance(tensor, Tensor):
            return False
        known = self._masks.get(id(mask))
        if id(tensor) in self._outputs:
            if known is not None:
                return True
            constant = self._origins.of(mask) is None and not self._origins.weight_key(mask)
            return constant and mask.numel() > 1 and not bool(mask.all())
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

    def is_zero(self, value: Any) -> bool:
        """Tell whether a value is the number 0, or a tensor of nothing else that is no activation's output.

        Args:
            value: anything.
        """
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
            dense = selection.dense(values.detach())
            self._let_through(selection.output, dense, dense, None)
        elif selection.z.is_floating_point():
            _remember(self._selections, values, selection)


def _remember(known: dict[int, tuple[ref[Tensor], Any]], tensor: Tensor, value: Any) -> None:
    key = id(tensor)
    known[key] = (ref(tensor, partial(_forget, known, key)), value)


def _forget(known: dict[int, tuple[ref[Tensor], Any]], key: int, gone: ref[Tensor]) -> None:
    if (entry := known.get(key)) is not None and entry[0] is gone:
        del known[key]
