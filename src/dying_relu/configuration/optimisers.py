"""Optimisers: each is one entry, a section with its keys, what planning asks of it, and how it is made for a stack of networks."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from pydantic import Field

from dying_relu.configuration.choices import add_kind
from dying_relu.configuration.section import Count, Section
from dying_relu.extensions import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from dying_relu.stack.optimisers import Optimiser as StackOptimiser


class Optimiser(Section):
    """A rule of updates.

    A subclass declares its keys, among them ``kind: Literal["its_name"]``, and :meth:`stacked`; the decorator :func:`optimiser` adds it.
    """

    weight_decay: float = Field(default=0.0, ge=0)
    """Of weights and biases. SGD: weight_decay * w is added to the gradient; Adam: decoupled from it (AdamW)."""
    clip_norm: float | None = Field(default=None, gt=0)
    """Largest norm of a network's gradient; a larger gradient is scaled down to it."""
    warm_up_steps: int = Field(default=0, ge=0)
    """Steps in which the learning rate rises linearly to its level."""
    recycle_every: Count | None = None
    """Steps after which dormant units are recycled (ReDo; Sokar et al., 2023), again and again."""
    kind: str

    slowdown: ClassVar[float] = 1.0
    """Time of a training step, where stochastic gradient descent takes 1."""

    @property
    def moments(self) -> int:
        """Numbers kept for each weight from step to step."""
        return 0

    @abstractmethod
    def stacked(self, learning_rate: "Tensor") -> "StackOptimiser":
        """Make the optimiser of a stack of K networks, without clipping.

        Args:
            learning_rate: (K,) float32.
        """


Kind = TypeVar("Kind", bound=type[Optimiser])

OPTIMISERS = Registry[type[Optimiser]]("optimiser")
"""By ``kind``."""


def optimiser(kind: Kind) -> Kind:
    """Add the class below to what studies can name: a decorator. Raises as :func:`~dying_relu.configuration.choices.add_kind`."""
    add_kind(OPTIMISERS, kind)
    return kind


@optimiser
class SGD(Optimiser):
    """Stochastic gradient descent (PyTorch's update; momentum without dampening)."""

    kind: Literal["sgd"]
    """Stochastic gradient descent."""
    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Share of the last update that is kept."""

    @property
    def moments(self) -> int:
        return int(self.momentum > 0)

    def stacked(self, learning_rate: "Tensor") -> "StackOptimiser":
        from dying_relu.stack import optimisers as stack

        if self.momentum:
            return stack.Momentum(learning_rate, self.momentum, self.weight_decay)
        return stack.SGD(learning_rate, self.weight_decay)


@optimiser
class Adam(Optimiser):
    """Adam (Kingma & Ba, 2015), PyTorch's update."""

    kind: Literal["adam"]
    """Adam."""
    beta1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the mean of the gradient."""
    beta2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the mean of the squared gradient."""
    epsilon: float = Field(default=1.0e-8, gt=0)
    """Added to the denominator."""

    # Every weight and both its moments are read and written at every step, which no matrix product hides.
    slowdown: ClassVar[float] = 1.3

    @property
    def moments(self) -> int:
        return 2

    def stacked(self, learning_rate: "Tensor") -> "StackOptimiser":
        from dying_relu.stack import optimisers as stack

        return stack.Adam(learning_rate, self.beta1, self.beta2, self.epsilon, self.weight_decay)
