"""The mean of a layer's inputs, and its share of their second moment, the offset share.

For a convolution an input is a patch of the image, with zeros beyond the border, and every position of every example has one.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.stack.convolution import Convolution
from dying_relu.stack.images import side_by_side
from dying_relu.stack.layers import Linear
from dying_relu.stack.precision import in_float64
from dying_relu.units import reductions


@dataclass(frozen=True)
class InputMoments:
    """Sums over the examples that a layer of a stack was shown.

    Attributes:
        total: (K, inputs), or (K, H, W, C) of images: the sum of the inputs; K is 1 where all networks share them.
        square: the sum of their squares, same shape.
        examples: how many there were.
        kernel: side of the patches; None of inputs that are vectors.
    """

    total: Tensor
    square: Tensor
    examples: int
    kernel: int | None

    @classmethod
    def of(cls, layer: Linear | Convolution) -> "InputMoments":
        """Of the inputs that ``layer`` was shown last."""
        x, networks = layer.x, len(layer.weight.value)
        if isinstance(layer, Linear):
            if x.dim() == 3 and x.is_contiguous():
                seen = reductions.moments(x, -1)
                return cls(seen.total, seen.square_sum, x.shape[2], None)
            rows = x[None] if x.dim() == 2 else x.mT
            return cls(*reductions.sums(rows.contiguous()), rows.shape[1], None)
        images = side_by_side(x) if x.dim() == 5 else x
        sums = reductions.sums(images.flatten(1)[None].contiguous())
        # The networks are side by side in the channels.
        apart = (values.view(*images.shape[1:3], -1, layer.weight.value.shape[2]) for values in sums)
        total, square = (values.permute(2, 0, 1, 3) for values in apart)
        assert len(total) in (1, networks)
        return cls(total, square, len(images), layer.weight.value.shape[-1])

    def merge(self, other: "InputMoments") -> "InputMoments":
        """The moments over both sets of examples.

        Args:
            other: of the same layer and other examples.
        """
        total, square = self.total + other.total, self.square + other.square
        return InputMoments(total, square, self.examples + other.examples, self.kernel)

    def of_networks(self, chosen: Tensor) -> "InputMoments":
        """The moments of some of the networks.

        Args:
            chosen: (n,) their places.
        """
        if len(self.total) == 1:
            return self
        return InputMoments(self.total[chosen], self.square[chosen], self.examples, self.kernel)

    @property
    def mean(self) -> Tensor:
        """(K, inputs) float64, the mean input; of a convolution the mean patch, flattened."""
        if self.kernel is None:
            return in_float64(self.total) / self.examples
        _, height, width, _ = self.total.shape
        sums = _sums_of_patches(in_float64(self.total), self.kernel)
        return sums.flatten(1) / (self.examples * height * width)

    @property
    def mean_square(self) -> Tensor:
        """(K,) float64, the mean of the inputs' squared norms."""
        if self.kernel is None:
            return in_float64(self.square).sum(1) / self.examples
        _, height, width, _ = self.square.shape
        sums = _sums_of_patches(in_float64(self.square), self.kernel)
        return sums.flatten(1).sum(1) / (self.examples * height * width)

    @property
    def offset_share(self) -> Tensor:
        """(K,) float64, the squared norm of the mean over the mean squared norm; NaN where all inputs are 0."""
        # Rounding must not lift it above 1.
        return (self.mean.square().sum(1) / self.mean_square).clamp(max=1)


def _sums_of_patches(images: Tensor, kernel: int) -> Tensor:
    """Sum the patches around every position.

    Args:
        images: (K, H, W, C).
        kernel: side of a patch; odd.

    Returns:
        (K, kernel, kernel, C).
    """
    _, height, width, _ = images.shape

    def seen(shift: int, size: int) -> slice:
        """The part of an axis that patches see at one of their places; beyond the border there are zeros."""
        return slice(max(shift, 0), size + min(shift, 0))

    shifts = range(-(kernel // 2), kernel // 2 + 1)
    rows = [
        torch.stack([images[:, seen(i, height), seen(j, width)].sum((1, 2)) for j in shifts], 1)
        for i in shifts
    ]
    return torch.stack(rows, 1)
