"""Sets of inputs on which networks are shown to be alive or dead."""

import math
from itertools import combinations

import torch
from torch import Tensor

FAR = 1e9
"""How far from the origin an affine function has the sign of its slope; in float64 far enough."""


def one_point() -> Tensor:
    """A single scalar input: (1, 1)."""
    return torch.ones(1, 1)


def line() -> Tensor:
    """Two scalars, (2, 1), that stand for the real line: a network without biases has f(c x) = c f(x) for c > 0."""
    return torch.tensor([[1.0], [-1.0]])


def interval(points: int = 32) -> Tensor:
    """Scalars with mean 0 and variance about 1, evenly spread: (points, 1)."""
    return torch.linspace(-(3**0.5), 3**0.5, points)[:, None]


def circle(directions: int = 32) -> Tensor:
    """Directions in the plane, (directions, 2), that stand for nearly all of it in networks without biases."""
    angles = torch.arange(directions) * (2 * math.pi / directions)
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def everywhere(weight: Tensor, bias: Tensor) -> Tensor:
    """Points that decide whether a function is positive anywhere, if its kinks lie on given hyperplanes and nowhere else.

    The hyperplanes w_j . x + b_j = 0 cut the input space into polyhedra with corners, on each of which such a function is affine: it is
    at most 0 everywhere if it is at most 0 in every corner and does not rise along any edge that goes to infinity.

    Args:
        weight: (K, units, inputs) of K first hidden layers of ReLU units, in general position, with units >= inputs; float64.
        bias: (K, units).

    Returns:
        (K, inputs, points): the corners, and a point far out on each line in which hyperplanes meet, to both sides.
    """
    units, inputs = weight.shape[1:]
    corners = [torch.linalg.solve(weight[:, chosen], -bias[:, chosen]) for chosen in _subsets(units, inputs)]
    edges = [
        torch.linalg.svd(weight[:, chosen], full_matrices=True).Vh[:, -1]
        for chosen in _subsets(units, inputs - 1)
    ]
    ends = [side * FAR * edge for edge in edges for side in (1, -1)]
    return torch.stack([*corners, *ends], dim=-1)


def _subsets(units: int, size: int) -> list[list[int]]:
    return [list(chosen) for chosen in combinations(range(units), size)]
