"""The origins of the tensors of a forward pass, followed from call to call.

The rules are those of :mod:`~dying_relu.probing.unit_axes`. Whatever is not listed there keeps the axes of the units as far as they can
be told and is no longer a plain layer's output, so that it has no weights or biases of its own.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any
from weakref import ref

from torch import Tensor, nn

from dying_relu.probing.activations import Function
from dying_relu.probing.plain_tensors import level_of_vmap
from dying_relu.probing.tensor_origins import Axes, Call, Origin, Sources, tensors_among
from dying_relu.probing.unit_axes import LAYERS, RULES, kept


class Origins:
    """The origins of the tensors of a forward pass, each for as long as its tensor lives.

    Args:
        weights: the identities of the model's parameters and buffers.

    >>> import torch
    >>> origins, x = Origins(), torch.ones(2, 3)
    >>> weight = torch.ones(4, 3)
    >>> z = torch.nn.functional.linear(x, weight)
    >>> origins.note(torch.nn.functional.linear, (x, weight), {}, z)
    >>> origins.of(z).weight is weight
    True
    """

    def __init__(self, weights: frozenset[int] = frozenset()) -> None:
        self._known: dict[int, tuple[ref[Tensor], Origin]] = {}
        self._weights = weights
        self._calls = 0
        self._inputs: dict[int, ref[Tensor]] = {}
        self.levels_of_weights: set[int] = set()
        """The vmaps that go over weights."""
        self.latest: Axes | None = None
        """Axes of the units of the layer called last: the best guess for a tensor that has come in another way."""

    def of(self, tensor: Tensor) -> Origin | None:
        """The tensor's origin, if it was seen.

        Args:
            tensor: of any shape.
        """
        known = self._known.get(id(tensor))
        return None if known is None else known[1]

    def set(self, tensor: Tensor, origin: Origin | None) -> None:
        """Remember the origin of a tensor; None if it is not known.

        Args:
            tensor: of any shape.
            origin: of the tensor.
        """
        key = id(tensor)
        if origin is None:
            self._known.pop(key, None)
        else:
            # When the tensor goes, its entry goes, and another may get its id.
            self._known[key] = (ref(tensor, partial(self._known.pop, key)), origin)

    def add_inputs(self, tensors: Iterable[Tensor]) -> None:
        """Remember tensors that the model was given.

        Args:
            tensors: of any shape.
        """
        for tensor in tensors:
            key = id(tensor)
            self._inputs[key] = ref(tensor, partial(self._inputs.pop, key))

    def is_input(self, tensor: Tensor) -> bool:
        """Tell whether a tensor is what the model was given, or computed from nothing else.

        Args:
            tensor: of any shape.
        """
        return id(tensor) in self._inputs

    def weight_key(self, tensor: Any) -> int:
        """A number that is the same for the same weight of the model, or for the same expression of weights; 0 for anything else.

        Args:
            tensor: anything.
        """
        if id(tensor) in self._weights or isinstance(tensor, nn.Parameter):
            return id(tensor)
        known = self._known.get(id(tensor))
        return 0 if known is None else known[1].key

    def call(self, weights: Iterable[Any]) -> Sources:
        """Count a new call of some weights.

        Args:
            weights: tensors; those that are no weights of the model are passed over.
        """
        self._calls += 1
        keys = (self.weight_key(weight) for weight in weights)
        return frozenset((key, self._calls) for key in keys if key)

    def after(self, name: str, axes: Axes) -> Origin:
        """The origin of the output of an activation.

        Args:
            name: of its layer.
            axes: of its units.
        """
        self._calls += 1
        return Origin(axes, sources=frozenset([(name, self._calls)]))

    def note(
        self, function: Function, arguments: tuple[Any, ...], options: dict[str, Any], result: Any
    ) -> None:
        """Remember the origin of every tensor that a call of a function returned.

        Args:
            function: the function.
            arguments: positional arguments of the call.
            options: arguments by name.
            result: what it returned.
        """
        if isinstance(result, Tensor):
            self._note_one(function, arguments, options, result)
        elif isinstance(result, tuple | list):
            for part in result:
                if isinstance(part, Tensor):
                    self._note_one(function, arguments, options, part)
        elif function is Tensor.__setitem__ and (origin := self.of(arguments[0])):
            self.set(arguments[0], origin.bare)

    def _note_one(
        self, function: Function, arguments: tuple[Any, ...], options: dict[str, Any], result: Tensor
    ) -> None:
        if function in LAYERS:
            self._note_level(arguments, options)
        known, key, given = [], 0, False
        for tensor in tensors_among((*arguments, *options.values()) if options else arguments):
            entry = self._known.get(id(tensor))
            if entry is not None and not entry[1].key:
                known.append((tensor, entry[1]))
            elif entry is not None or id(tensor) in self._weights:
                key = 1
            elif id(tensor) in self._inputs:
                given = True
        if given and not known and not key:
            self.add_inputs([result])
        rule = RULES.get(function)
        if rule is None and not known:
            if key:
                self._note_weight(function, arguments, options, result)
            return
        if key and not known and function not in LAYERS:
            self._note_weight(function, arguments, options, result)
            return
        origin = (rule or kept)(Call(self, function, arguments, options, result, known))
        if origin is not None and function in LAYERS:
            self.latest = origin.axes
        self.set(result, origin)

    def _note_level(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        """Note whether a vmap goes over the weights of a layer."""
        for weight in (*arguments[1:], *options.values()):
            if (level := level_of_vmap(weight)) is not None:
                self.levels_of_weights.add(level)

    def _note_weight(
        self, function: Function, arguments: tuple[Any, ...], options: dict[str, Any], result: Tensor
    ) -> None:
        """Remember what is computed from weights alone, by how it is computed."""
        parts: list[Any] = [function]
        for value in (*arguments, *options.values()):
            for part in value if isinstance(value, tuple | list) else (value,):
                if not isinstance(part, Tensor):
                    parts.append(str(part))
                elif key := self.weight_key(part):
                    parts.append(key)
                else:
                    return  # of weights and of something else
        self.set(result, Origin(None, key=hash(tuple(parts)) or 1))
