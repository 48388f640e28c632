"""Initial weights and biases, and the random numbers behind everything.

Common random numbers: a stream of random numbers depends on the seed of the replicate and on what it is for, and on nothing
else. Runs of one replicate therefore start from the same weights and see the same minibatches, whatever their
learning rate, initial bias or activation; their differences are paired.

A scheme is one entry: a function (shape, generator) -> (weight, bias) with its name above it. PyTorch is imported when they are first
called, since a study's file is checked against the names here, and a study is planned without PyTorch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from dying_relu.extensions import Registry

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from dying_relu.stack.network import Network

Scheme: TypeAlias = "Callable[[tuple[int, ...], torch.Generator], tuple[Tensor, Tensor]]"

SCHEMES: Registry[Scheme] = Registry("initialisation")
"""By the name that studies give them."""


def random_stream(seed: int, purpose: str) -> torch.Generator:
    """Make a generator that depends on ``seed`` and ``purpose`` only, the same on every machine and device.

    Args:
        seed: the replicate's.
        purpose: of the random numbers, such as ``"weights"``.
    """
    import torch

    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8]) >> 1)


@SCHEMES.named("he")
def he(shape: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Normal weights with variance 2 / fan-in and zero biases (He et al., 2015, eq. 10).

    The gain is ReLU's for every activation, so that networks that differ in the activation start from the same weights.

    Args:
        shape: (outputs, inputs, ...) of the weight; fan-in is the product of all but the first.
        generator: source of the random numbers.

    Returns:
        weight of the shape given, bias (outputs,).
    """
    import torch

    fan_in = prod(shape[1:])
    return torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5, torch.zeros(shape[0])


@SCHEMES.named("lecun")
def lecun(shape: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Normal weights with variance 1 / fan-in and zero biases: what SELU's self-normalisation asks for.

    Args:
        shape: (outputs, inputs, ...) of the weight; fan-in is the product of all but the first.
        generator: source of the random numbers.

    Returns:
        weight of the shape given, bias (outputs,).

    Source: Klambauer et al. (2017), section 3.
    """
    weight, bias = he(shape, generator)
    return weight * 0.5**0.5, bias


@SCHEMES.named("default")
def default(shape: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """PyTorch's default for linear and convolutional layers: weights and biases uniform in +-1 / sqrt(fan-in).

    Args:
        shape: (outputs, inputs, ...) of the weight; fan-in is the product of all but the first.
        generator: source of the random numbers.

    Returns:
        weight of the shape given, bias (outputs,).
    """
    import torch

    bound = prod(shape[1:]) ** -0.5
    weight = torch.rand(shape, generator=generator) * (2 * bound) - bound
    return weight, torch.rand(shape[0], generator=generator) * (2 * bound) - bound


RAI_SPREAD = 0.6007
"""Standard deviation of RAI's normal draws, times the root of the fan-in."""


@SCHEMES.named("rai")
def rai(shape: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Randomised asymmetric initialisation: of each unit's weights and bias, one that chance picks is surely positive.

    All are normal with standard deviation 0.6007 / sqrt(fan-in), the bias too, but for the one picked: it follows
    Beta(2, 1).

    Args:
        shape: (outputs, inputs, ...) of the weight; fan-in is the product of all but the first.
        generator: source of the random numbers.

    Returns:
        weight of the shape given, bias (outputs,).

    Source: Lu et al. (2020), as published programs that name them as their source implement it; used for every layer, the first and the
    last included.
    """
    import torch

    fan_in = prod(shape[1:])
    drawn = torch.randn(shape[0], fan_in + 1, generator=generator) * (RAI_SPREAD / fan_in**0.5)
    picked = torch.randint(fan_in + 1, (shape[0], 1), generator=generator)
    # The distribution function of Beta(2, 1) is x^2, so that the root of a uniform number follows it.
    drawn.scatter_(1, picked, torch.rand(shape[0], 1, generator=generator).sqrt())
    return drawn[:, :-1].reshape(shape), drawn[:, -1].clone()


LSUV_EXAMPLES = 500
LSUV_TOLERANCE = 0.1
LSUV_ITERATIONS = 10
"""Mishkin and Matas (2016), section 2."""


@SCHEMES.named("lsuv")
def lsuv(shape: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Orthonormal weights and zero biases, before :func:`scale_to_unit_variance` scales the weights of each layer on examples.

    Args:
        shape: (outputs, inputs, ...) of the weight.
        generator: source of the random numbers.

    Returns:
        weight of the shape given, bias (outputs,).

    Source: Mishkin and Matas (2016), algorithm 1.
    """
    import torch

    weight = torch.nn.init.orthogonal_(torch.empty(shape[0], prod(shape[1:])), generator=generator)
    return weight.reshape(shape), torch.zeros(shape[0])


def scale_to_unit_variance(network: Network, which: Sequence[bool], examples: Tensor) -> None:
    """Scale the weights of each layer, first layer first, until what it computes has variance 1 over examples and units.

    Args:
        network: K networks, as they were initialised.
        which: (K,) those that are scaled.
        examples: (N, ...) of which the first ``LSUV_EXAMPLES`` are used.

    Source: Mishkin and Matas (2016), algorithm 1.
    """
    with network.evaluation():
        x = examples[:LSUV_EXAMPLES]
        for layer in network.layers:
            z = layer.forward(x)
            weight = getattr(layer, "weight", None)
            for _ in range(LSUV_ITERATIONS):
                if weight is None:
                    break
                # Network by network: how PyTorch sums may depend on how many there are.
                variances = [float(of_one.contiguous().var()) for of_one in z.unbind()]
                scales = [
                    variance**-0.5 if chosen and variance > 0 and abs(variance - 1) >= LSUV_TOLERANCE else 1.0
                    for variance, chosen in zip(variances, which, strict=True)
                ]
                if all(scale == 1.0 for scale in scales):
                    break
                for of_one, scale in zip(weight.value.unbind(), scales, strict=True):
                    of_one.mul_(scale)
                z = layer.forward(x)
            x = z
