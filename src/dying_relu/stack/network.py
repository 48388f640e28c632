"""A stack of networks: layers in a row, with their hidden units named."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.stack.centring import Centring
from dying_relu.stack.convolution import Convolution
from dying_relu.stack.layers import ElementWise, Layer, Linear
from dying_relu.stack.normalisation import Normalisation
from dying_relu.stack.optimisers import Optimiser, Parameter
from dying_relu.stack.precision import in_float64

EXAMPLES_AT_ONCE = 500
"""In a pass over all training examples; the same for every stack."""


@dataclass(frozen=True)
class Hidden:
    """A hidden layer: an affine layer, its normalisation if it has one, and the activation.

    Its pre-activation is what the activation gets: the output of the normalisation, or else of the affine layer.
    """

    name: str
    depth: int
    affine: Linear | Convolution
    activation: ElementWise
    normalisation: Normalisation | None = None

    def by_unit(self, z: Tensor) -> tuple[Tensor, int]:
        """Pre-activations with all examples and positions on one axis, and which axis that is.

        Returns:
            (K, U, B) as it is, with -1; (K, B, C, H, W) as (K, B * H * W, C), with -2. Nothing is copied.
        """
        return (z, -1) if z.dim() == 3 else (z.permute(0, 1, 3, 4, 2).flatten(1, 3), -2)


class Network:
    """K networks of one architecture: ``layers`` in order, ``hidden`` layers by name."""

    def __init__(self, layers: list[Layer], hidden: list[Hidden]) -> None:
        self.layers = layers
        self.hidden = hidden

    @property
    def output(self) -> Linear:
        """The last layer."""
        last = self.layers[-1]
        assert isinstance(last, Linear), "a network ends with its logits"
        return last

    @property
    def centrings(self) -> list[Centring]:
        """The layers that take means out of hidden activations, first to last."""
        return [layer for layer in self.layers if isinstance(layer, Centring)]

    def settle_means(self, examples: Tensor, *, initially: bool = False) -> None:
        """Settle the means of layers that centre, over all training examples, first layer first.

        Args:
            examples: (N, ...).
            initially: those of fixed shifts, too.
        """
        for centring in self.centrings:
            if centring.follows_training or initially:
                centring.mean.copy_(self._mean_before(centring, examples))

    def _mean_before(self, centring: Centring, examples: Tensor) -> Tensor:
        """(K, U) the mean of what ``centring`` gets."""
        total, count = in_float64(torch.zeros_like(centring.mean)), 0
        place = next(place for place, layer in enumerate(self.layers) if layer is centring)
        with self.evaluation():
            for h in examples.split(EXAMPLES_AT_ONCE):
                for layer in self.layers[:place]:
                    h = layer.forward(h)  # noqa: PLW2901 (it goes from layer to layer)
                of_unit = h if h.dim() == 3 else h.permute(0, 2, 1, 3, 4).flatten(2)
                total += in_float64(of_unit).sum(2)
                count += of_unit.shape[2]
        return total / count

    def forward(self, x: Tensor) -> Tensor:
        """Logits (K, classes, B) of a minibatch, (B, inputs) or (B, H, W, C)."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, gradient: Tensor, optimiser: Optimiser) -> None:
        """Send the gradient of the losses back and update every parameter.

        Args:
            gradient: (K, classes, B) gradient of each network's loss with respect to its logits.
            optimiser: takes the parameters' gradients.
        """
        delta: Tensor | None = gradient * optimiser.gradient_scale[:, None, None]
        for layer in reversed(self.layers):
            assert delta is not None, "only the first layer sends no gradient back"
            delta = layer.backward(delta, optimiser)
        optimiser.finish_step()

    def trace(self, x: Tensor) -> Iterator[tuple[Hidden | None, Tensor]]:
        """The forward pass, layer by layer: each hidden layer with its pre-activations, at the end None with the logits."""
        by_last_layer = {id(hidden.normalisation or hidden.affine): hidden for hidden in self.hidden}
        for layer in self.layers:
            x = layer.forward(x)
            if id(layer) in by_last_layer:
                yield by_last_layer[id(layer)], x
        yield None, x

    @contextmanager
    def evaluation(self) -> Iterator[None]:
        """Within the block layers use what they learned of all minibatches, as ``torch.nn.Module.eval`` makes it, not that of one."""
        normalisations = [hidden.normalisation for hidden in self.hidden if hidden.normalisation]
        with_modes = [
            (layer, layer.training) for layers in (normalisations, self.centrings) for layer in layers
        ]
        for layer, _ in with_modes:
            layer.training = False
        try:
            yield
        finally:
            for layer, mode in with_modes:
                layer.training = mode

    @contextmanager
    def holding(self, values: Sequence[Tensor]) -> Iterator[None]:
        """Within the block the parameters have these values, in the order of :meth:`parameters`."""
        parameters = self.parameters()
        own = [parameter.value for parameter in parameters]
        for parameter, value in zip(parameters, values, strict=True):
            parameter.value = value
        try:
            yield
        finally:
            for parameter, value in zip(parameters, own, strict=True):
                parameter.value = value

    def parameters(self) -> list[Parameter]:
        """All parameters, first layer first."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def state(self) -> list[Tensor]:
        """Everything that training changes, and changes in place: parameters, batch normalisation's running statistics."""
        running = [
            statistic
            for hidden in self.hidden
            if hidden.normalisation
            for statistic in hidden.normalisation.running_statistics()
        ]
        return [parameter.value for parameter in self.parameters()] + running
