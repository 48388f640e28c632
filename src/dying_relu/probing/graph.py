"""The operations of one forward pass: which tensors each one took and gave, and which of them are calls of activations."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class Parameter:
    """A parameter or buffer of the model, with the name of the module that holds it and its name there."""

    path: str
    name: str
    tensor: Tensor

    def __str__(self) -> str:
        """The module's path where the name says nothing more, else the whole path."""
        if self.path and self.name in ("weight", "bias"):
            return self.path
        return f"{self.path}.{self.name}" if self.path else self.name


@dataclass(eq=False)
class Value:
    """One tensor at one time: an operation that overwrites a tensor makes a new value of it.

    Attributes:
        shape, stride, offset: of the tensor in its storage.
        source: the operation that made it; None if it came from outside.
        parameter: the one in whose storage it lies, if it is one or a view of one.
        users: the operations that took it.
        kept_by: what has it after the pass: "the output of the model" or "an attribute of the model"; empty if nothing has.
    """

    shape: torch.Size
    stride: tuple[int, ...]
    offset: int
    source: "Operation | None" = None
    parameter: Parameter | None = None
    users: list["Operation"] = field(default_factory=list)
    kept_by: str = ""


@dataclass(eq=False)
class Operation:
    """One call of an operator of PyTorch's.

    Attributes:
        function: the operator.
        arguments, options: as it was called, with values in place of tensors.
        number: its place in the order of all calls.
        results: the tensors that it gave, and behind them those that look at what it overwrote.
        returned: how many it gave.
    """

    function: Any
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    number: int
    results: list[Value] = field(default_factory=list)
    returned: int = 0

    @property
    def name(self) -> str:
        """The operator's name, without the mark of one that overwrites its argument."""
        name = str(self.function._schema.name).partition("::")[2]
        return name[:-1] if name.endswith("_") and not name.endswith("__") else name

    def __str__(self) -> str:
        """The layer whose parameters it computes with, or its own name."""
        parameters = [value.parameter for value in self.values if value.parameter is not None]
        return str(parameters[0]) if parameters else self.name

    @property
    def values(self) -> list[Value]:
        """The values among its arguments."""
        return [leaf for leaf in tree_leaves([self.arguments, self.options]) if isinstance(leaf, Value)]

    def is_view_of(self, value: Value) -> bool:
        """Tell whether it only looks at a parameter in another way, or gives it unchanged."""
        same = any(result.parameter is value.parameter for result in self.results)
        return same and not self.function._schema.is_mutable


@dataclass(eq=False)
class GraphCall:
    """The call of one activation.

    Attributes:
        before: its pre-activations.
        after: its result.
    """

    before: Value
    after: Value

    def inside(self) -> set[int]:
        """The numbers of the operations on the way from its pre-activations to its result."""
        waiting, before = [self.after], set[int]()
        operations: dict[int, Operation] = {}
        while waiting:
            value = waiting.pop()
            operation = value.source if value is not self.before else None
            if operation is not None and operation.number not in before:
                before.add(operation.number)
                operations[operation.number] = operation
                waiting += operation.values
        reached = {id(self.before)}
        within = set()
        for number in sorted(before):
            if any(id(value) in reached for value in operations[number].values):
                reached |= {id(value) for value in operations[number].results}
                within.add(number)
        return within


@dataclass
class Graph:
    """The operations of one forward pass.

    Attributes:
        operations: those that matter, in their order.
        calls: the calls of activations by the names of :class:`dying_relu.probing.hooks.Layer`.
        consumers: parameter -> the operations that took it or a view of it, other than those that gave a view.
    """

    operations: list[Operation] = field(default_factory=list)
    calls: dict[str, list[GraphCall]] = field(default_factory=lambda: defaultdict(list))
    consumers: dict[int, list[Operation]] = field(default_factory=lambda: defaultdict(list))

    def signature(self) -> tuple[Any, ...]:
        """The structure of the pass: equal for two batches that take the same way through the model."""
        numbers = {
            id(value): operation.number for operation in self.operations for value in operation.results
        }

        def sign(value: Value) -> Any:
            known = numbers.get(id(value))
            return str(value.parameter) if known is None and value.parameter else known

        rows = tuple((one.name, *map(sign, one.values)) for one in self.operations)
        return rows, tuple((name, *(sign(one.before) for one in calls)) for name, calls in self.calls.items())

    def consumers_of(self, parameter: Parameter) -> list[Operation]:
        """The operations that compute with a parameter."""
        return self.consumers[id(parameter.tensor)]

    def keep_what_matters(self, outputs: Iterable[Value]) -> None:
        """Forget the operations on which neither the outputs depend nor a parameter or buffer that is overwritten.

        Args:
            outputs: of the model.
        """
        overwritten = [
            value
            for operation in self.operations
            if operation.function._schema.is_mutable
            for value in operation.results
            if value.parameter is not None
        ]
        waiting, kept = [*outputs, *overwritten], set[int]()
        while waiting:
            operation = waiting.pop().source
            if operation is not None and operation.number not in kept:
                kept.add(operation.number)
                waiting += operation.values
        self.operations = [one for one in self.operations if one.number in kept]
        for name, consumers in self.consumers.items():
            self.consumers[name] = [one for one in consumers if one.number in kept]
        for operation in self.operations:
            for value in operation.values:
                value.users = [one for one in value.users if one.number in kept]
