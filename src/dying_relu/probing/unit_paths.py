"""The paths of a layer's units through a recorded forward pass: from the weights that compute them to those that read them."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from dying_relu.probing.contractions import CONVOLUTIONS, PRODUCTS, Contraction, contraction
from dying_relu.probing.followed_operations import (
    CHOICES,
    GATHERINGS,
    MIXTURES,
    NORMALISATIONS,
    SCALINGS,
    SUMS,
    is_followed,
    is_zero,
    keeps_zero,
)
from dying_relu.probing.graph import Graph, GraphCall, Operation, Parameter, Value
from dying_relu.probing.layers import Layer
from dying_relu.probing.unit_labels import (
    CannotFollow,
    broadcast_labels,
    compact,
    labels_after,
    labels_along,
    parameter_labels,
    replaced,
    unit_labels,
)

NORM_ROLES = ("scale", "shift", "mean", "variance")
"""Of the arguments of a batch normalisation behind its input."""


class UnitPaths:
    """Follows the units of one layer, and collects the entries of parameters that belong to them.

    Attributes:
        entries: (parameter, role) -> the parameter and the labels of its entries.
        grouped: the convolutions in groups among them.
    """

    def __init__(self, graph: Graph, layer: Layer) -> None:
        self.graph, self.layer = graph, layer
        self._axes = tuple(axis % layer.axes for axis in layer.unit_axes) if layer.axes else ()
        self.entries: dict[tuple[int, str], tuple[Parameter, Tensor]] = {}
        self.grouped: list[str] = []
        self._computing: set[int] = set()
        self._reading: set[int] = set()
        """The numbers of the operations that compute units of this layer, and of those that read them."""
        self._results = {
            id(call.after): name
            for name, calls in graph.calls.items()
            for call in calls
            if call.after is not call.before  # which a mark gives back
        }

    def follow(self, call: GraphCall) -> None:
        """Follow the units of one call.

        Raises:
            CannotFollow: the reason.
        """
        if call.after.source is None:
            raise CannotFollow("its output cannot be seen")
        if call.after.shape != call.before.shape:
            raise CannotFollow("its output has another shape than its pre-activations")
        inside = call.inside()
        self._require_no_parameters(inside)
        feeds, between = self._backwards(call)
        for feed in feeds:
            self._from_feed(feed, between, call, inside)
        self._to_readers(call, inside)

    def _after(self, number: int, inside: set[int]) -> Iterator[Operation]:
        """The operations behind one, but for those inside of the activation."""
        yield from (one for one in self.graph.operations if one.number > number and one.number not in inside)

    def _require_no_parameters(self, inside: set[int]) -> None:
        for operation in self.graph.operations:
            if operation.number not in inside:
                continue
            _require_no_aliases(operation)
            if any(one.parameter is not None and one.shape.numel() > 1 for one in operation.values):
                raise CannotFollow("it has parameters for every unit")

    def _backwards(self, call: GraphCall) -> tuple[list[Operation], list[Operation]]:
        """The products that feed a call, and the operations between."""
        feeds: dict[int, Operation] = {}
        between: dict[int, Operation] = {}
        self._collect(call.before, "", feeds, between)
        if not feeds:
            raise CannotFollow("no layer feeds it")
        return list(feeds.values()), list(between.values())

    def _collect(
        self, value: Value, by: str, feeds: dict[int, Operation], between: dict[int, Operation]
    ) -> None:
        """Add what a value is computed by; ``by`` is the last sum on the way, for a message."""
        operation = value.source
        if value.parameter is not None or (operation and operation.number in {**feeds, **between}):
            return
        if operation is None or id(value) in self._results or not _is_plain(operation):
            if operation is None and not by and id(value) not in self._results:
                raise CannotFollow("no layer feeds it")
            origin = self._results.get(id(value)) or (
                _described(operation) if operation else "the model's input"
            )
            raise CannotFollow(f"its pre-activations come from {by or origin}, not from a plain layer")
        if contraction(operation) is not None:
            feeds[operation.number] = operation
            return
        between[operation.number] = operation
        by = operation.name if operation.name in SUMS else by
        reasons = []
        values = _carriers(operation, value, self._axes)
        for one in values:
            try:
                self._collect(one, by, feeds, between)
            except CannotFollow as reason:
                # What a unit is multiplied by may be anything; what is added to it must be a layer's, too.
                if operation.name not in SCALINGS:
                    raise
                reasons.append(reason)
        if reasons and len(reasons) == len(values):
            raise reasons[0]

    def _from_feed(
        self, feed: Operation, between: list[Operation], call: GraphCall, inside: set[int]
    ) -> None:
        """Add the entries of the weights that feed a call, and of what stands between."""
        product = contraction(feed)
        assert product is not None
        if product.bias is not None and product.bias.parameter is None:
            raise CannotFollow(f"its pre-activations come from {feed.name}, not from a plain layer")
        columns, labels = product.output_columns(feed.results[0])
        known = {id(feed.results[0]): labels}
        elsewhere: list[tuple[str, Tensor]] = []
        for operation in self._after(feed.number, inside):
            taken = [one for one in operation.values if id(one) in known and one is not call.after]
            if not taken:
                continue
            after = labels_after(operation, known) if is_followed(operation) else None
            if after is None:
                elsewhere += [(str(operation), known[id(one)]) for one in taken]
                continue
            self._note(operation, after, known)
            elsewhere += [
                (one.kept_by, known[id(one)]) for one in operation.results if one.kept_by and id(one) in known
            ]
        if id(call.before) not in known:
            raise CannotFollow(f"its pre-activations come from {feed.name}, not from a plain layer")
        table = self._units_of_columns(known[id(call.before)], call.before, columns.numel())
        for name, labels in elsewhere:
            if bool(replaced(labels, table).any()):
                raise CannotFollow(f"its pre-activations are used elsewhere too ({name})")
        self._add_feed(feed, product, columns, table)
        for operation in between:
            if operation.results and id(operation.results[0]) in known:
                self._add_between(operation, replaced(known[id(operation.results[0])], table))

    def _units_of_columns(self, columns: Tensor, before: Value, number: int) -> Tensor:
        """The unit that each output of a product feeds: (number + 1,), with 0 for those that feed none."""
        units = unit_labels(before, self._axes, self.layer.units)
        shape = [
            1 if columns.stride(axis) == 0 == units.stride(axis) else size
            for axis, size in enumerate(before.shape)
        ]
        small = [one[tuple(slice(0, size) for size in shape)].reshape(-1) for one in (columns, units)]
        table = torch.zeros(number + 1, dtype=torch.int32)
        table[small[0].long()] = small[1]
        if not bool((table[small[0].long()] == small[1])[small[0] != 0].all()):
            raise CannotFollow("its pre-activations do not have weights for each unit")
        table[0] = 0
        return table

    def _add_feed(self, feed: Operation, product: Contraction, columns: Tensor, table: Tensor) -> None:
        self._computing.add(feed.number)
        units = table[columns.long()]
        self._add(product.weight, "weight", product.weights_of_outputs(units))
        if product.bias is not None:
            labels = (
                units.reshape(-1) if product.kind == "convolution" else units.expand(feed.results[0].shape)
            )
            if (of_bias := broadcast_labels(labels, product.bias.shape)) is not None:
                self._add(product.bias, "bias", of_bias)
        if product.groups > 1:
            self.grouped.append(str(product.weight.parameter))

    def _add_between(self, operation: Operation, labels: Tensor) -> None:
        """Add the entries of the parameters that an operation before the activation scales or shifts units by."""
        self._computing.add(operation.number)
        if NORMALISATIONS.fullmatch(operation.name):
            of_units = labels_along(labels, 1, operation.name)
            for role, value in zip(NORM_ROLES, operation.arguments[1:5], strict=True):
                if isinstance(value, Value) and value.parameter is not None:
                    self._add(value, role, of_units)
            return
        role = "scale" if operation.name in SCALINGS else "bias"
        for value in operation.values:
            if value.parameter is None or value.shape.numel() == 1:
                continue
            of_parameter = broadcast_labels(labels, value.shape)
            if of_parameter is not None:
                self._add(value, role, of_parameter)

    def _to_readers(self, call: GraphCall, inside: set[int]) -> None:
        """Add the entries of the weights that read the units of a call."""
        assert call.after.source is not None
        known = {id(call.after): unit_labels(call.after, self._axes, self.layer.units)}
        self._require_inside(call.after)
        readers = 0
        for operation in self._after(call.after.source.number, inside):
            if not any(id(one) in known for one in operation.values):
                continue
            product = contraction(operation)
            if product is not None and id(product.data) in known and _is_alone(product, known):
                self._reading.add(operation.number)
                labels = product.weights_of_inputs(known[id(product.data)], str(product.weight.parameter))
                self._add(product.weight, "reader", labels)
                readers += 1
                if product.groups > 1:
                    self.grouped.append(str(product.weight.parameter))
                continue
            after = (
                labels_after(operation, known) if is_followed(operation) and keeps_zero(operation) else None
            )
            if after is None:
                raise CannotFollow(f"its output goes to {operation}")
            self._note(operation, after, known)
            for one in operation.results:
                if id(one) in known:
                    self._require_inside(one)
        if not readers:
            raise CannotFollow("nothing reads it")

    @staticmethod
    def _require_inside(value: Value) -> None:
        if value.kept_by:
            raise CannotFollow(f"its output goes to {value.kept_by}")

    @staticmethod
    def _note(operation: Operation, after: list[Tensor | None], known: dict[int, Tensor]) -> None:
        """Remember the labels of what an operation gave, where there are some."""
        _require_no_aliases(operation)
        for value, labels in zip(operation.results, after, strict=False):
            if labels is not None and bool(compact(labels).any()):
                known[id(value)] = labels

    def _add(self, value: Value, role: str, labels: Tensor) -> None:
        of_parameter = parameter_labels(value, labels)
        parameter = value.parameter
        assert parameter is not None
        key = (id(parameter.tensor), role)
        if key in self.entries and not self.entries[key][1].equal(of_parameter):
            raise CannotFollow(f"{parameter} is used in more than one place")
        self.entries[key] = (parameter, of_parameter)

    def require_own(self) -> None:
        """Require that nothing else computes with the entries that were found.

        Raises:
            CannotFollow: something does.
        """
        for (_, role), (parameter, labels) in self.entries.items():
            own = self._reading if role == "reader" else self._computing
            for operation in self.graph.consumers_of(parameter):
                if operation.number in own or _multiplies_zeros(operation):
                    continue
                for value in operation.values:
                    if value.parameter is parameter and self._touches(value, labels):
                        raise CannotFollow(f"{parameter} is used in more than one place")

    @staticmethod
    def _touches(value: Value, labels: Tensor) -> bool:
        touched = parameter_labels(value, torch.ones((), dtype=torch.int32).expand(value.shape))
        return bool(((touched != 0) & (labels != 0)).any())


def _multiplies_zeros(operation: Operation) -> bool:
    """Tell whether an operation multiplies weights with a constant 0, as the first step of a recurrence does."""
    product = contraction(operation)
    return product is not None and is_zero(product.data)


def _carriers(operation: Operation, result: Value, axes: Sequence[int]) -> list[Value]:
    """The values from which an operation's result has its units."""
    if operation.name in MIXTURES:
        last = len(result.shape) - 1 in axes
        return [operation.arguments[MIXTURES[operation.name] + last]]
    if operation.name in CHOICES:
        return [operation.arguments[0]]
    if operation.name == "masked_fill":
        return [operation.arguments[0]]
    if operation.name == "where":
        return [one for one in operation.arguments[1:3] if isinstance(one, Value) and not is_zero(one)]
    if operation.name in GATHERINGS:
        return (
            [operation.arguments[GATHERINGS[operation.name]]]
            if is_zero(operation.arguments[0])
            else operation.values
        )
    return operation.values


def _described(operation: Operation) -> str:
    if operation.name in PRODUCTS or operation.name in CONVOLUTIONS:
        return f"a product of computed tensors ({operation.name})"
    return str(operation)


def _require_no_aliases(operation: Operation) -> None:
    if any(one.users or one.kept_by for one in operation.results[operation.returned :]):
        raise CannotFollow(f"{operation.name} overwrites it while something else looks at it")


def _is_plain(operation: Operation) -> bool:
    """Tell whether an operation is a product with weights, one that is followed, or makes a constant."""
    return contraction(operation) is not None or is_followed(operation) or not operation.values


def _is_alone(product: Contraction, known: dict[int, Tensor]) -> bool:
    return product.bias is None or id(product.bias) not in known
