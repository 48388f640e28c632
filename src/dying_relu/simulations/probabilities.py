"""Probabilities of death estimated with networks of this package, as they are drawn and not yet trained."""

from typing import NamedTuple

import torch
from scipy import stats
from torch import Tensor

from dying_relu.simulations import inputs as probe_sets
from dying_relu.simulations.networks import dead_by_depth, dead_units, random_networks
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.initialisation import random_stream
from dying_relu.stack.layers import ElementWise, Linear
from dying_relu.units import definitions
from dying_relu.units.statistics import UnitStatistics

SEED = 20190606


class Count(NamedTuple):
    """Number of independent trials with an outcome."""

    successes: int
    trials: int

    @property
    def share(self) -> float:
        """Estimate of the outcome's probability."""
        return self.successes / self.trials


def counted(outcomes: Tensor) -> Count:
    """Count successes and trials.

    Args:
        outcomes: bool, of any shape; a trial each.
    """
    return Count(int(outcomes.sum()), outcomes.numel())


def born_dead(width: int, weight_layers: int, x: Tensor, networks: int, scheme: str = "he") -> list[Count]:
    """Count the networks that are born dead on the inputs ``x``, by depth.

    Args:
        width: units of every hidden layer.
        weight_layers: L of the deepest networks; the shallower ones are their lower parts.
        x: (examples, inputs).
        networks: number of networks.
        scheme: of their weights and biases, a key of :data:`dying_relu.stack.initialisation.SCHEMES`.

    Returns:
        One count for each number of weight layers from 2 to L.
    """
    stream = random_stream(SEED, f"born dead/{scheme}/{width}/{tuple(x.shape)}")
    stack = random_networks(networks, x.shape[1], [width] * (weight_layers - 1), scheme, stream)
    return [counted(dead) for dead in dead_by_depth(stack, x)]


def dead_everywhere(inputs: int, first_width: int, networks: int) -> Count:
    """Count the units of a second hidden layer that are 0 on all of R^inputs; weights and biases uniform, one such unit a network.

    Args:
        inputs: dimension of an input.
        first_width: units of the first hidden layer.
        networks: number of trials.

    Exact for each network, in float64: :func:`dying_relu.simulations.inputs.everywhere` says where to look.
    """
    stream = random_stream(SEED, f"dead everywhere/{inputs}/{first_width}")
    stack = random_networks(networks, inputs, [first_width, 1], "default", stream)
    for parameter in stack.parameters():
        parameter.value = parameter.value.double()
    for hidden in stack.hidden:
        hidden.activation.slope.value = hidden.activation.slope.value.double()
    first = stack.hidden[0].affine
    x = probe_sets.everywhere(first.weight.value, first.bias.value)
    return counted(dead_units(stack, x)[1])


def dead_in_first_layer(
    bias: float, examples: int, inputs: int, samples: int, units_a_sample: int = 50
) -> Count:
    """Count the first-layer units with He's weights and the given bias that are dead on N(0, I) examples.

    Args:
        bias: of every unit.
        examples: M, size of a sample.
        inputs: dimension of an example.
        samples: number of independent samples of examples.
        units_a_sample: units that share a sample. Units with many inputs are nearly uncorrelated, so that a few of
            them cost little and count nearly as independent trials.
    """
    stream = random_stream(SEED, f"dead in first layer/{bias}/{examples}/{inputs}")
    dead = []
    for _ in range(samples):
        layer = random_networks(1, inputs, [units_a_sample], "he", stream)
        layer.hidden[0].affine.bias.value += bias
        dead += dead_units(layer, torch.randn(examples, inputs, generator=stream))
    return counted(torch.cat(dead))


def dead_on_batch(active_share: float, batch_size: int, batches: int) -> Count:
    """Count the minibatches on which a unit looks dead that is active on a share of all examples, which are N(0, 1).

    Args:
        active_share: of all examples.
        batch_size: examples of a minibatch.
        batches: number of trials.
    """
    bias = torch.full((1, 1), float(stats.norm.ppf(active_share)))
    unit = Linear(torch.ones(1, 1, 1), bias)
    activation = ElementWise(ACTIVATIONS["relu"], torch.zeros(1))
    stream = random_stream(SEED, f"dead on batch/{active_share}/{batch_size}")
    z = unit.forward(torch.randn(batches * batch_size, 1, generator=stream)).view(1, batches, batch_size)
    return counted(
        definitions.dead(UnitStatistics.of(z, activation.function(z), activation.derivative(z), -1))
    )
