"""A model's operations as a graph, and its activations in it under the names that the probe gives them."""

import inspect
from collections.abc import Collection
from typing import Any

from torch import Tensor, nn
from torch.fx import Graph, Node, Tracer
from torch.fx.node import map_arg

from dying_relu.probing.functions import activation
from dying_relu.probing.naming import Names, is_activation, is_self_made, place_of_function
from dying_relu.probing.showing import evaluating


class _Tracer(Tracer):
    """Looks no further into what the probe sees as one activation."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_self_made(m) or super().is_leaf_module(m, module_qualified_name)


def traced(model: nn.Module, given: Collection[str] = ()) -> Graph:
    """The operations of ``model`` in evaluation mode, called as the probe calls it.

    Arguments other than the first and those ``given`` by name are at their defaults, since a model may go another way with them. What
    ``torch.fx`` raises for a model that it cannot trace is passed on.
    """
    others = list(inspect.signature(model.forward).parameters.values())[1:]
    defaults = {
        one.name: one.default for one in others if one.default is not one.empty and one.name not in given
    }
    with evaluating(model):
        return _Tracer().trace(model, concrete_args=defaults or None)


def activations(graph: Graph, model: nn.Module) -> dict[str, Node]:
    """The calls of activations by the names of :class:`dying_relu.probing.watching.Layer`.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    >>> list(activations(traced(model), model))
    ['1']
    """
    names = Names()
    places = [(node, _place(node, model)) for node in graph.nodes]
    return {names.next(place): node for node, place in places if place}


def _place(node: Node, model: nn.Module) -> str | None:
    """Where an activation is called, if ``node`` calls one."""
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
