"""Each cause is named where it was planted, with its figure, and not where it was not."""

from collections.abc import Callable

import pytest
import torch
from sick_models import batches, model
from torch import nn
from torch.nn import functional

from dying_relu import probe

SENTENCES = {
    "low bias": "if their bias were 0",
    "far weights": "threw them there",
    "no weights": "weights that are all 0",
    "away": "even without their bias",
    "whole layer": "No unit is alive",
    "dead before": "whole layer before is dead",
    "inputs": "The model's inputs have",
    "saturated": "are saturated",
}


def low_bias(network: nn.Sequential) -> None:
    network[0].bias[:5] = -100


def no_weights(network: nn.Sequential) -> None:
    network[0].weight[:5] = 0
    network[0].bias[:5] = -1


def far_weights(network: nn.Sequential) -> None:
    network[2].weight[:5] = -network[2].weight[:5].abs() * 50
    network[2].bias[:5] = -1


def whole_layer(network: nn.Sequential) -> None:
    network[0].bias.fill_(-100)
    network[2].bias.fill_(-1)


def saturated(network: nn.Sequential) -> None:
    network[3] = nn.Tanh()
    network[2].weight *= 1000


PLANTED: dict[Callable[[nn.Sequential], None], set[str]] = {
    low_bias: {"low bias"},
    no_weights: {"no weights"},
    far_weights: {"far weights", "away"},
    whole_layer: {"low bias", "whole layer", "dead before", "away"},
    saturated: {"saturated"},
}


@pytest.mark.parametrize("plant", PLANTED)
def test_the_causes_that_were_planted_are_named_and_no_other(plant: Callable[[nn.Sequential], None]) -> None:
    network = model()
    with torch.no_grad():
        plant(network)
    said = probe(network, batches()).advice()
    assert {cause for cause, words in SENTENCES.items() if words in said} == PLANTED[plant]


def test_the_figures_are_those_of_the_units() -> None:
    network = model()
    with torch.no_grad():
        network[0].bias[:5] = torch.tensor([-100.0, -100, -200, -300, -300])
    assert "5 of them would be active" in (said := probe(network, batches()).advice())
    assert "it is -200 in the median" in said


def test_inputs_that_are_not_standardised_are_named_where_units_die() -> None:
    network = model()
    with torch.no_grad():
        network[0].bias[:5] = -1e5
    assert SENTENCES["inputs"] in probe(network, batches(scale=70.0, mean=120.0)).advice()


def test_a_healthy_network_needs_no_advice() -> None:
    assert probe(model(), batches()).advice() == "No layer has more than 10% dead or saturated units."


def test_units_that_no_gradient_reaches_are_told_from_dead_ones() -> None:
    network = model()
    with torch.no_grad():
        network[2].bias.fill_(-100)
    said = probe(network, batches(), loss=functional.cross_entropy).advice()
    assert "1: 20 units are alive, and no gradient reaches them" in said.replace("  ", "")
