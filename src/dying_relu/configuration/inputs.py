"""Inputs: what networks see of the images. Each is one entry, a section with its keys and the change that it makes.

All that a change estimates, such as a mean, it estimates on the training examples used, and applies to the test ones, too. A change may
start from that of another entry (``of``); :meth:`~dying_relu.configuration.model.Configuration.inputs_named` puts them in a row.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple, TypeVar

from pydantic import Field

from dying_relu.configuration.choices import add_kind
from dying_relu.configuration.section import Count, Name, Section
from dying_relu.errors import DyingReluError
from dying_relu.extensions import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Change = Callable[[Tensor], Tensor]

EXAMPLES_AT_ONCE = 2000
Share = Annotated[float, Field(ge=0, lt=1)]


class Images(NamedTuple):
    """Images on the way to the networks.

    Attributes:
        train, test: (N, ...) float32 as changed so far.
        standardised: (N, C, H, W) the training images before any change, each channel with mean 0 and standard deviation 1.
        mean, std: (C,) of the channels, which were taken out of the pixels from 0 to 1.
    """

    train: Tensor
    test: Tensor
    standardised: Tensor
    mean: Tensor
    std: Tensor

    def mapped(self, change: Change) -> Images:
        """Change training and test images alike.

        Args:
            change: (N, ...) -> (N, ...), example by example.
        """
        return self._replace(train=_part_by_part(change, self.train), test=_part_by_part(change, self.test))


class Inputs(Section):
    """A change of the images.

    A subclass declares its keys, among them ``kind: Literal["its_name"]``, and :meth:`changed`; :func:`kind_of_inputs` adds it.
    """

    kind: str

    needs_vectors: ClassVar[bool] = False
    """Whether what comes out is no image, so that convolutions cannot take it."""

    @abstractmethod
    def changed(self, images: Images) -> Images:
        """Change the images of the training and the test split.

        Args:
            images: standardised, or what ``of`` made of them.
        """

    @property
    def start(self) -> str:
        """Name of the inputs from which it starts."""
        return getattr(self, "of", "standardised")


def _part_by_part(change: Change, examples: Tensor) -> Tensor:
    """Apply ``change`` to some examples after the others, so that there is one copy of all at most."""
    parts = examples.split(EXAMPLES_AT_ONCE)
    first = change(parts[0])
    changed = first.new_empty(len(examples), *first.shape[1:])
    for place, part in zip(changed.split(EXAMPLES_AT_ONCE), parts, strict=True):
        place.copy_(change(part))
    return changed


Kind = TypeVar("Kind", bound=type[Inputs])

INPUTS = Registry[type[Inputs]]("kind of inputs")
"""By ``kind``."""


def kind_of_inputs(kind: Kind) -> Kind:
    """Add the class below to what studies can name: a decorator. Raises as :func:`~dying_relu.configuration.choices.add_kind`."""
    add_kind(INPUTS, kind)
    return kind


@kind_of_inputs
class Standardised(Inputs):
    """Each channel with mean 0 and standard deviation 1 over the whole training split."""

    kind: Literal["standardised"]
    """Each channel with mean 0 and standard deviation 1."""

    def changed(self, images: Images) -> Images:
        return images


@kind_of_inputs
class Raw(Inputs):
    """Pixels from 0 to 1 as they are."""

    kind: Literal["raw"]
    """Pixels from 0 to 1."""

    def changed(self, images: Images) -> Images:
        mean, std = images.mean.view(-1, 1, 1), images.std.view(-1, 1, 1)
        # Pixels are whole numbers up to 255, so that rounding brings back the very numbers that were read.
        largest = mean.new_tensor(255.0)
        return images.mapped(
            lambda x: ((x * std + mean) * largest).round().mul_(largest.reciprocal()).add_(0.0)
        )


@kind_of_inputs
class Centred(Inputs):
    """The training set's mean image is taken out, then all is divided by one standard deviation."""

    kind: Literal["centred"]
    """The mean image taken out, and one standard deviation of 1 over all pixels."""

    def changed(self, images: Images) -> Images:
        mean = images.train.mean(0, keepdim=True)
        deviation = (images.train - mean).std()
        return images.mapped(lambda x: (x - mean) / deviation)


@kind_of_inputs
class Inverted(Inputs):
    """One minus the pixels from 0 to 1: black on white becomes white on black."""

    kind: Literal["inverted"]
    """1 minus the pixels from 0 to 1."""

    def changed(self, images: Images) -> Images:
        return Raw(kind="raw").changed(images).mapped(lambda x: 1 - x)


