"""Origins of tensors: the axis of their units, and the weights and biases that computed them.

Followed from call to call through a forward pass. Whatever is not listed here keeps the axis of the units as far as it can be told
and is no longer a plain layer's output, so that it has no weights or biases of its own. To follow another function, add a rule to
``RULES``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn

from dying_relu.probing.activations import Function, argument, spellings


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of one tensor.

    Attributes:
        axis: of its units, counted from the end, so that it holds with and without an axis of examples.
        weight: of the layer whose output it is, units first.
        bias: of that layer, or of the batch normalisation behind it.
    """

    axis: int
    weight: Tensor | None = None
    bias: Tensor | None = None

    @property
    def bare(self) -> "Origin":
        """The origin of the same units, computed by more than a layer."""
        return self if self.weight is None and self.bias is None else Origin(self.axis)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function: its arguments and its result.

    Attributes:
        source: the first of its arguments whose origin is known, and that origin.
    """

    function: Function
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    result: Tensor
    source: tuple[Tensor, Origin] | None

    @property
    def input(self) -> tuple[Tensor, Origin] | None:
        """The first argument and its origin; None if that is not known, even if another argument's is."""
        first = self.arguments[0] if self.arguments else self.options.get("input")
        return self.source if self.source is not None and self.source[0] is first else None

    def argument(self, position: int, name: str) -> Any:
        """By position or by name; None if it was not given."""
        return argument(self.arguments, self.options, position, name)


