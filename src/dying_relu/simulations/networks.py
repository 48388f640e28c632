"""Many different untrained networks as one stack, and their dead layers.

A stack of :func:`dying_relu.training.models.build` shares its initial weights, because its runs are to be compared pair by pair. Here every
network draws its own.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.initialisation import SCHEMES
from dying_relu.stack.layers import ElementWise, Layer, Linear
from dying_relu.stack.network import Hidden, Network
from dying_relu.units import definitions
from dying_relu.units.statistics import UnitStatistics


def random_networks(
    count: int, inputs: int, widths: Sequence[int], scheme: str, stream: torch.Generator
) -> Network:
    """``count`` multi-layer perceptrons with ReLU and one output, all drawn independently.

    Args:
        count: K, the networks of the stack.
        inputs: dimension of the input.
        widths: units of each hidden layer.
        scheme: key of :data:`dying_relu.stack.initialisation.SCHEMES`, for all layers.
        stream: the random numbers.
    """
    layers: list[Layer] = []
    hidden: list[Hidden] = []
    for depth, width in enumerate((*widths, 1), start=1):
        # Rows are drawn independently, so that the rows of many networks are those of one wide layer.
        weight, bias = SCHEMES[scheme]((count * width, inputs), stream)
        linear = Linear(weight.view(count, width, inputs), bias.view(count, width))
        layers.append(linear)
        if depth <= len(widths):
            activation = ElementWise(ACTIVATIONS["relu"], torch.zeros(count))
            layers.append(activation)
            hidden.append(Hidden(f"linear{depth}", depth, linear, activation))
        inputs = width
    return Network(layers, hidden)


def dead_units(network: Network, x: Tensor) -> list[Tensor]:
    """Tell the dead units on the inputs ``x``.

    Args:
        network: K networks of linear layers.
        x: (examples, inputs) shared by all networks, or (K, inputs, examples) of their own.

    Returns:
        For each hidden layer, from the first to the last, (K, units) bool.
    """
    return [
        definitions.dead(
            UnitStatistics.of(z, hidden.activation.function(z), hidden.activation.derivative(z), -1)
        )
        for hidden, z in network.trace(x)
        if hidden is not None
    ]


def dead_by_depth(network: Network, x: Tensor) -> Tensor:
    """Tell if a network that ended after each hidden layer would be constant on ``x``, since one of its layers is all dead.

    Args:
        network: K networks.
        x: (examples, inputs) shared by all networks, or (K, inputs, examples) of their own.

    Returns:
        (hidden layers, K) bool; the last row is about the whole network.

    Source: Lu et al. (2020) call a network that is constant before training born dead.
    """
    dead_layers = torch.stack([dead.all(1) for dead in dead_units(network, x)])
    return dead_layers.cummax(0).values
