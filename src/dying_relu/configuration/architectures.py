"""Architectures: each is one entry, a section with its keys and the order of its layers.

What planning and training ask of an architecture follows from that order: planning counts the layers, training builds them.
"""

from abc import abstractmethod
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import Field

from dying_relu.configuration.choices import NameIn, add_kind
from dying_relu.configuration.datasets import ImageSet
from dying_relu.configuration.section import Section, Several, Width
from dying_relu.configuration.size import Counter, Size
from dying_relu.extensions import Registry
from dying_relu.stack.centring import CENTRINGS
from dying_relu.stack.normalisation import NORMALISATIONS

# Useful floating-point operations per second and core, in training: measured on one core of a current server CPU (float32, one thread).
MATRIX_PRODUCTS_PER_SECOND = 110e9
CONVOLUTIONS_PER_SECOND = 70e9

ONE_PIXEL = ImageSet(channels=1, side=1, classes=1, train=1, test=1)
"""For numbers that do not depend on the images."""


class Layers(Protocol):
    """Layers added one after the other; each takes what the one before puts out, the first takes the images."""

    def linear(self, units: int) -> None:
        """Add a fully connected hidden layer: its normalisation and its activation follow."""

    def convolution(self, channels: int) -> None:
        """Add a 3 x 3 convolution as hidden layer: its normalisation, its activation and 2 x 2 max-pooling follow."""


class Architecture(Section):
    """A kind of network.

    A subclass declares its keys, among them ``kind: Literal["its_name"]``, and :meth:`build`; the decorator :func:`architecture` adds it.
    If it builds other layers than :class:`Layers` has, it says its :meth:`size`, too.
    """

    normalisation: Annotated[str, NameIn(NORMALISATIONS, others=("none",))] = "none"
    """Of the pre-activations of every hidden layer: over the minibatch, or over the layer's units."""
    centring: Annotated[str, NameIn(CENTRINGS, others=("none",))] = "none"
    """Of the activations of every hidden layer: less the mean that they had initially, or less the minibatch's."""
    centring_share: float = 1.0
    """Share of this mean that is subtracted."""
    kind: str

    @abstractmethod
    def build(self, layers: Layers) -> None:
        """Add the hidden layers, first to last; the output layer is added for every architecture."""

    def size(self, images: ImageSet) -> Size:
        """Count a network on ``images``.

        >>> MLP(kind="mlp", widths=(100,)).size(ImageSet(channels=1, side=28, classes=10, train=60_000, test=10_000))
        Size(multiplications=79400, parameters=79510, units=100, activations=100, layers=1, convolutions=0)
        """
        counter = Counter(images)
        self.build(counter)
        return counter.size(images.classes)

    @property
    def hidden_layers(self) -> int:
        """Number of layers with an activation."""
        return self.size(ONE_PIXEL).layers

    @property
    def is_convolutional(self) -> bool:
        """True if the first layers are convolutions, which take images and not vectors."""
        return self.size(ONE_PIXEL).convolutions > 0

    @property
    def flops_per_second(self) -> float:
        """Floating-point operations per second on one core."""
        return CONVOLUTIONS_PER_SECOND if self.is_convolutional else MATRIX_PRODUCTS_PER_SECOND


Kind = TypeVar("Kind", bound=type[Architecture])

ARCHITECTURES = Registry[type[Architecture]]("architecture")
"""By ``kind``."""


def architecture(kind: Kind) -> Kind:
    """Add the class below to what studies can name: a decorator. Raises as :func:`~dying_relu.configuration.choices.add_kind`."""
    add_kind(ARCHITECTURES, kind)
    return kind


@architecture
class MLP(Architecture):
    """Hidden linear layers, each followed by the activation, and a linear output layer."""

    kind: Literal["mlp"]
    """Fully connected."""
    widths: Several[Width] = Field(min_length=1)
    """Units of each hidden layer."""

    def build(self, layers: Layers) -> None:
        for units in self.widths:
            layers.linear(units)


@architecture
class CNN(Architecture):
    """Convolutions (3x3, padding 1), each followed by the activation and 2x2 max-pooling; then hidden linear layers."""

    kind: Literal["cnn"]
    """Convolutional."""
    channels: Several[Width] = Field(min_length=1)
    """Channels of each convolution."""
    widths: Several[Width] = ()
    """Units of each hidden linear layer after the convolutions."""

    def build(self, layers: Layers) -> None:
        for channels in self.channels:
            layers.convolution(channels)
        for units in self.widths:
            layers.linear(units)
