"""The size of a network, counted layer by layer as it would be built."""

from typing import NamedTuple

from dying_relu.configuration.datasets import ImageSet


class Size(NamedTuple):
    """The size of a network."""

    multiplications: int
    """Of one forward pass over one example."""
    parameters: int
    units: int
    activations: int
    """Numbers in all hidden layers for one example: for a convolution, units times positions."""
    layers: int
    """Hidden ones."""
    convolutions: int
    """Among them."""


class Counter:
    """Layers that are counted and not built; see :class:`dying_relu.configuration.architectures.Layers`."""

    def __init__(self, images: ImageSet) -> None:
        self.channels, self.side = images.channels, images.side
        self.multiplications = self.parameters = self.units = self.activations = 0
        self.layers = self.convolutions = 0

    def linear(self, units: int) -> None:
        self._affine(self._inputs(), units, positions=1)
        self._hidden(units, positions=1)
        self.channels, self.side = units, 1

    def convolution(self, channels: int) -> None:
        positions = self.side**2
        self._affine(9 * self.channels, channels, positions)
        self._hidden(channels, positions)
        self.convolutions += 1
        self.channels, self.side = channels, self.side // 2

    def size(self, classes: int) -> Size:
        """Count the output layer, too, and add up."""
        self._affine(self._inputs(), classes, positions=1)
        return Size(
            self.multiplications,
            self.parameters,
            self.units,
            self.activations,
            self.layers,
            self.convolutions,
        )

    def _inputs(self) -> int:
        return self.channels * self.side**2

    def _affine(self, inputs: int, outputs: int, positions: int) -> None:
        self.multiplications += inputs * outputs * positions
        self.parameters += inputs * outputs + outputs

    def _hidden(self, units: int, positions: int) -> None:
        self.units += units
        self.activations += units * positions
        self.layers += 1
