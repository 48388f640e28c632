"""Normalisation of a stack's pre-activations, between the layer that computes them and the activation."""

from typing import ClassVar, Protocol

import torch
from torch import Tensor

from dying_relu.stack.images import apart
from dying_relu.stack.optimisers import Optimiser, Parameter

EPSILON = 1e-5
"""Added to the variance; PyTorch's default."""
RUNNING_SHARE = 0.1
"""Share of a minibatch in batch normalisation's running statistics; PyTorch's default momentum."""


class Normalisation(Protocol):
    """A layer that normalises, with a mode for training and one for evaluation."""

    training: bool
    scale: Parameter
    shift: Parameter

    def forward(self, z: Tensor) -> Tensor:
        """Normalised pre-activations of the shape of ``z``."""

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        """Update scale and shift; return the gradient with respect to the input."""

    def parameters(self) -> list[Parameter]:
        """Scale and shift, (K, U) each."""

    def running_statistics(self) -> list[Tensor]:
        """What is learned in training other than by gradients, (K, U) each."""


class _Standardised:
    """What both normalisations share: (z - mean) / deviation * scale + shift, and its gradient when the statistics follow z.

    Args:
        networks, units: K and U; scale and shift are (K, U), 1 and 0 at first.
        device: where they live.
    """

    axes: ClassVar[dict[int, tuple[int, ...]]]
    """Number of dimensions of z -> the axes over which its statistics are taken."""

    def __init__(self, networks: int, units: int, device: torch.device) -> None:
        self.training = True
        self.scale = Parameter(torch.ones(networks, units, device=device))
        self.shift = Parameter(torch.zeros(networks, units, device=device))

    def parameters(self) -> list[Parameter]:
        return [self.scale, self.shift]

    def running_statistics(self) -> list[Tensor]:
        return []

    def backward(self, delta: Tensor, optimiser: Optimiser) -> Tensor:
        delta = _apart(delta)
        axes, others = self.axes[delta.dim()], (2,) if delta.dim() == 3 else (1, 3, 4)
        product = delta * self.standardised
        delta_scale, delta_shift = product.sum(others), delta.sum(others)
        by_scale = delta * by_unit(self.scale.value, delta)
        mean = by_scale.mean(axes, keepdim=True)
        along = (by_scale * self.standardised).mean(axes, keepdim=True)
        delta_z = (by_scale - mean - self.standardised * along) * self.precision
        optimiser.add(self.scale, delta_scale)
        optimiser.add(self.shift, delta_shift)
        return delta_z

    def _standardise(self, z: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        self.precision = (variance + EPSILON).rsqrt()
        self.standardised = (z - mean) * self.precision
        return self.standardised * by_unit(self.scale.value, z) + by_unit(self.shift.value, z)


class BatchNormalisation(_Standardised):
    """Batch normalisation of each unit over the minibatch (and positions), torch.nn.BatchNorm1d's and 2d's formula.

    When not training, the running mean and variance take the minibatch's place.

    Source: Ioffe and Szegedy (2015), algorithm 1.
    """

    axes: ClassVar = {3: (2,), 5: (1, 3, 4)}

    def __init__(self, networks: int, units: int, device: torch.device) -> None:
        super().__init__(networks, units, device)
        self.running_mean = torch.zeros(networks, units, device=device)
        self.running_variance = torch.ones(networks, units, device=device)

    def running_statistics(self) -> list[Tensor]:
        return [self.running_mean, self.running_variance]

    def forward(self, z: Tensor) -> Tensor:
        """(K, U, B) or (K, B, C, H, W) -> the same."""
        if not self.training:
            running = (by_unit(statistic, z) for statistic in (self.running_mean, self.running_variance))
            return self._standardise(z, *running)
        z = _apart(z)
        axes = self.axes[z.dim()]
        variance, mean = torch.var_mean(z, axes, correction=0, keepdim=True)
        count = z.numel() // mean.numel()
        self.running_mean.lerp_(mean.reshape(self.running_mean.shape), RUNNING_SHARE)
        unbiased = variance.reshape(self.running_variance.shape) * (count / max(count - 1, 1))
        self.running_variance.lerp_(unbiased, RUNNING_SHARE)
        return self._standardise(z, mean, variance)


class LayerNormalisation(_Standardised):
    """Layer normalisation of each example over the units (and positions), torch.nn.LayerNorm's formula.

    For convolutions torch.nn.GroupNorm's with one group: one scale and shift a channel, not one a position.

    Source: Ba, Kiros and Hinton (2016), eq. 4.
    """

    axes: ClassVar = {3: (1,), 5: (2, 3, 4)}

    def forward(self, z: Tensor) -> Tensor:
        """(K, U, B) or (K, B, C, H, W) -> the same."""
        z = _apart(z)
        variance, mean = torch.var_mean(z, self.axes[z.dim()], correction=0, keepdim=True)
        return self._standardise(z, mean, variance)


NORMALISATIONS: dict[str, type[BatchNormalisation] | type[LayerNormalisation]] = {
    "batch": BatchNormalisation,
    "layer": LayerNormalisation,
}
"""By the name in the configuration; ``none`` adds no layer."""


def _apart(z: Tensor) -> Tensor:
    """Images network by network in memory, so that sums do not depend on the stack; vectors are so already."""
    return apart(z) if z.dim() == 5 else z


def by_unit(values: Tensor, z: Tensor) -> Tensor:
    """``values`` (K, U) in a shape that multiplies pre-activations (K, U, B) or (K, B, C, H, W)."""
    return values[:, :, None] if z.dim() == 3 else values[:, None, :, None, None]
