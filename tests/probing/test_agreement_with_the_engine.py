"""The probe and the training engine count the same on the same network."""

import plain
import pytest
import torch
from torch import nn

from dying_relu import probe
from dying_relu.configuration import CNN, MLP
from dying_relu.plan.shard import Run
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.network import Network
from dying_relu.stack.normalisation import BatchNormalisation, LayerNormalisation
from dying_relu.training.measurement import measure
from dying_relu.training.models import as_inputs, build
from dying_relu.units import definitions

ARCHITECTURES = {
    "mlp": MLP(kind="mlp", widths=[24, 16]),
    "cnn": CNN(kind="cnn", channels=[5, 6], widths=[12]),
    "mlp, batch normalisation": MLP(kind="mlp", widths=[24, 16], normalisation="batch"),
    "mlp, layer normalisation": MLP(kind="mlp", widths=[24, 16], normalisation="layer"),
    "cnn, batch normalisation": CNN(kind="cnn", channels=[5, 6], widths=[12], normalisation="batch"),
    "cnn, layer normalisation": CNN(kind="cnn", channels=[5, 6], widths=[12], normalisation="layer"),
}
IMAGE, CLASSES, EXAMPLES = torch.Size((3, 12, 12)), 10, 250


def run(activation: str, initial_bias: float) -> Run:
    return Run(
        id=f"bias {initial_bias}",
        experiment="agreement",
        dataset="mnist",
        architecture="any",
        optimiser="sgd",
        activation=activation,
        slope={"leaky_relu": 0.01, "prelu": 0.25}.get(activation),
        initialisation="he",
        initial_bias=initial_bias,
        learning_rate=0.1,
        replicate=0,
        seed=0,
    )


def shift_randomly(stack: Network) -> None:
    """What training does to normalisation, so that some of its units are dead and some are not."""
    generator = torch.Generator().manual_seed(2)
    for layer in normalisations(stack):
        layer.shift.value.normal_(-1.5, 2, generator=generator)


def copy_shifts(stack: Network, k: int, network: nn.Sequential) -> None:
    modules = [
        m for m in network if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm | nn.GroupNorm)
    ]
    with torch.no_grad():
        for layer, module in zip(normalisations(stack), modules, strict=True):
            module.bias.copy_(layer.shift.value[k])


def normalisations(stack: Network) -> list[BatchNormalisation | LayerNormalisation]:
    return [layer for layer in stack.layers if isinstance(layer, BatchNormalisation | LayerNormalisation)]


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_probe_counts_what_the_engine_counts(architecture: MLP | CNN, activation: str) -> None:
    runs = [run(activation, bias) for bias in (0.0, -2.0, -4.0)]
    stack = build(architecture, runs, IMAGE, CLASSES, 0, torch.device("cpu"))
    images = torch.randn(EXAMPLES, *IMAGE, generator=torch.Generator().manual_seed(1))
    labels = torch.zeros(EXAMPLES, dtype=torch.int64)
    shift_randomly(stack)
    with stack.evaluation():
        expected = measure(stack, as_inputs(architecture, images), labels).units
    counts = {"dead": definitions.dead, "inactive": definitions.inactive, "saturated": definitions.saturated}
    for k, one in enumerate(runs):
        network = plain.network(architecture, one, IMAGE, CLASSES)
        plain.copy_parameters(stack, k, network)
        copy_shifts(stack, k, network)
        # The gradient of a surrogate is not that of the ReLU inside, and only the module as a whole has it.
        surrogates = [path for path, module in network.named_modules() if isinstance(module, plain.Surrogate)]
        table = probe(network, images.split(64), activations=surrogates).summary()
        for name, definition in counts.items():
            engine = [int(definition(seen)[k].sum()) for seen in expected.values()]
            assert table[name].tolist() == engine, name
        assert table["dormant"].tolist() == [
            int(definitions.dormant(seen, definitions.DORMANT_TAU)[k].sum()) for seen in expected.values()
        ]
