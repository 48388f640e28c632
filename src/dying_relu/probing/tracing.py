"""A model's operations as a graph, and its activations in it under the names that the probe gives them."""

import inspect
from collections import Counter
from collections.abc import Collection

from torch import Tensor, nn
from torch.fx import Graph, Node, Tracer

from dying_relu.probing.functions import activation
from dying_relu.probing.showing import evaluating


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
        return Tracer().trace(model, concrete_args=defaults or None)


def activations(graph: Graph, model: nn.Module) -> dict[str, Node]:
    """The calls of activations by the names of :class:`dying_relu.probing.watching.Layer`.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    >>> list(activations(traced(model), model))
    ['1']
    """
    calls: Counter[str] = Counter()
    found = {}
    for node in graph.nodes:
        if place := _place(node, model):
            calls[place] += 1
            found[place if calls[place] == 1 else f"{place}#{calls[place]}"] = node
    return found


def _place(node: Node, model: nn.Module) -> str | None:
    """Where an activation is called, if ``node`` calls one."""
    if node.op == "call_module":
        path = str(node.target)
        module = model.get_submodule(path)
        return path if type(module).__module__ == "torch.nn.modules.activation" else None
    if callable(node.target):
        kind = activation(node.target, node.args, node.kwargs)
    elif node.op == "call_method" and (method := getattr(Tensor, node.target, None)):
        kind = activation(method, node.args, node.kwargs)
    else:
        return None
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path = stack[-1][0] if stack else ""
    return f"{path}:{kind}" if kind and path else kind
