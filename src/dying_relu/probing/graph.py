"""A model's operations as a torch.fx graph, and the axis of an activation's units after each operation.

Only operations that treat every unit by itself, and that make 0 of a unit that is 0 everywhere, are followed. Whatever is not
listed here stops; to follow another operation, add it where it belongs.
"""

import inspect
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn
from torch.fx import Graph, Node, Tracer
from torch.fx.node import map_arg

from dying_relu.probing.activations import (
    CallNames,
    activation,
    is_activation,
    is_custom_activation,
    place_of_function,
)
from dying_relu.probing.batches import evaluation_mode


class _Tracer(Tracer):
    """Looks no further into what the probe sees as one activation."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_custom_activation(m) or super().is_leaf_module(m, module_qualified_name)


def trace(model: nn.Module, given: Collection[str] = ()) -> Graph:
    """Trace the operations of a model in evaluation mode, called as the probe calls it.

    Arguments other than the first and those ``given`` by name are at their defaults, since a model may go another way with them. An
    error of ``torch.fx`` for a model that it cannot trace is passed on.

    Args:
        model: any module.
        given: names of the arguments that the data give.
    """
    others = list(inspect.signature(model.forward).parameters.values())[1:]
    defaults = {
        one.name: one.default for one in others if one.default is not one.empty and one.name not in given
    }
    with evaluation_mode(model):
        return _Tracer().trace(model, concrete_args=defaults or None)


def activation_nodes(graph: Graph, model: nn.Module) -> dict[str, Node]:
    """The calls of activations by the names of :class:`dying_relu.probing.hooks.Layer`.

    Args:
        graph: by :func:`trace`.
        model: the same model.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    >>> list(activation_nodes(trace(model), model))
    ['1']
    """
    names = CallNames()
    places = [(node, _place(node, model)) for node in graph.nodes]
    return {names.next(place): node for node, place in places if place}


def _place(node: Node, model: nn.Module) -> str | None:
    """The place of the activation that ``node`` calls, if it calls one."""
    if node.op == "call_module":
        path = str(node.target)
        return path if is_activation(model.get_submodule(path)) else None
    if callable(node.target):
        function = node.target
    elif node.op == "call_method" and (method := getattr(Tensor, node.target, None)):
        function = method
    else:
        return None
    arguments, options = map_arg((node.args, node.kwargs), lambda one: _fetched(one, model))
    kind = activation(function, arguments, options)
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    return place_of_function(stack[-1][0] if stack else "", kind) if kind else None


def _fetched(node: Node, model: nn.Module) -> Any:
    """A parameter or buffer of the model, by which a clamp is told from a ReLU; what is computed stays a node."""
    if node.op != "get_attr":
        return node
    *path, name = str(node.target).split(".")
    return getattr(model.get_submodule(".".join(path)), name)


POOLS = ("MaxPool", "AvgPool", "AdaptiveMaxPool", "AdaptiveAvgPool")
POOLING_MODULES = {getattr(nn, f"{pool}{axes}d"): axes for pool in POOLS for axes in (1, 2, 3)}
POOLING_FUNCTIONS = {
    f"{pool}_pool{axes}d": axes
    for pool in ("max", "avg", "adaptive_max", "adaptive_avg")
    for axes in (1, 2, 3)
}
UNCHANGED_MODULES = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
UNCHANGED_FUNCTIONS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "contiguous")
RESHAPES = ("view", "reshape")


@dataclass(frozen=True)
class Place:
    """The axis of a tensor that holds the units, and how.

    Attributes:
        axis: of the units, counted from the front.
        axes: how many the tensor has; the first is the examples'.
        repeated: the axis holds all units, once for every position (what flattening an axis before the units' makes of them).
        spread: the axis holds all positions of a unit side by side (flattening an axis behind the units').
    """

    axis: int
    axes: int
    repeated: bool = False
    spread: bool = False

    @property
    def plain(self) -> bool:
        """Tell whether the axis has one entry for each unit."""
        return not self.repeated and not self.spread

    def flattened(self, start: int, end: int) -> "Place | None":
        """The place after the axes from ``start`` to ``end`` have become one; None where units cannot be told apart."""
        start, end = start % self.axes, end % self.axes
        axes = self.axes - (end - start)
        if not start <= self.axis <= end:
            return replace(self, axes=axes, axis=self.axis - (end - start if end < self.axis else 0))
        if start == end:
            return self
        repeated, spread = self.axis > start, self.axis < end
        # The examples' axis grows with the batch; a second flattening, or one to both sides, would need the shapes.
        if start == 0 or not self.plain or (repeated and spread):
            return None
        return Place(start, axes, repeated, spread)

    def averaged(self, axes: Any, keep: bool) -> "Place | None":
        """The place after a mean over ``axes``, which stay with length 1 if ``keep``; None if it is one over units or examples."""
        gone = {axis % self.axes for axis in ([axes] if isinstance(axes, int) else axes)}
        if gone & {0, self.axis}:
            return None
        return (
            self
            if keep
            else replace(
                self, axes=self.axes - len(gone), axis=self.axis - sum(axis < self.axis for axis in gone)
            )
        )


def place_after(node: Node, module: nn.Module | None, place: Place) -> Place | None:
    """The place of the units in the result of ``node``; None if that is not known.

    Args:
        node: an operation, whose first argument is a tensor with the units at ``place``.
        module: the module that it calls, if it calls one.
        place: of the units in its argument.
    """
    if module is not None:
        return _place_after_module(module, place)
    name, options = name_of(node), node.kwargs
    arguments = node.args[1:]
    if name in UNCHANGED_FUNCTIONS:
        return place
    if name in POOLING_FUNCTIONS:
        return _pooled(POOLING_FUNCTIONS[name], place)
    if name == "flatten":
        start = options.get("start_dim", arguments[0] if arguments else 0)
        end = options.get("end_dim", arguments[1] if len(arguments) > 1 else -1)
        return place.flattened(start, end) if isinstance(start, int) and isinstance(end, int) else None
    # x.view(x.size(0), -1)
    if name in RESHAPES and len(arguments) == 2 and _is_batch_size(arguments[0]):
        return place.flattened(1, -1) if arguments[1] == -1 and place.axes > 1 else None
    if name == "mean":
        axes = options.get("dim", arguments[0] if arguments else None)
        keep = bool(options.get("keepdim", arguments[1] if len(arguments) > 1 else False))
        return place.averaged(axes, keep) if isinstance(axes, int | tuple | list) else None
    return None


def name_of(node: Node) -> str:
    """The name of the function or method that a node calls."""
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))


def asks_for_another_size(node: Node, place: Place) -> bool:
    """Tell whether an operation only asks for the lengths of axes other than the units'.

    Args:
        node: an operation on a tensor with the units at ``place``.
        place: of the units in its argument.
    """
    if name_of(node) == "size" and len(node.args) == 2:
        return _is_another(node.args[1], place)
    if _is_shape(node):
        return all(
            name_of(user) == "getitem" and (_is_another(user.args[1], place) or not user.users)
            for user in node.users
        )
    return False


def _is_another(axis: Any, place: Place) -> bool:
    return isinstance(axis, int) and axis % place.axes != place.axis


def _is_shape(node: Node) -> bool:
    """Tell whether ``node`` is ``x.shape`` or ``x.size()``."""
    name = name_of(node)
    return (name == "getattr" and node.args[1] == "shape") or (name == "size" and len(node.args) == 1)


def _place_after_module(module: nn.Module, place: Place) -> Place | None:
    if type(module) in UNCHANGED_MODULES:
        return place
    if type(module) in POOLING_MODULES:
        return _pooled(POOLING_MODULES[type(module)], place)
    return place.flattened(module.start_dim, module.end_dim) if type(module) is nn.Flatten else None


def _pooled(spatial: int, place: Place) -> Place | None:
    return place if place.plain and place.axis == 1 and place.axes == spatial + 2 else None


def _is_batch_size(size: Any) -> bool:
    """Tell whether ``size`` is the length of a tensor's first axis, where every tensor of a model has the examples."""
    if not isinstance(size, Node):
        return False
    if name_of(size) == "size":
        return size.args[1:] == (0,)
    shape = size.args[0] if name_of(size) == "getitem" and size.args[1] == 0 else None
    return isinstance(shape, Node) and _is_shape(shape)
