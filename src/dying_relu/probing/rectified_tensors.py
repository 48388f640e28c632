"""Tensors that look as if something had rectified them."""

from torch import Tensor

SAMPLE, LEAST_ZEROS = 4096, 0.05
"""So many numbers are looked at first; so large a share of zeros is none by chance."""


def looks_rectified(x: Tensor) -> bool:
    """Tell whether a tensor looks like the output of a ReLU: nothing negative, and much exactly 0.

    Args:
        x: of any shape.
    """
    if not x.is_floating_point() or not x.numel():
        return False
    sample = x.detach().flatten()[:SAMPLE]
    if bool((sample < 0).any()) or bool((x < 0).any()):
        return False
    zeros = float((x == 0).float().mean())
    return LEAST_ZEROS < zeros < 1
