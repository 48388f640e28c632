"""Layers that centre: their gradients are autograd's, their means those of all examples, whatever the stack."""

import pytest
import torch
from stack.test_equality import ARCHITECTURES, CLASSES, CPU, IMAGE, batches, runs
from torch import nn

from dying_relu.configuration import SGD
from dying_relu.stack.centring import CENTRINGS
from dying_relu.stack.loss import cross_entropy
from dying_relu.stack.network import Network
from dying_relu.training.models import as_inputs, build, prepare
from dying_relu.training.trainer import optimiser_of

SETTINGS = SGD(kind="sgd", momentum=0.9)


def centred(kind: str, centring: str, share: float, chosen) -> tuple[Network, torch.Tensor]:
    architecture = ARCHITECTURES[kind].model_copy(update={"centring": centring, "centring_share": share})
    network = build(architecture, chosen, IMAGE, CLASSES, seed=3, device=CPU)
    examples = as_inputs(architecture, torch.cat([x for x, _ in batches(20)]))
    prepare(network, chosen, examples)
    return network, examples


def plain_forward(network: Network, k: int, x: torch.Tensor, centring: str, share: float, parameters):
    """The logits of one network in plain PyTorch, with the parameters given."""
    weights = iter(parameters)
    means = iter([layer.mean[k] for layer in network.centrings])
    for hidden in network.hidden:
        weight, bias = next(weights), next(weights)
        if hidden.name.startswith("conv"):
            x = nn.functional.max_pool2d(nn.functional.conv2d(x, weight, bias, padding=1).relu(), 2)
            axes, shape = (0, 2, 3), (1, -1, 1, 1)
        else:
            x = x.permute(0, 2, 3, 1) if x.dim() == 4 and hidden.depth > 1 else x
            x = nn.functional.linear(x.flatten(1), weight, bias).relu()
            axes, shape = (0,), (1, -1)
        mean = next(means) if centring == "initial" else x.mean(axes)
        x = x - share * mean.view(shape)
    return nn.functional.linear(x.flatten(1), next(weights), next(weights))


@pytest.mark.parametrize("share", [1.0, -0.5])
@pytest.mark.parametrize("centring", CENTRINGS)
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_training_equals_plain_pytorch(kind: str, centring: str, share: float) -> None:
    chosen = runs("relu", "momentum")
    network, _ = centred(kind, centring, share, chosen)
    k = 2
    parameters = [parameter.value[k].clone().requires_grad_() for parameter in network.parameters()]
    theirs = torch.optim.SGD(parameters, torch.tensor(chosen[k].learning_rate).item(), 0.9)
    optimiser = optimiser_of(SETTINGS, chosen, CPU)
    for x, y in batches(10):
        loss = cross_entropy(network.forward(as_inputs(ARCHITECTURES[kind], x)), y)
        network.backward(loss.gradient, optimiser)
        theirs.zero_grad()
        nn.functional.cross_entropy(plain_forward(network, k, x, centring, share, parameters), y).backward()
        theirs.step()
    for ours, other in zip(network.parameters(), parameters, strict=True):
        torch.testing.assert_close(ours.value[k], other.detach(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("centring", CENTRINGS)
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_settled_means_are_those_of_all_examples(kind: str, centring: str) -> None:
    network, examples = centred(kind, centring, 1.0, runs("relu", "momentum"))
    with network.evaluation():
        x = examples
        for layer in network.layers:
            x = layer.forward(x)
            if layer in network.centrings:
                mean = x.mean(2) if x.dim() == 3 else x.mean((1, 3, 4))
                assert mean.abs().max() < 1e-5


@pytest.mark.parametrize("centring", CENTRINGS)
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_centred_network_does_not_depend_on_its_stack(kind: str, centring: str) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        trained = []
        for chosen in (runs("relu", "momentum"), runs("relu", "momentum")[1:2]):
            network, examples = centred(kind, centring, 1.0, chosen)
            optimiser = optimiser_of(SETTINGS, chosen, CPU)
            for x, y in batches(10):
                loss = cross_entropy(network.forward(as_inputs(ARCHITECTURES[kind], x)), y)
                network.backward(loss.gradient, optimiser)
            network.settle_means(examples)
            trained.append(network)
    finally:
        torch.set_num_threads(threads)
    together, alone = trained
    for stacked, single in zip(together.parameters(), alone.parameters(), strict=True):
        assert torch.equal(stacked.value[1:2], single.value)
    for stacked, single in zip(together.centrings, alone.centrings, strict=True):
        assert torch.equal(stacked.mean[1:2], single.mean)