@kind_of_inputs
class Scaled(Inputs):
    """Other inputs, multiplied by a number."""

    kind: Literal["scaled"]
    """Other inputs times a number."""
    of: Name = "standardised"
    """The inputs from which it starts: a name from `inputs`."""
    factor: float = Field(gt=0)
    """The number."""

    def changed(self, images: Images) -> Images:
        return images.mapped(lambda x: x * self.factor)


@kind_of_inputs
class Offset(Inputs):
    """Other inputs plus one constant vector, of a length that makes the offset share what is asked for.

    The offset share is rho = |mean x|^2 / mean |x|^2 over the training examples used.
    """

    kind: Literal["offset"]
    """Other inputs plus a constant vector."""
    of: Name = "centred"
    """The inputs from which it starts: a name from `inputs`."""
    share: Share
    """Share of the mean in the second moment of the inputs (the offset share)."""
    direction: Literal["mean", "random", "constant"] = "random"
    """Of the vector: the mean standardised image's, a random one's, or that of equal numbers."""
    seed: int = Field(default=0, ge=0, le=2**53)
    """Of the random direction; the same for all replicates."""

    def changed(self, images: Images) -> Images:
        vector = _direction(self.direction, self.seed, images)
        shift = _length_for(self.share, images.train, vector) * vector
        return images.mapped(lambda x: x + shift)


@kind_of_inputs
class PrincipalComponents(Inputs):
    """The first principal components of the training examples, scaled together to a mean square of 1: vectors, not images."""

    kind: Literal["principal_components"]
    """The first principal components, as vectors."""
    of: Name = "standardised"
    """The inputs from which it starts: a name from `inputs`."""
    number: Count
    """Number of components."""
    share: Share = 0.0
    """Offset share: a constant vector is added that makes it so large; 0 adds none."""
    direction: Literal["random", "constant"] = "random"
    """Of the vector: a random one's, or that of equal numbers."""
    seed: int = Field(default=0, ge=0, le=2**53)
    """Of the random direction; the same for all replicates."""

    needs_vectors: ClassVar[bool] = True

    def changed(self, images: Images) -> Images:
        import torch

        train = images.train.flatten(1).double()
        mean = train.mean(0)
        if self.number > min(train.shape):
            raise DyingReluError(
                "there are too few principal components",
                found=f"number: {self.number}",
                expected=f"at most {min(train.shape)}, the smaller of the numbers of examples and pixels",
            )
        values, vectors = torch.linalg.eigh((train - mean).T @ (train - mean))
        axes = vectors[:, values.argsort(descending=True)[: self.number]]
        # An eigenvector's sign is nobody's choice: the largest entry is made positive, so that all machines agree.
        axes = axes * axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()
        scale = ((train - mean) @ axes).square().mean().rsqrt()

        def projected(x: Tensor) -> Tensor:
            return ((x.flatten(1).double() - mean) @ axes * scale).float()[:, :, None, None]

        components = images.mapped(projected)
        if not self.share:
            return components
        vector = _direction(self.direction, self.seed, components)
        shift = _length_for(self.share, components.train, vector) * vector
        return components.mapped(lambda x: x + shift)


def _direction(name: str, seed: int, images: Images) -> Tensor:
    """A vector of length 1, of the shape of an image."""
    import torch

    from dying_relu.stack.initialisation import random_stream

    image = images.train[0]
    if name == "mean":
        vector = images.standardised.mean(0)
    elif name == "random":
        vector = torch.randn(image.shape, generator=random_stream(seed, "offset")).to(image.device)
    else:
        vector = torch.ones_like(image)
    return vector / vector.norm()


def _length_for(share: float, examples: Tensor, direction: Tensor) -> float:
    """Find the number c for which the examples plus c times ``direction`` have an offset share of ``share``.

    Args:
        share: wanted.
        examples: (N, ...).
        direction: of an example's shape and length 1.

    Raises:
        DyingReluError: there is none, because the examples have a mean in other directions already.
    """
    rows = examples.flatten(1).double()
    mean, direction = rows.mean(0), direction.flatten().double()
    around_mean = (rows - mean).square().sum(1).mean()
    # |mean + c direction|^2 = wanted, a quadratic equation.
    wanted = around_mean * share / (1 - share)
    along = mean @ direction
    root = along.square() - mean.square().sum() + wanted
    # Rounding: centred inputs have a mean of about 1e-8.
    if root < -1e-9 * around_mean:
        raise DyingReluError(
            "an offset cannot make the offset share so small",
            found=f"share: {share:g}",
            expected="at least that of the inputs from which it starts, without their part in its direction",
            remedy="start from centred inputs (of: centred)",
        )
    return float(root.clamp(min=0).sqrt() - along)
