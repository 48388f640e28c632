"""Layers that take the mean out of hidden activations, so that the next layer's inputs have less of an offset, or none.

A kind is one entry: a class with its name above it. PyTorch is imported when one is first made, since a study's file is checked against
the names here, and a study is planned without PyTorch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from dying_relu.extensions import Registry
from dying_relu.stack.normalisation import by_unit

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from dying_relu.stack.optimisers import Optimiser, Parameter

CENTRINGS: Registry[type[Centring]] = Registry("centring")
"""By the name that studies give them; ``none`` adds no layer."""


class Centring(ABC):
    """A layer that subtracts a share of each unit's mean activation.

    Args:
        networks, units: K and U.
        share: of the mean; 1 takes all of it out, a negative one adds to it.
        device: where the networks live.

    Attributes:
        mean: (K, U) over all training examples (and positions), when :meth:`settle` was last called.
    """

    follows_training: ClassVar[bool]
    """Whether ``mean`` has to be settled before every evaluation, and not only at the start."""

    def __init__(self, networks: int, units: int, share: float, device: torch.device) -> None:
        import torch

        self.share, self.training = share, True
        self.mean = torch.zeros(networks, units, device=device)

    @abstractmethod
    def forward(self, h: Tensor) -> Tensor:
        """Centre activations (K, U, B) or (K, B, C, H, W); the result has the same shape."""

    @abstractmethod
    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        """Send a gradient back.

        Args:
            delta: scaled gradient of the loss with respect to the output, of its shape.
            optimiser: gets nothing, since nothing is learned.
        """

    def parameters(self) -> list[Parameter]:
        """List no parameter."""
        return []

    def running_statistics(self) -> list[Tensor]:
        """List the mean, which differs from network to network."""
        return [self.mean]

    def settled(self, h: Tensor) -> Tensor:
        """Subtract the share of the settled mean from activations ``h``."""
        return h - by_unit(self.share * self.mean, h)


@CENTRINGS.named("initial")
class InitialMean(Centring):
    """A fixed shift: the mean activation of the network as it was initialised."""

    follows_training: ClassVar[bool] = False

    def forward(self, h: Tensor) -> Tensor:
        return self.settled(h)

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        return delta


@CENTRINGS.named("minibatch")
class MinibatchMean(Centring):
    """The minibatch's mean in training, that of all training examples in evaluation."""

    follows_training: ClassVar[bool] = True

    def forward(self, h: Tensor) -> Tensor:
        return self._centred(h) if self.training else self.settled(h)

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        return self._centred(delta)

    def _centred(self, values: Tensor) -> Tensor:
        from dying_relu.stack.images import apart

        if values.dim() == 3:
            return values - self.share * values.contiguous().mean(2, keepdim=True)
        # Network by network in memory, so that the sum does not depend on the stack.
        return values - self.share * apart(values).mean((1, 3, 4), keepdim=True)
