"""A stack computes what plain PyTorch computes one network at a time: the same parameters after training.

Training amplifies rounding errors: two float32 programs that sum in another order drift apart within a few hundred steps,
PyTorch and itself included. So the rules are compared in float64 over hundreds of steps, where only a wrong rule can
differ, and the float32 kernels over fewer.
"""

from dataclasses import replace

import plain
import pytest
import torch

from dying_relu.configuration import CNN, MLP, SGD, Adam
from dying_relu.plan.shard import Run
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.convolution import Convolution
from dying_relu.stack.layers import Linear
from dying_relu.stack.loss import cross_entropy
from dying_relu.stack.network import Network
from dying_relu.stack.normalisation import BatchNormalisation
from dying_relu.stack.precision import is_possible, products_in
from dying_relu.training.learning_rate import learning_rates
from dying_relu.training.models import as_inputs, build
from dying_relu.training.trainer import optimiser_of

SIDE_BY_SIDE = {
    "odd": CNN(kind="cnn", channels=[5, 6], widths=[32]),
    "halves_of_blocks": CNN(kind="cnn", channels=[8, 16], widths=[32]),
    "blocks": CNN(kind="cnn", channels=[16, 32], widths=[32]),
}
"""How channels fill oneDNN's blocks. (Twelve hidden units are no multiple of its blocks: their bf16 products depend on the stack.)"""
ARCHITECTURES = {
    "mlp": MLP(kind="mlp", widths=[24, 16]),
    "cnn": CNN(kind="cnn", channels=[5, 6], widths=[12]),
}
OPTIMISERS = {
    "sgd": SGD(kind="sgd"),
    "momentum": SGD(kind="sgd", momentum=0.9),
    "adam": Adam(kind="adam"),
}
REMEDIES = {
    "sgd_weight_decay": SGD(kind="sgd", weight_decay=0.1),
    "momentum_weight_decay": SGD(kind="sgd", momentum=0.9, weight_decay=0.1),
    "adam_weight_decay": Adam(kind="adam", weight_decay=0.1),
    "sgd_clipped": SGD(kind="sgd", clip_norm=0.5),
    "momentum_clipped": SGD(kind="sgd", momentum=0.9, clip_norm=0.5),
    "adam_clipped_decaying": Adam(kind="adam", clip_norm=0.5, weight_decay=0.1),
    "sgd_warm_up": SGD(kind="sgd", warm_up_steps=20),
    "momentum_warm_up": SGD(kind="sgd", momentum=0.9, weight_decay=0.1, warm_up_steps=20),
    "adam_warm_up": Adam(kind="adam", warm_up_steps=20),
}
NORMALISED = {
    f"{kind}_{normalisation}": shape.model_copy(update={"normalisation": normalisation})
    for kind, shape in ARCHITECTURES.items()
    for normalisation in ("batch", "layer")
}
IMAGE, CLASSES, CPU = torch.Size((3, 12, 12)), 10, torch.device("cpu")