class Origins:
    """The origins of the tensors of a forward pass, each for as long as its tensor lives.

    >>> origins, x = Origins(), torch.ones(2, 3)
    >>> weight = torch.ones(4, 3)
    >>> z = torch.nn.functional.linear(x, weight)
    >>> origins.note(torch.nn.functional.linear, (x, weight), {}, z)
    >>> origins.of(z).weight is weight
    True
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[ref[Tensor], Origin]] = {}
        self.latest: int | None = None
        """Axis of the units of the layer called last: the best guess for a tensor that has come in another way."""

    def of(self, tensor: Tensor) -> Origin | None:
        """The tensor's origin, if it was seen."""
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
        source = self._source(arguments, options)
        rule = RULES.get(function)
        if rule is None and source is None:
            return
        origin = (rule or _kept)(Call(function, arguments, options, result, source))
        if function in LAYERS and origin is not None:
            self.latest = origin.axis
        self.set(result, origin)

    def _source(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[Tensor, Origin] | None:
        for tensor in _tensors((*arguments, *options.values())):
            if (known := self._known.get(id(tensor))) is not None:
                return tensor, known[1]
        return None


def _tensors(values: tuple[Any, ...]) -> Iterator[Tensor]:
    """Those among the arguments, and in lists of them, as ``torch.cat`` takes."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from (part for part in value if isinstance(part, Tensor))


Rule = Callable[[Call], Origin | None]


def _kept(call: Call) -> Origin | None:
    """Of a function that is not listed: the units stay on their axis, if it has as many; else where one has their number."""
    if call.source is None:
        return None
    tensor, origin = call.source
    shape, axes = call.result.shape, call.result.dim()
    if axes == tensor.dim():
        return origin.bare
    units, from_the_front = tensor.shape[origin.axis], origin.axis + tensor.dim()
    fitting = [place for place in range(axes) if shape[place] == units]
    if not fitting:
        return None
    last = axes - 1
    likely = [last] if origin.axis == -1 else [from_the_front]
    place = next((one for one in likely if one in fitting), fitting[0] if len(fitting) == 1 else None)
    return None if place is None else Origin(place - axes)


def _unchanged(call: Call) -> Origin | None:
    return None if call.input is None else call.input[1]


def _moved(call: Call) -> Origin | None:
    """Of a function that changes the order of the axes: done to a small tensor whose axis of units alone is long."""
    if call.input is None:
        return None
    tensor, origin = call.input
    marked = torch.empty([1 + (axis - tensor.dim() == origin.axis) for axis in range(tensor.dim())])
    shape = call.function(marked, *call.arguments[1:], **_without_input(call.options)).shape
    return replace(origin, axis=shape.index(2) - len(shape))


def _without_input(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "input"}


def _reshaped(call: Call) -> Origin | None:
    """Units stay apart if as many numbers stand before their axis as before, and as many units on it."""
    if call.input is None:
        return None
    tensor, origin = call.input
    before, units = prod(tensor.shape[: origin.axis]), tensor.shape[origin.axis]
    shape = call.result.shape
    for axis, size in enumerate(shape):
        if size == units and prod(shape[:axis]) == before:
            return replace(origin, axis=axis - len(shape))
    # What follows a flattening has no second axis left but the last; units cut into heads lie on it too.
    return Origin(-1) if origin.axis == -1 or len(shape) < tensor.dim() else None


def _linear(call: Call) -> Origin:
    return Origin(-1, call.argument(1, "weight"), call.argument(2, "bias"))


def _last(call: Call) -> Origin:
    return Origin(-1)


def _product(call: Call) -> Origin:
    """``x @ weight`` has its units on the last axis, ``weight @ x`` on the one before."""
    left, right = call.arguments[0], call.argument(1, "other")
    weight_first = isinstance(left, nn.Parameter) and not isinstance(right, nn.Parameter)
    return Origin(-2 if weight_first and call.result.dim() > 1 else -1)


def _sum_of_products(call: Call) -> Origin | None:
    """An einsum's units are those of its letters that come from weights alone."""
    equation, operands = call.arguments[0], call.arguments[1:]
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    if not isinstance(equation, str) or "->" not in equation or "." in equation:
        return None
    terms, _, output = equation.replace(" ", "").partition("->")
    weights, others = "", ""
    for term, operand in zip(terms.split(","), operands, strict=True):
        if isinstance(operand, nn.Parameter):
            weights += term
        else:
            others += term
    units = [letter for letter in output if letter in weights and letter not in others]
    return Origin(output.index(units[0]) - len(output)) if len(units) == 1 else None


def _convolution(axes: int, call: Call) -> Origin:
    return Origin(-(axes + 1), call.argument(1, "weight"), call.argument(2, "bias"))


def _transposed_convolution(axes: int, call: Call) -> Origin:
    """Its weights have the units on their second axis, and in groups those of one group alone."""
    weight, groups = call.argument(1, "weight"), call.argument(6, "groups")
    plain = isinstance(weight, Tensor) and groups in (None, 1)
    return Origin(-(axes + 1), weight.transpose(0, 1) if plain else None, call.argument(2, "bias"))


def _batch_norm(call: Call) -> Origin:
    """Scales and shifts what a layer has computed: the weights are the layer's, the bias its own."""
    weight = None if call.input is None else call.input[1].weight
    return Origin(1 - call.result.dim(), weight, call.argument(4, "bias"))


def _norm_of_channels(weight: int, call: Call) -> Origin:
    return Origin(1 - call.result.dim(), call.argument(weight, "weight"), call.argument(weight + 1, "bias"))


def _norm_of_examples(call: Call) -> Origin:
    """Layer and RMS norm have units on any axis; their weights have them on the same, counted from the end."""
    axis = -1 if call.source is None else call.source[1].axis
    weight, bias = call.argument(2, "weight"), call.argument(3, "bias")
    if not isinstance(weight, Tensor) or weight.dim() < -axis:
        return Origin(axis)
    plain = weight.dim() == 1
    return Origin(axis, weight if plain else weight.movedim(axis, 0), bias if plain else None)


def _ruled(rule: Rule, *names: str) -> dict[Function, Rule]:
    return dict.fromkeys(spellings(names), rule)


POOLS = [
    f"{pool}_pool{axes}d"
    for pool in ("max", "avg", "adaptive_max", "adaptive_avg", "lp")
    for axes in (1, 2, 3)
]
DROPOUTS = ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"]
COPIES = ["contiguous", "clone", "detach", "to", "type", "type_as", "float", "double", "half", "bfloat16"]
ORDERS = ["transpose", "permute", "movedim", "moveaxis", "swapaxes", "swapdims", "t", "adjoint"]
SHAPES = ["view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as", "ravel"]

LAYERS: dict[Function, Rule] = {
    **_ruled(_linear, "linear"),
    **_ruled(_last, "bilinear", "embedding", "addmm", "baddbmm", "addbmm", "multi_head_attention_forward"),
    **_ruled(_product, "matmul", "mm", "bmm"),
    **_ruled(_sum_of_products, "einsum"),
    **_ruled(_batch_norm, "batch_norm"),
    **_ruled(partial(_norm_of_channels, 2), "group_norm"),
    **_ruled(partial(_norm_of_channels, 3), "instance_norm"),
    **_ruled(_norm_of_examples, "layer_norm", "rms_norm"),
}
"""Function -> the origin of what it computes, which decides where units are."""
for _axes in (1, 2, 3):
    LAYERS |= _ruled(partial(_convolution, _axes), f"conv{_axes}d")
    LAYERS |= _ruled(partial(_transposed_convolution, _axes), f"conv_transpose{_axes}d")

RULES: dict[Function, Rule] = {
    **LAYERS,
    # The largest or the mean of what a unit computes has its bias too.
    **_ruled(_unchanged, *DROPOUTS, *COPIES, *POOLS),
    **_ruled(_moved, *ORDERS),
    **{getattr(Tensor, name).__get__: _moved for name in ("T", "mT", "H", "mH")},
    **_ruled(_reshaped, *SHAPES),
}
"""The same for all functions that are followed."""
