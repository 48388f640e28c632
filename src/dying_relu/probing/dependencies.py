"""Dependencies of the units of an activation: the layer that computes them and the layers that read them.

The model is traced with torch.fx and the units are followed from operation to operation, forwards and backwards. Where that
cannot be done beyond doubt the answer is the reason, in words.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.fx import Graph, Node

from dying_relu.errors import DyingReluError
from dying_relu.probing.activations import ACTIVATIONS, place_of
from dying_relu.probing.graph import (
    Place,
    activation_nodes,
    asks_for_another_size,
    name_of,
    place_after,
    trace,
)
from dying_relu.probing.hooks import Layer
from dying_relu.probing.report import Report

CONVOLUTIONS: dict[type[nn.Module], int] = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


@dataclass(frozen=True)
class Reader:
    """A layer that reads units.

    Attributes:
        path: of the Linear or convolution.
        spread: the inputs are all positions of the first unit, then those of the second, and so on; else all units of the first
            position, then those of the second.
    """

    path: str
    spread: bool

    def columns(self, units: Tensor, inputs: int) -> Tensor:
        """The inputs that come from ``units``.

        Args:
            units: (U,) bool.
            inputs: their number, a multiple of U.

        Returns:
            (inputs,) bool.

        >>> import torch
        >>> Reader("fc", spread=True).columns(torch.tensor([True, False]), 4).tolist()
        [True, True, False, False]
        """
        positions = inputs // len(units)
        return units.repeat_interleave(positions) if self.spread else units.repeat(positions)


@dataclass(frozen=True)
class Dependencies:
    """The layers that have entries for the units of one activation.

    Attributes:
        feed: path of the Linear or convolution that computes them.
        norms: paths of the batch normalisations between it and the activation.
        readers: the layers that read them.
    """

    feed: str
    norms: tuple[str, ...]
    readers: tuple[Reader, ...]


class _CannotFollow(Exception):
    """The reason, in words."""


def find_dependencies(model: nn.Module, report: Report) -> dict[str, Dependencies | str]:
    """Find the dependencies of every layer of a report.

    Args:
        model: the one that was probed.
        report: of that model.

    Returns:
        Layer name -> its dependencies, or the reason why they cannot be told.

    Raises:
        DyingReluError: the model has no such layer, or the report is none.
    """
    if not isinstance(report, Report):
        raise DyingReluError(
            "the report", found=type(report).__name__, expected="what probe(model, data) returns"
        )
    layers = report.layers
    for name in layers:
        _require_place(model, name)
    try:
        graph = trace(model, report.arguments)
    except (RuntimeError, TypeError, ValueError, AttributeError, LookupError, AssertionError) as error:
        return dict.fromkeys(layers, _untraceable(error))
    nodes = activation_nodes(graph, model)
    traced_calls = Counter(map(place_of, nodes))
    dependencies: dict[str, Dependencies | str] = {}
    for name, layer in layers.items():
        called, number = report.calls[place_of(name)], traced_calls[place_of(name)]
        # One call more or less, and the numbers after "#" would be of other calls.
        dependencies[name] = (
            _Search(graph, model, layer).find(nodes.get(name))
            if number in (0, called)
            else f"the data called {called} activations there, and torch.fx finds {number}"
        )
    return dependencies


def _untraceable(error: Exception) -> str:
    message = str(error).partition("\n")[0]
    return (
        "torch.fx cannot trace the model, whose forward depends on its inputs or takes them in a way of its own "
        f"({type(error).__name__}{': ' if message else ''}{message}); probe a part of the model that can be traced, such as a "
        "Sequential in it, on what comes into that part"
    )


def _require_place(model: nn.Module, name: str) -> None:
    path, _, function = place_of(name).partition(":")
    at_the_root = not function and path in (*ACTIVATIONS.values(), type(model).__name__)
    if path not in dict(model.named_modules()) and not at_the_root:
        raise DyingReluError(
            f"the model has no layer {name}",
            expected="the model that the report is of",
            remedy="probe this one first",
        )


class _Search:
    """Follows the units of one layer, backwards to what computes them and forwards to what reads them."""

    def __init__(self, graph: Graph, model: nn.Module, layer: Layer) -> None:
        self.model, self.layer = model, layer
        self.place = Place(layer.axis % layer.axes, layer.axes)
        self.called = Counter(node.target for node in graph.nodes if node.op == "call_module")
        self.fetched = [node.target for node in graph.nodes if node.op == "get_attr"]
        self.owners = Counter(
            id(parameter) for module in model.modules() for parameter in module._parameters.values()
        )

    def find(self, node: Node | None) -> Dependencies | str:
        try:
            if node is None:
                raise _CannotFollow("it is called inside a module that torch.fx does not look into")
            feed, norms = self._backwards(node)
            readers = tuple(self._forwards(node, self.place))
            if not readers:
                raise _CannotFollow("nothing reads it")
            return Dependencies(feed, norms, readers)
        except _CannotFollow as reason:
            return str(reason)

    def _backwards(self, node: Node) -> tuple[str, tuple[str, ...]]:
        norms: list[str] = []
        slopes = self._module(node)
        if len(node.all_input_nodes) > 1 or (slopes and any(one.numel() > 1 for one in slopes.parameters())):
            raise _CannotFollow("it has parameters for every unit")
        while node.all_input_nodes:
            node = node.all_input_nodes[0]
            if len([user for user in node.users if not asks_for_another_size(user, self.place)]) > 1:
                raise _CannotFollow(f"its pre-activations are used elsewhere too ({node.name})")
            module = self._module(node)
            if type(module) in NORMALISATIONS:
                if self.place.axis != 1 or module.num_features != self.layer.units:
                    raise _CannotFollow(f"{node.target} does not normalise its units one by one")
                norms.append(self._own(node))
            elif type(module) is nn.Linear or type(module) in CONVOLUTIONS:
                self._require_entries(node, module, module.weight.shape[0], self.place)
                return self._own(node), tuple(norms)
            elif place_after(node, module, self.place) != self.place:
                raise _CannotFollow(
                    f"its pre-activations come from {_described(node)}, not from a plain layer"
                )
        raise _CannotFollow("no layer feeds it")

    def _forwards(self, node: Node, place: Place) -> Iterator[Reader]:
        for user in node.users:
            module = self._module(user)
            if asks_for_another_size(user, place):
                continue
            if user.all_input_nodes[:1] != [node]:
                raise _CannotFollow(f"its output goes to {_described(user)}")
            if type(module) is nn.Linear or type(module) in CONVOLUTIONS:
                self._require_entries(user, module, module.weight.shape[1], place)
                yield Reader(self._own(user), place.spread)
            elif (after := place_after(user, module, place)) is not None:
                yield from self._forwards(user, after)
            else:
                raise _CannotFollow(f"its output goes to {_described(user)}")

    def _module(self, node: Node) -> Any:
        return self.model.get_submodule(str(node.target)) if node.op == "call_module" else None

    def _require_entries(self, node: Node, module: Any, entries: int, place: Place) -> None:
        """The weights of ``module`` must have entries for the units at ``place``."""
        if type(module) in CONVOLUTIONS:
            if module.groups != 1:
                raise _CannotFollow(f"{node.target} is a grouped convolution")
            fits = place.plain and place.axis == 1 and place.axes == CONVOLUTIONS[type(module)] + 2
        else:
            fits = place.axis == place.axes - 1
        units = self.layer.units
        if not fits or entries % units or (place.plain and entries != units):
            raise _CannotFollow(f"{node.target} does not have an entry for each unit")

    def _own(self, node: Node) -> str:
        """The path of a module that is called once and whose parameters are plain and its own."""
        path = str(node.target)
        module = self.model.get_submodule(path)
        parameters = [one for one in module._parameters.values() if one is not None]
        shared = self.called[path] > 1 or any(self.owners[id(one)] > 1 for one in parameters)
        if shared or any(str(fetched).startswith(f"{path}.") for fetched in self.fetched):
            raise _CannotFollow(f"{path} is used in more than one place")
        if "weight" not in module._parameters:
            raise _CannotFollow(f"the weights of {path} are computed, not parameters of their own")
        return path


def _described(node: Node) -> str:
    if node.op == "output":
        return "the output of the model"
    return str(node.target) if node.op in ("call_module", "placeholder", "get_attr") else name_of(node)