def runs(activation: str, optimiser: str) -> list[Run]:
    """Four networks that differ in everything that may differ within a stack."""
    slopes = {"leaky_relu": (0.01, 0.0, 0.3, 1.0), "prelu": (0.25, 0.25, 0.1, 0.0)}.get(
        activation, (None,) * 4
    )
    rates = {"sgd": (0.01, 0.05), "momentum": (0.001, 0.005), "adam": (0.0005, 0.002)}[
        optimiser.partition("_")[0]
    ]
    return [
        Run(
            id=f"run{k}",
            experiment="equality",
            dataset="mnist",
            architecture="any",
            optimiser=optimiser,
            activation=activation,
            slope=slopes[k],
            initialisation=("he", "default")[k % 2],
            initial_bias=(0.0, -0.5)[k // 2],
            learning_rate=rates[k % 2],
            replicate=0,
            seed=0,
        )
        for k in range(4)
    ]


def batches(steps: int, dtype: torch.dtype = torch.float32) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Minibatches that a linear teacher has labelled."""
    generator = torch.Generator().manual_seed(1)
    teacher = torch.randn(IMAGE.numel(), CLASSES, generator=generator)
    x = torch.randn(steps, 32, *IMAGE, generator=generator)
    return list(zip(x.to(dtype), (x.flatten(2) @ teacher).argmax(-1), strict=True))


def new_stack(architecture, chosen, dtype=torch.float32, device=CPU) -> Network:
    stack = build(architecture, chosen, IMAGE, CLASSES, seed=3, device=device)
    for parameter in stack.parameters():
        parameter.value = parameter.value.to(dtype)
    for hidden in stack.hidden:
        hidden.activation.slope.value = hidden.activation.slope.value.to(dtype)
        if isinstance(hidden.normalisation, BatchNormalisation):
            hidden.normalisation.running_mean = hidden.normalisation.running_mean.to(dtype)
            hidden.normalisation.running_variance = hidden.normalisation.running_variance.to(dtype)
    return stack


def train_stack(architecture, settings, chosen, data) -> tuple[Network, torch.Tensor]:
    device = data[0][0].device
    stack = new_stack(architecture, chosen, data[0][0].dtype, device)
    optimiser = optimiser_of(settings, chosen, device)
    losses = []
    for step, (x, y) in enumerate(data, start=1):
        if step <= settings.warm_up_steps:
            optimiser.set_rates(learning_rates(chosen, device) * (step / settings.warm_up_steps))
        result = cross_entropy(stack.forward(as_inputs(architecture, x)), y)
        stack.backward(result.gradient, optimiser)
        losses.append(result.loss)
    return stack, torch.stack(losses)


@pytest.mark.parametrize(
    ("dtype", "steps", "tolerance"), [(torch.float64, 200, 1e-9), (torch.float32, 20, 1e-3)]
)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_equals_plain_pytorch(
    architecture: str, activation: str, optimiser: str, dtype: torch.dtype, steps: int, tolerance: float
) -> None:
    chosen = runs(activation, optimiser)
    assert_equal_training(
        ARCHITECTURES[architecture], OPTIMISERS[optimiser], chosen, batches(steps, dtype), tolerance
    )


@pytest.mark.parametrize("optimiser", REMEDIES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_changed_updates_equal_plain_pytorch(architecture: str, optimiser: str) -> None:
    chosen = runs("prelu", optimiser)
    data = batches(60, torch.float64)
    assert_equal_training(ARCHITECTURES[architecture], REMEDIES[optimiser], chosen, data, 1e-8)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("architecture", NORMALISED)
def test_normalised_networks_equal_plain_pytorch(architecture: str, optimiser: str) -> None:
    chosen = runs("relu", optimiser)
    data = batches(60, torch.float64)
    assert_equal_training(NORMALISED[architecture], OPTIMISERS[optimiser], chosen, data, 1e-7)


def assert_equal_training(architecture, settings, chosen, data, tolerance: float) -> None:
    """Two of the networks, trained in a stack and by themselves, have the same losses, parameters and answers.

    All are trained where ``data`` are.
    """
    dtype, device = data[0][0].dtype, data[0][0].device
    stack, losses = train_stack(architecture, settings, chosen, data)
    initial = new_stack(architecture, chosen, dtype, device)
    with stack.evaluation():
        answers = stack.forward(as_inputs(architecture, data[0][0]))
    for k, run in list(enumerate(chosen))[::3]:
        net = plain.network(architecture, run, IMAGE, CLASSES).to(device, dtype)
        plain.copy_parameters(initial, k, net)
        expected = plain.train(net, plain.optimiser(settings, run, net.parameters()), data, settings)

        def assert_equal(ours: torch.Tensor, theirs: torch.Tensor) -> None:
            torch.testing.assert_close(ours, theirs.detach(), rtol=tolerance, atol=tolerance)

        assert_equal(losses[:, k], torch.tensor(expected, dtype=dtype, device=device))
        affine = [layer for layer in stack.layers if isinstance(layer, Linear | Convolution)]
        modules = [module for module in net if isinstance(module, torch.nn.Linear | torch.nn.Conv2d)]
        for layer, module in zip(affine, modules, strict=True):
            assert_equal(layer.weight.value[k], module.weight)
            assert_equal(layer.bias.value[k], module.bias)
        slopes = [module.weight for module in net if isinstance(module, torch.nn.PReLU)]
        for hidden, slope in zip(stack.hidden, slopes, strict=False):
            assert_equal(hidden.activation.slope.value[k : k + 1], slope)
        # An error of a weight counts once for each input.
        theirs = net.eval()(data[0][0]).detach()
        torch.testing.assert_close(answers[k].T, theirs, rtol=100 * tolerance, atol=100 * tolerance)


@pytest.mark.parametrize("optimiser", [*OPTIMISERS, *REMEDIES])
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, *NORMALISED])
def test_a_network_does_not_depend_on_its_stack(architecture: str, optimiser: str) -> None:
    assert_same_alone(architecture, "relu", optimiser)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_with_any_activation_it_does_not_depend_on_its_stack(architecture: str, activation: str) -> None:
    assert_same_alone(architecture, activation, "sgd")


@pytest.mark.parametrize("products", ["float32", "bf16"])
@pytest.mark.parametrize("channels", SIDE_BY_SIDE)
def test_convolutions_do_not_depend_on_the_stack_in_any_precision(channels: str, products: str) -> None:
    if not is_possible(products, CPU):
        pytest.skip("no bfloat16 products in hardware")
    with products_in(products):
        assert_alike(SIDE_BY_SIDE[channels], runs("relu", "sgd"), OPTIMISERS["sgd"])


def assert_same_alone(architecture: str, activation: str, optimiser: str) -> None:
    chosen = runs(activation, optimiser)
    assert_alike((ARCHITECTURES | NORMALISED)[architecture], chosen, (OPTIMISERS | REMEDIES)[optimiser])


def assert_alike(shape, chosen: list[Run], settings) -> None:
    """A network trained in a stack is the one that is trained alone, bit for bit, with one thread."""
    threads, data = torch.get_num_threads(), batches(30)
    torch.set_num_threads(1)
    try:
        together, _ = train_stack(shape, settings, chosen, data)
        alone, _ = train_stack(shape, settings, chosen[1:2], data)
    finally:
        torch.set_num_threads(threads)
    for stacked, single in zip(together.parameters(), alone.parameters(), strict=True):
        assert torch.equal(stacked.value[1:2], single.value)


def test_first_layers_share_their_weights_across_rates_biases_and_activations() -> None:
    one = build(ARCHITECTURES["mlp"], runs("relu", "sgd")[:1], IMAGE, CLASSES, seed=3, device=CPU)
    other = build(ARCHITECTURES["mlp"], runs("tanh", "adam")[2:3], IMAGE, CLASSES, seed=3, device=CPU)
    for here, there in zip(one.layers, other.layers, strict=True):
        if isinstance(here, Linear) and isinstance(there, Linear):
            assert torch.equal(here.weight.value, there.weight.value)


def test_a_negative_slope_is_not_applied_after_pooling() -> None:
    chosen = [replace(run, slope=-0.5) for run in runs("leaky_relu", "sgd")[:1]]
    data = batches(20, torch.float64)
    _, losses = train_stack(ARCHITECTURES["cnn"], OPTIMISERS["sgd"], chosen, data)
    net = plain.network(ARCHITECTURES["cnn"], chosen[0], IMAGE, CLASSES).double()
    plain.copy_parameters(new_stack(ARCHITECTURES["cnn"], chosen, torch.float64), 0, net)
    expected = plain.train(net, plain.optimiser(OPTIMISERS["sgd"], chosen[0], net.parameters()), data)
    torch.testing.assert_close(losses[:, 0], torch.tensor(expected, dtype=torch.float64))
