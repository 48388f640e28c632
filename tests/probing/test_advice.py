"""Each cause is named where it was planted, with its figure, and not where it was not."""

from collections.abc import Callable

import pytest
import torch
from sick_models import batches, model
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import Monitor, probe
from dying_relu.probing.advice import CENTRE_ACTIVATIONS, CENTRE_INPUTS, COME_BACK
from dying_relu.probing.batches import InputScale

SENTENCES = {
    "low bias": "if their bias were 0",
    "far weights": "threw them there",
    "no weights": "weights that are all 0",
    "away": "even without their bias",
    "whole layer": "No unit is alive",
    "dead before": "whole layer before is dead",
    "inputs": "The model's inputs have",
    "saturated": "are saturated",
    "grown weights": "usual initialisations make",
    "born": "dead at the first measurement",
    "died": "died in training",
    "offset": "if the mean of the layer's inputs were subtracted",
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


def grown_weights(network: nn.Sequential) -> None:
    network[2].weight.copy_(-20 * network[2].weight.abs())
    network[2].bias[:5] = -1


def saturated(network: nn.Sequential) -> None:
    network[3] = nn.Tanh()
    network[2].weight *= 1000


PLANTED: dict[Callable[[nn.Sequential], None], set[str]] = {
    low_bias: {"low bias"},
    no_weights: {"no weights"},
    far_weights: {"far weights", "away", "offset"},
    whole_layer: {"low bias", "whole layer", "dead before"},
    grown_weights: {"grown weights", "whole layer", "away", "offset"},
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


def test_a_dead_layer_beside_another_is_not_before_it() -> None:
    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dead, self.sick = nn.Linear(6, 4), nn.Linear(6, 8)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.dead(x)).sum(1) + torch.relu(self.sick(x)).sum(1)

    network = Branches()
    with torch.no_grad():
        network.dead.bias.fill_(-100)
        network.sick.bias[:5] = -100
    said = probe(network, batches()).advice()
    assert "relu#2: 5 of 8 units are dead." in said
    assert SENTENCES["dead before"] not in said


def test_a_monitor_knows_when_units_died() -> None:
    network = model()
    with torch.no_grad():
        network[0].bias[:3] = -100
    monitor = Monitor(network, batches(), every=10)
    monitor.measure()
    for step in range(1, 41):
        with torch.no_grad():
            if step == 15:
                network[0].bias[3:8] = -100
        monitor.step()
    said = monitor.report.advice()
    assert "3 of them were dead at the first measurement" in said
    assert "5 of them died in training, 5 of these between steps 10 and 20" in said


def test_inputs_in_half_precision_have_a_scale() -> None:
    scale = InputScale()
    scale.add([torch.full((2000, 100), 300.0, dtype=torch.float16)])
    assert (scale.mean, scale.deviation) == (300, 0)


def test_units_that_the_mean_of_the_inputs_holds_down_are_named_with_their_effective_bias() -> None:
    network = model()
    with torch.no_grad():
        network[0].weight[:5] = -network[0].weight[:5].abs()
        network[0].bias.zero_()
    data = [(images.abs() + 3, labels) for images, labels in batches()]
    report = probe(network, data)
    said = report.advice()
    assert SENTENCES["offset"] in said
    dead = report.units("1").query("dead")
    assert f"effective bias {dead['pre_activation_mean'].median():.3g} in the median" in said


def test_the_mean_of_the_inputs_is_the_first_thing_to_mend_in_a_first_layer() -> None:
    network = model()
    with torch.no_grad():
        network[0].weight[:5] = -network[0].weight[:5].abs()
        network[0].weight[5] = -100 * network[0].weight[5].abs()
        network[0].bias.zero_()
    data = [(images.abs() + 3, labels) for images, labels in batches()]
    advice = probe(network, data).advice()
    assert CENTRE_INPUTS in advice
    assert advice.index(CENTRE_INPUTS) < advice.index(SENTENCES["far weights"])
    assert COME_BACK not in advice


def test_units_of_a_deeper_layer_may_come_back_while_some_of_it_live() -> None:
    network = model()
    with torch.no_grad():
        network[2].weight[:5] = -network[2].weight[:5].abs()
        network[2].bias[:5] = 0
    advice = probe(network, batches()).advice()
    assert COME_BACK in advice
    assert CENTRE_ACTIVATIONS in advice
    with torch.no_grad():
        network[2].bias.fill_(-1e4)
    assert COME_BACK not in probe(network, batches()).advice()


def test_nearly_dead_units_are_named() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(1, 10), nn.ReLU())
    with torch.no_grad():
        network[0].weight.fill_(1)
        network[0].bias.copy_(torch.tensor([-2.5] * 5 + [0.0] * 5))
    said = probe(network, [torch.randn(1000, 1)]).advice()
    assert "5 of 10 units are nearly dead" in said


def test_claims_of_the_paper_are_no_reasons() -> None:
    for plant in PLANTED:
        network = model()
        with torch.no_grad():
            plant(network)
        assert "(C" not in probe(network, batches()).advice()
