"""Dependencies of the units of an activation: the entries of parameters that compute them, and those that read them.

The units are followed through the operations of a forward pass over the data, backwards to the products with weights that feed
them, and forwards to those that read them. Where that cannot be done beyond doubt the answer is the reason, in words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.activations import place_of
from dying_relu.probing.batches import device_of, preserved_random_state
from dying_relu.probing.calling import on_device
from dying_relu.probing.forward_pass import ForwardPass
from dying_relu.probing.graph import Graph, Parameter
from dying_relu.probing.graph_recorder import record
from dying_relu.probing.layers import Layer
from dying_relu.probing.recorder import Recorder
from dying_relu.probing.report import Report
from dying_relu.probing.states import preserved_state
from dying_relu.probing.unit_labels import CannotFollow
from dying_relu.probing.unit_paths import UnitPaths


@dataclass(frozen=True)
class Entries:
    """The entries of one parameter that belong to units.

    Attributes:
        parameter: with its place in the model.
        role: "weight" and "bias" compute the units, "scale", "shift", "mean" and "variance" stand between, "reader" reads them.
        labels: of the parameter's shape: the number of the unit plus one, 0 for none.
    """

    parameter: Parameter
    role: str
    labels: Tensor

    def of(self, chosen: Tensor) -> Tensor:
        """The entries that belong to some units.

        Args:
            chosen: (U,) bool.

        Returns:
            A mask of the parameter's shape.

        >>> entries = Entries(Parameter("fc", "weight", torch.ones(2, 2)), "reader", torch.tensor([[1, 2], [1, 2]]))
        >>> entries.of(torch.tensor([True, False])).tolist()
        [[True, False], [True, False]]
        """
        table = torch.cat([torch.zeros(1, dtype=torch.bool), chosen.cpu()])
        return table[self.labels.long()]

    @property
    def axis(self) -> int | None:
        """The axis along which the units lie; None if they lie otherwise."""
        for axis in range(self.labels.dim()):
            first = self.labels
            for other in range(first.dim()):
                if other != axis:
                    first = first.narrow(other, 0, 1)
            if bool((self.labels == first).all()):
                return axis
        return None


@dataclass(frozen=True)
class Dependencies:
    """The entries of parameters that belong to the units of one activation.

    Attributes:
        entries: first those that compute the units, then those between, then those that read them.
        grouped: the convolutions in groups among them, which cannot lose single channels.
    """

    entries: tuple[Entries, ...]
    grouped: tuple[str, ...] = ()

    @property
    def feed(self) -> str:
        """The layers that compute the units, by path."""
        return self._paths("weight")

    @property
    def readers(self) -> str:
        """The layers that read them, by path."""
        return self._paths("reader")

    def _paths(self, role: str) -> str:
        return ", ".join(dict.fromkeys(str(one.parameter) for one in self.entries if one.role == role))


def find_dependencies(
    model: nn.Module, report: Report, data: Iterable[Any] | None = None
) -> dict[str, Dependencies | str]:
    """Find the dependencies of every layer of a report.

    Args:
        model: the one that was probed.
        report: of that model.
        data: batches to follow the units on; by default those that the report was made with.

    Returns:
        Layer name -> its dependencies, or the reason why they cannot be told.

    Raises:
        DyingReluError: the model has no such layer, the report is none, its loader gives its batches only once.
    """
    if not isinstance(report, Report):
        raise DyingReluError(
            "the report", found=type(report).__name__, expected="what probe(model, data) returns"
        )
    for layer in report.layers.values():
        _require_place(model, layer)
    by_layer: dict[str, Dependencies | str] = {}
    seen: set[Any] = set()
    recorder = Recorder(axes_of(report))
    data = report.loader if data is None else data
    with preserved_random_state(data), preserved_state(model):
        most = (report.batches or None) if data is report.loader else None
        for number, batch in enumerate(islice(data, most), start=1):
            call = partial(_called, on_device(batch, device_of(model)), number, report.way)
            graph = record(model, call, recorder, report.call, report.activations)
            if (signature := hash(graph.signature())) in seen:
                continue
            seen.add(signature)
            for name, layer in report.layers.items():
                if name in graph.calls:
                    by_layer[name] = _joined(by_layer.get(name), _of_layer(graph, name, layer))
    unseen = "the model did not call it again on these data"
    return {name: by_layer.get(name, unseen) for name in report.layers}


def _called(batch: Any, number: int, way: str | None, forward: ForwardPass) -> Any:
    forward.way = way
    return forward.run(forward.inputs(batch, number), number)[1]


def axes_of(report: Report) -> dict[str, int | tuple[int, ...]]:
    """The axes of the units as they are in a report, by the names of its calls."""
    return {call: layer.unit_axes for layer in report.layers.values() for call in (layer.name, *layer.calls)}


def _of_layer(graph: Graph, name: str, layer: Layer) -> Dependencies | str:
    try:
        paths = UnitPaths(graph, layer)
        for call in graph.calls[name]:
            paths.follow(call)
        paths.require_own()
    except CannotFollow as reason:
        return str(reason)
    return Dependencies(
        tuple(Entries(parameter, role, labels) for (_, role), (parameter, labels) in paths.entries.items()),
        tuple(paths.grouped),
    )


def _joined(old: Dependencies | str | None, new: Dependencies | str) -> Dependencies | str:
    """What is known of a layer from several batches, which may take different ways through the model."""
    if old is None or isinstance(new, str):
        return new
    if isinstance(old, str):
        return old
    known = {(id(one.parameter.tensor), one.role): one for one in old.entries}
    for one in new.entries:
        key = (id(one.parameter.tensor), one.role)
        if key in known and not known[key].labels.equal(one.labels):
            return f"{one.parameter} does not belong to the same units on all batches"
        known.setdefault(key, one)
    return Dependencies(tuple(known.values()), tuple(dict.fromkeys((*old.grouped, *new.grouped))))


def _require_place(model: nn.Module, layer: Layer) -> None:
    path, _, function = place_of(layer.name).partition(":")
    at_the_root = not function and path in (layer.kind, type(model).__name__)
    if path not in dict(model.named_modules()) and not at_the_root:
        raise DyingReluError(
            f"the model has no layer {layer.name}",
            expected="the model that the report is of",
            remedy="probe this one first",
        )
