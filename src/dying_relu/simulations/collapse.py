"""Deep and narrow networks trained to be the absolute value of a number: how many end as a constant.

Source: the example with which Lu et al. (2020) open; data, rate and number of steps are ours.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.simulations import inputs
from dying_relu.simulations.networks import dead_by_depth, random_networks
from dying_relu.simulations.probabilities import SEED
from dying_relu.stack.initialisation import random_stream
from dying_relu.stack.network import Network
from dying_relu.stack.optimisers import Adam

POINTS = 100
LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Collapse:
    """Networks before and after training.

    Attributes:
        born: (K,) bool: constant on the inputs before training.
        ended: (K,) bool: constant on the inputs after training.
    """

    born: Tensor
    ended: Tensor


def collapse(networks: int, width: int, weight_layers: int, steps: int, scheme: str = "he") -> Collapse:
    """Train networks by Adam on all inputs at once, with the mean squared error.

    Networks that are born dead are not trained, because they end as they began: on all inputs no gradient reaches a dead layer or
    what lies below it, so that neither ever changes.

    Args:
        networks: K, drawn independently.
        width: units of every hidden layer.
        weight_layers: L.
        steps: of training.
        scheme: of initial weights and biases.
    """
    x = inputs.interval(POINTS)
    stream = random_stream(SEED, f"collapse/{scheme}/{width}/{weight_layers}")
    stack = random_networks(networks, 1, [width] * (weight_layers - 1), scheme, stream)
    born = dead_by_depth(stack, x)[-1]
    keep(stack, ~born)
    fit(stack, x, x.abs().T, steps)
    ended = born.clone()
    ended[~born] = dead_by_depth(stack, x)[-1]
    return Collapse(born, ended)


def fit(network: Network, x: Tensor, y: Tensor, steps: int) -> None:
    """Train the networks of a stack, in place.

    Args:
        network: K networks.
        x: (B, inputs).
        y: (1, B) wanted outputs.
        steps: of Adam, each on all of ``x``.
    """
    optimiser = Adam(torch.full((len(network.parameters()[0].value),), LEARNING_RATE), 0.9, 0.999, 1e-8)
    for _ in range(steps):
        error = network.forward(x) - y
        network.backward(2 * error / y.shape[1], optimiser)


def keep(network: Network, which: Tensor) -> None:
    """Leave only some networks in a stack.

    Args:
        network: K networks.
        which: (K,) bool.
    """
    slopes = [hidden.activation.slope for hidden in network.hidden]
    for parameter in (*network.parameters(), *slopes):
        parameter.value = parameter.value[which]
