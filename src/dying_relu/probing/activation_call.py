"""One call of an activation: its pre-activations, what it makes of them, and its derivative."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.probing.derivatives import Arguments, activation_and_derivative
from dying_relu.probing.tensor_origins import Origin


@dataclass
class ActivationCall:
    """One call of an activation.

    Attributes:
        place: in the model.
        kind: the activation.
        z: pre-activations, of any shape.
        origin: of the pre-activations.
        function: the activation, of the pre-activations alone.
        given: all arguments of the call.
        at_zero: the derivative at exactly 0 of a ReLU; None for any other function.
        computed: what ``function`` has made of the pre-activations; None if it is yet to be called.
        activation: what a gate has let through of the pre-activations; None if ``function`` computes it.
        derivative: of such an activation; by default 1 where something has passed.
    """

    place: str
    kind: str
    z: Tensor
    origin: Origin | None
    function: Callable[[Tensor], Tensor]
    given: Arguments = ((), {})
    at_zero: float | None = None
    activation: Tensor | None = None
    computed: Tensor | None = None
    derivative: Tensor | None = None

    def known_output(self, z: Tensor) -> Tensor | None:
        """The activation as the model has computed it, if it has the shape and precision of ``z``, the widened ones."""
        computed = self.computed
        usable = computed is not None and computed.dtype == z.dtype and computed.shape == z.shape
        return computed.detach() if computed is not None and usable else None

    def output(self, z: Tensor) -> Tensor:
        """The activation, of the shape and precision of ``z``, the widened pre-activations."""
        known = self.known_output(z)
        if known is not None:
            return known
        with torch.no_grad():
            return self.function(z.clone())

    def derivative_at(self, z: Tensor) -> Tensor:
        """The derivative of the activation at any pre-activations, of their shape."""
        return activation_and_derivative(self.kind, z, self.function, self.given)[1]

    def values(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The activation and its derivative, of the shape of ``z``, the widened pre-activations."""
        if self.activation is None:
            return activation_and_derivative(self.kind, z, self.function, self.given, self.known_output(z))
        activation = self.activation.detach()
        slope = activation != 0 if self.derivative is None else self.derivative
        return activation, slope.to(z.dtype)
