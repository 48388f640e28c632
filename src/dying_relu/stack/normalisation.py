"""Normalisation of a stack's pre-activations, between the layer that computes them and the activation.

A normalisation is one entry: a class with its name above it. PyTorch is imported when one is first made, since a study's file is checked
against the names here, and a study is planned without PyTorch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

from dying_relu.extensions import Registry

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from dying_relu.stack.optimisers import Optimiser, Parameter

EPSILON = 1e-5
"""Added to the variance; PyTorch's default."""
RUNNING_SHARE = 0.1
"""Share of a minibatch in batch normalisation's running statistics; PyTorch's default momentum."""


class Normalisation(ABC):
    """A layer that normalises, with a mode for training and one for evaluation.

    It computes (z - mean) / deviation * scale + shift, and the gradient of it when mean and deviation follow z.

    Args:
        networks, units: K and U; scale and shift are (K, U), 1 and 0 at first.
        device: where they live.
    """

    axes: ClassVar[dict[int, tuple[int, ...]]]
    """Number of dimensions of z -> the axes over which its statistics are taken."""
    copies: ClassVar[int] = 3
    """Numbers kept for every activation: standardised ones, and products that their gradient needs."""
    by_itself: ClassVar[bool] = False
    """Whether a unit is normalised without the others of its layer, so that a dead one can be removed."""

    def __init__(self, networks: int, units: int, device: torch.device) -> None:
        import torch

        from dying_relu.stack.optimisers import Parameter

        self.training = True
        self.scale = Parameter(torch.ones(networks, units, device=device))
        self.shift = Parameter(torch.zeros(networks, units, device=device))

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """Normalise pre-activations (K, U, B) or (K, B, C, H, W); the result has the same shape."""

    def parameters(self) -> list[Parameter]:
        """List scale and shift, (K, U) each."""
        return [self.scale, self.shift]

    def running_statistics(self) -> list[Tensor]:
        """List what is learned in training other than by gradients, (K, U) each."""
        return []

    def part(self, k: int, units: Tensor) -> Self:
        """Keep some units of one network, to be used for evaluation.

        Args:
            k: the network.
            units: (n,) their places.
        """
        part = type(self)(1, len(units), units.device)
        part.training = False
        part.scale.value, part.shift.value = (
            parameter.value[k, units][None] for parameter in (self.scale, self.shift)
        )
        return part

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        """Update scale and shift.

        Args:
            delta: scaled gradient of the loss with respect to the output, of its shape.
            optimiser: takes the gradients of scale and shift.

        Returns:
            The gradient with respect to the input, of the same shape.
        """
        delta = _apart(delta)
        others = (2,) if delta.dim() == 3 else (1, 3, 4)
        product = delta * self.standardised
        delta_scale, delta_shift = product.sum(others), delta.sum(others)
        delta_z = self.gradient_of_input(delta * by_unit(self.scale.value, delta))
        optimiser.add(self.scale, delta_scale)
        optimiser.add(self.shift, delta_shift)
        return delta_z

    def gradient_of_input(self, delta: Tensor) -> Tensor:
        """Go back through mean and deviation of the last :meth:`standardise`.

        Args:
            delta: gradient with respect to the standardised pre-activations, of their shape.
        """
        axes = self.axes[delta.dim()]
        mean = delta.mean(axes, keepdim=True)
        along = (delta * self.standardised).mean(axes, keepdim=True)
        return (delta - mean - self.standardised * along) * self.precision

    def standardise(self, z: Tensor, mean: Tensor | float, variance: Tensor) -> Tensor:
        """Take the mean out, divide by the deviation, scale and shift; what :meth:`backward` needs is remembered.

        Args:
            z: (K, U, B) or (K, B, C, H, W).
            mean: broadcasts against ``z``.
            variance: broadcasts against ``z``; the deviation is its root.
        """
        self.precision = (variance + EPSILON).rsqrt()
        self.standardised = (z - mean) * self.precision
        return self.standardised * by_unit(self.scale.value, z) + by_unit(self.shift.value, z)


NORMALISATIONS = Registry[type[Normalisation]]("normalisation")
"""By the name that studies give them; ``none`` adds no layer."""


@NORMALISATIONS.named("batch")
class BatchNormalisation(Normalisation):
    """Batch normalisation of each unit over the minibatch (and positions), torch.nn.BatchNorm1d's and 2d's formula.

    When not training, the running mean and variance take the minibatch's place.

    Source: Ioffe and Szegedy (2015), algorithm 1.
    """

    axes: ClassVar = {3: (2,), 5: (1, 3, 4)}
    by_itself: ClassVar = True

    def __init__(self, networks: int, units: int, device: torch.device) -> None:
        import torch

        super().__init__(networks, units, device)
        self.running_mean = torch.zeros(networks, units, device=device)
        self.running_variance = torch.ones(networks, units, device=device)

    def running_statistics(self) -> list[Tensor]:
        return [self.running_mean, self.running_variance]

    def part(self, k: int, units: Tensor) -> Self:
        part = super().part(k, units)
        part.running_mean, part.running_variance = (
            statistic[k, units][None] for statistic in self.running_statistics()
        )
        return part

    def forward(self, z: Tensor) -> Tensor:
        if not self.training:
            running = (by_unit(statistic, z) for statistic in (self.running_mean, self.running_variance))
            return self.standardise(z, *running)
        import torch

        z = _apart(z)
        axes = self.axes[z.dim()]
        variance, mean = torch.var_mean(z, axes, correction=0, keepdim=True)
        count = z.numel() // mean.numel()
        self.running_mean.lerp_(mean.reshape(self.running_mean.shape), RUNNING_SHARE)
        unbiased = variance.reshape(self.running_variance.shape) * (count / max(count - 1, 1))
        self.running_variance.lerp_(unbiased, RUNNING_SHARE)
        return self.standardise(z, mean, variance)


@NORMALISATIONS.named("layer")
class LayerNormalisation(Normalisation):
    """Layer normalisation of each example over the units (and positions), torch.nn.LayerNorm's formula.

    For convolutions torch.nn.GroupNorm's with one group: one scale and shift a channel, not one a position.

    Source: Ba, Kiros and Hinton (2016), eq. 4.
    """

    axes: ClassVar = {3: (1,), 5: (2, 3, 4)}

    def forward(self, z: Tensor) -> Tensor:
        import torch

        z = _apart(z)
        variance, mean = torch.var_mean(z, self.axes[z.dim()], correction=0, keepdim=True)
        return self.standardise(z, mean, variance)


def _apart(z: Tensor) -> Tensor:
    """Images network by network in memory, so that sums do not depend on the stack; vectors are so already."""
    from dying_relu.stack.images import apart

    return apart(z) if z.dim() == 5 else z


def by_unit(values: Tensor, z: Tensor) -> Tensor:
    """Shape one value a unit so that it multiplies pre-activations.

    Args:
        values: (K, U).
        z: (K, U, B) or (K, B, C, H, W), for which the result is (K, U, 1) or (K, 1, C, 1, 1).
    """
    return values[:, :, None] if z.dim() == 3 else values[:, None, :, None, None]
