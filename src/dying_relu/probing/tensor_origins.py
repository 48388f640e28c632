"""Origins of tensors: the axes of their units, the weights and biases that computed them, and which calls of which weights these were."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from torch import Tensor

from dying_relu.probing.activations import Function, argument

if TYPE_CHECKING:
    from dying_relu.probing.tracking import Origins

Axes = tuple[int, ...]
Sources = frozenset[tuple[int | str, int]]


class Origin:
    """The origin of one tensor.

    Attributes:
        axes: of its units, counted from the end, so that they hold with and without an axis of examples; several where weights differ
            along several, as in an ensemble in one tensor; none where the tensor is a single unit's; None if they cannot be told.
        weight: of the layer whose output it is, units first, on as many axes as they lie on.
        bias: of that layer, or of the batch normalisation behind it.
        sources: the weights that computed it, each with the number of its call in this batch; or, where no weights stand between, the names
            of the activations.
        reason: why the axes cannot be told.
        key: of what is computed from weights alone, for the same weights the same number; 0 for anything else.
        spread: whether its several axes are one axis of units that was reshaped.
    """

    __slots__ = ("axes", "bias", "key", "reason", "sources", "spread", "weight")

    def __init__(
        self,
        axes: Axes | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        sources: Sources = frozenset(),
        reason: str = "",
        key: int = 0,
        spread: bool = False,
    ) -> None:
        self.axes, self.weight, self.bias, self.spread = axes, weight, bias, spread
        self.sources, self.reason, self.key = sources, reason, key

    @property
    def bare(self) -> "Origin":
        """The origin of the same units, computed by more than a layer."""
        if self.weight is None and self.bias is None:
            return self
        return Origin(self.axes, sources=self.sources, reason=self.reason, spread=self.spread)

    def moved(self, axes: Axes) -> "Origin":
        """The same with its units on other axes."""
        if axes == self.axes:
            return self
        return Origin(axes, self.weight, self.bias, self.sources, spread=self.spread)

    def reshaped(self, axes: Axes) -> "Origin":
        """The same with its units on other axes, of which there may be more or fewer."""
        spread = len(axes) > 1 and (self.spread or len(self.axes or ()) == 1)
        return Origin(axes, self.weight, self.bias, self.sources, spread=spread)

    def bare_on(self, axes: Axes) -> "Origin":
        """The origin of units on other axes, computed by more than a layer."""
        return Origin(axes, sources=self.sources, spread=self.spread)

    def lost(self, reason: str) -> "Origin":
        """The origin of a tensor whose units cannot be told any more."""
        return Origin(None, sources=self.sources, reason=reason)


class Call:
    """One call of a function: its arguments and its result.

    Attributes:
        known: those of its arguments whose origins are known, each with its origin.
        weights: those of its arguments that are weights, or computed from weights alone.
    """

    __slots__ = ("arguments", "function", "known", "options", "origins", "result")

    def __init__(
        self,
        origins: "Origins",
        function: Function,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        result: Tensor,
        known: list[tuple[Tensor, Origin]],
    ) -> None:
        self.origins, self.function, self.arguments = origins, function, arguments
        self.options, self.result, self.known = options, result, known

    @property
    def source(self) -> tuple[Tensor, Origin] | None:
        """The first of its arguments whose origin is known."""
        return self.known[0] if self.known else None

    @property
    def input(self) -> tuple[Tensor, Origin] | None:
        """The first argument and its origin; None if that is not known, even if another argument's is."""
        first = self.arguments[0] if self.arguments else self.options.get("input")
        return self.known[0] if self.known and self.known[0][0] is first else None

    @property
    def sources(self) -> Sources:
        """The weights behind all its arguments."""
        if len(self.known) == 1:
            return self.known[0][1].sources
        return frozenset().union(*(origin.sources for _, origin in self.known))

    def argument(self, position: int, name: str) -> Any:
        """Look up an argument of the call.

        Args:
            position: of the argument, where it is given by position.
            name: of the argument, where it is given by name.

        Returns:
            Its value; None if it was not given.
        """
        return argument(self.arguments, self.options, position, name)

    def calls(self, *weights: Any) -> Sources:
        """A new call of some weights.

        Args:
            weights: tensors; those that are no weights of the model are passed over.
        """
        return self.origins.call(weights)

    def is_weight(self, tensor: Any) -> bool:
        """Tell whether a tensor is a weight of the model, or computed from nothing else."""
        return self.origins.weight_key(tensor) != 0


Rule = Callable[[Call], Origin | None]


def tensors_among(values: Iterable[Any]) -> Iterator[Tensor]:
    """Those among the arguments, and in lists of them, as ``torch.cat`` takes.

    Args:
        values: arguments of a call.

    Yields:
        Tensors, each of any shape.
    """
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from (part for part in value if isinstance(part, Tensor))
