"""Travel and rest: our optimisers move parameters on, or not, as the formulas say; dead first-layer units do not move by one bit."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dying_relu.configuration import MLP, SGD, Adam
from dying_relu.configuration import Optimiser as OptimiserSettings
from dying_relu.plan.shard import Run
from dying_relu.simulations.networks import dead_units
from dying_relu.stack.loss import cross_entropy
from dying_relu.stack.network import Network
from dying_relu.stack.optimisers import Optimiser, Parameter
from dying_relu.theory.travel import adam_travel, leaky_attenuation, momentum_travel
from dying_relu.training.models import build
from dying_relu.training.trainer import optimiser_of

RUN = Run("r", "travel", "d", "a", "o", "relu", None, "he", 0.0, 0.1, 0, 0)
CPU = torch.device("cpu")
PLAIN = SGD(kind="sgd")


def travelled(optimiser: Optimiser, gradient: Tensor, before: int, after: int) -> Tensor:
    """How far (K,) parameters move in ``after`` steps without a gradient, which follow ``before`` steps with a constant one."""
    parameter = Parameter(torch.zeros_like(gradient))

    def steps(number: int, value: Tensor) -> None:
        for _ in range(number):
            optimiser.add(parameter, optimiser.gradient_scale * value)
            optimiser.finish_step()

    steps(before, gradient)
    start = parameter.value.clone()
    steps(after, torch.zeros_like(gradient))
    return start - parameter.value


def optimiser(settings: OptimiserSettings, *rates: float) -> Optimiser:
    """In float64, so that only a wrong rule can differ."""
    made = optimiser_of(settings, [replace(RUN, learning_rate=rate) for rate in rates], CPU)
    made.gradient_scale = made.gradient_scale.double()
    return made


@given(st.floats(0.05, 0.95), st.floats(-5, 5), st.sampled_from([0.5, 0.125]))
@settings(max_examples=20)
def test_momentum_carries_on(momentum: float, gradient: float, rate: float) -> None:
    steps = 1_000
    moved = travelled(
        optimiser(SGD(kind="sgd", momentum=momentum), rate), torch.tensor([gradient]).double(), steps, steps
    )
    assert moved.item() == pytest.approx(
        momentum_travel(rate, torch.tensor(gradient).item(), momentum), rel=1e-6
    )


def test_momentum_of_nine_tenths_goes_ninety_steps_further() -> None:
    made = optimiser(SGD(kind="sgd", momentum=0.9), 0.5, 0.25)
    moved = travelled(made, torch.tensor([1.0, -2.0]).double(), 500, 500)
    torch.testing.assert_close(moved, torch.tensor([45.0, -45.0]).double())


def test_plain_sgd_stops_at_once() -> None:
    moved = travelled(optimiser(PLAIN, 0.5), torch.tensor([3.0]).double(), 10, 10)
    assert moved.item() == 0.0 == momentum_travel(0.5, 3.0, 0.0)


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.99), (0.5, 0.9)])
def test_adam_carries_on_whatever_the_size_of_the_gradient(beta1: float, beta2: float) -> None:
    settings = Adam(kind="adam", beta1=beta1, beta2=beta2)
    made = optimiser(settings, 0.5, 0.25)
    before = round(20 / (1 - beta2))
    moved = travelled(made, torch.tensor([3.0, -70.0]).double(), before, 1_000)
    expected = [adam_travel(0.5, beta1, beta2), -adam_travel(0.25, beta1, beta2)]
    torch.testing.assert_close(moved, torch.tensor(expected).double(), rtol=1e-5, atol=0)


def test_adam_with_its_usual_decays_goes_nine_steps_further() -> None:
    assert adam_travel(1.0) == pytest.approx(9.05, abs=0.005)


@given(st.floats(0, 0.98), st.floats(0.001, 10), st.floats(0, 10))
def test_more_momentum_goes_further(momentum: float, rate: float, gradient: float) -> None:
    here = momentum_travel(rate, gradient, momentum)
    assert 0 <= here <= momentum_travel(rate, gradient, momentum + 0.01)


@given(st.floats(0, 0.98), st.floats(0.99, 0.9999))
def test_a_shorter_memory_of_squares_goes_further(beta1: float, beta2: float) -> None:
    assert adam_travel(1.0, beta1, beta2) >= adam_travel(1.0, beta1, (1 + beta2) / 2) >= 0


@pytest.mark.parametrize(("beta1", "beta2"), [(0.99, 0.9), (-0.1, 0.9), (0.9, 1.0)])
def test_adam_that_never_stops_is_refused(beta1: float, beta2: float) -> None:
    with pytest.raises(ValueError, match="decays"):
        adam_travel(1.0, beta1, beta2)


@pytest.mark.parametrize("momentum", [-0.1, 1.0])
def test_momentum_that_never_stops_is_refused(momentum: float) -> None:
    with pytest.raises(ValueError, match="momentum is in"):
        momentum_travel(1.0, 1.0, momentum)


def test_one_sided_leaky_units_move_in_proportion_to_a_power_of_the_slope() -> None:
    slopes, hidden = (1.0, 0.1, 0.03, 0.01), 3
    chosen = [
        replace(RUN, activation="leaky_relu", slope=slope, initial_bias=-10.0, learning_rate=1.0)
        for slope in slopes
    ]
    network = build(MLP(kind="mlp", widths=[8] * hidden), chosen, torch.Size((1, 1, 5)), 3, 0, CPU)
    for parameter in (*network.parameters(), *(layer.activation.slope for layer in network.hidden)):
        parameter.value = parameter.value.double()
    stream = torch.Generator().manual_seed(0)
    x = torch.randn(20, 5, generator=stream).double()
    logits = network.forward(x)
    assert all((layer.activation.z[1:] < 0).all() for layer in network.hidden)
    before = [layer.affine.bias.value.clone() for layer in network.hidden]
    # The gradient above is given: by the loss it would depend on the slope, too.
    above = torch.randn(logits.shape[1:], generator=stream).double().expand(logits.shape)
    network.backward(above, optimiser(PLAIN, *[1.0] * len(slopes)))
    for depth, (layer, start) in enumerate(zip(network.hidden, before, strict=True)):
        moved = layer.affine.bias.value - start
        factor = [leaky_attenuation(slope, hidden - depth) for slope in slopes]
        torch.testing.assert_close(
            moved, torch.tensor(factor).double()[:, None] * moved[0], rtol=1e-6, atol=1e-13
        )
        assert moved[0].abs().min() > 0


def test_no_layers_pass_the_whole_gradient_and_fewer_are_refused() -> None:
    assert leaky_attenuation(0.01, 0) == 1
    with pytest.raises(ValueError, match="not negative"):
        leaky_attenuation(0.01, -1)


class Training:
    """A small network on random data, trained step by step; units are counted on all of the data."""

    def __init__(self, settings: OptimiserSettings, rate: float, biases: tuple[float, ...]) -> None:
        chosen = [replace(RUN, learning_rate=rate, initial_bias=bias) for bias in biases]
        stream = torch.Generator().manual_seed(3)
        self.x = torch.randn(60, 6, generator=stream)
        self.y = (self.x @ torch.randn(6, 3, generator=stream)).argmax(1)
        self.network: Network = build(
            MLP(kind="mlp", widths=[40, 12]), chosen, torch.Size((1, 1, 6)), 3, 5, CPU
        )
        self.optimiser = optimiser_of(settings, chosen, CPU)

    def first_layer(self) -> tuple[Tensor, Tensor]:
        """(K, units) dead on all the data, and (K, units, 7) weights and biases."""
        affine = self.network.hidden[0].affine
        parameters = torch.cat([affine.weight.value, affine.bias.value[..., None]], dim=2)
        return dead_units(self.network, self.x)[0], parameters.clone()

    def step(self, number: int) -> None:
        batch = slice(10 * (number % 6), 10 * (number % 6) + 10)
        loss = cross_entropy(self.network.forward(self.x[batch]), self.y[batch])
        self.network.backward(loss.gradient, self.optimiser)


def test_dead_units_of_the_first_layer_do_not_move_by_one_bit_under_sgd() -> None:
    training = Training(PLAIN, 4.0, (0.0, -2.0))
    born, parameters = training.first_layer()
    assert born.any()
    dead = born
    for number in range(300):
        training.step(number)
        now, moved_to = training.first_layer()
        moved = (moved_to != parameters).any(2)
        assert not moved[dead].any()
        assert (dead <= now).all()
        dead, parameters = now, moved_to
    assert (dead & ~born).any(), "some must die on the way"
    assert (~dead).any()


@pytest.mark.parametrize(
    "settings", [SGD(kind="sgd", momentum=0.9), Adam(kind="adam")], ids=["momentum", "adam"]
)
def test_with_a_memory_units_move_on_after_their_death(settings: OptimiserSettings) -> None:
    training = Training(settings, 1.0, (0.0, -2.0))
    moved_on, (dead, parameters) = 0, training.first_layer()
    for number in range(100):
        training.step(number)
        now, moved_to = training.first_layer()
        moved_on += int(((moved_to != parameters).any(2) & dead & now).sum())
        dead, parameters = now, moved_to
    assert moved_on > 0


@pytest.mark.parametrize("settings", [PLAIN, Adam(kind="adam")], ids=["sgd", "adam"])
def test_nothing_moves_below_a_layer_that_is_all_dead(settings: OptimiserSettings) -> None:
    training = Training(settings, 0.1, (0.0,))
    training.network.hidden[1].affine.bias.value.fill_(-1e4)
    alive, parameters = training.first_layer()
    assert not alive.all()
    for number in range(50):
        training.step(number)
    assert torch.equal(training.first_layer()[1], parameters)
    assert dead_units(training.network, training.x)[1].all()


@pytest.mark.parametrize(("beta1", "beta2"), [(0.5, 0.25), (0.9, 0.75)])
def test_a_ratio_of_one_or_more_has_no_finite_travel(beta1: float, beta2: float) -> None:
    with pytest.raises(ValueError, match="decays must satisfy"):
        adam_travel(1.0, beta1, beta2)
