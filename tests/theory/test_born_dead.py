"""Networks born dead: our own random networks agree with the formulas, and the formulas with the numbers of the literature."""

import pytest
import torch
from agreement import agree
from hypothesis import given
from hypothesis import strategies as st

from dying_relu.configuration import MLP
from dying_relu.plan.shard import Run
from dying_relu.simulations import inputs
from dying_relu.simulations.networks import dead_by_depth, random_networks
from dying_relu.simulations.probabilities import born_dead, counted
from dying_relu.stack.initialisation import random_stream
from dying_relu.theory.born_dead import born_dead_probability_both_signs, born_dead_probability_one_point
from dying_relu.training.models import build

NETWORKS = 20_000
RUN = Run("r", "e", "d", "a", "o", "relu", None, "he", 0.0, 0.1, 0, 0)

widths, depths = st.integers(1, 60), st.integers(1, 200)


@pytest.mark.parametrize("scheme", ["he", "default without biases"])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_one_input_at_every_depth(width: int, scheme: str) -> None:
    """Whatever the distribution, as long as it is symmetric."""
    stream = random_stream(7, f"{scheme}{width}")
    stack = random_networks(NETWORKS, 4, [width] * 11, scheme.split()[0], stream)
    for hidden in stack.hidden:
        hidden.affine.bias.value.zero_()
    dead = dead_by_depth(stack, torch.randn(1, 4, generator=stream))
    for layers, at_depth in enumerate(dead, start=2):
        assert agree(counted(at_depth), born_dead_probability_one_point(width, layers))


def test_networks_that_are_built_for_training_are_born_dead_as_often() -> None:
    width, layers, networks = 2, 6, 2_000
    architecture, x = MLP(kind="mlp", widths=[width] * (layers - 1)), torch.ones(1, 1)
    dead = [
        dead_by_depth(build(architecture, [RUN], torch.Size((1, 1, 1)), 2, seed, torch.device("cpu")), x)[-1]
        for seed in range(networks)
    ]
    assert agree(counted(torch.cat(dead)), born_dead_probability_one_point(width, layers))


@pytest.mark.parametrize("scheme", ["he", "default without biases"])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_real_line(width: int, scheme: str) -> None:
    stream = random_stream(8, f"{scheme}{width}")
    stack = random_networks(NETWORKS, 1, [width] * 2, scheme.split()[0], stream)
    for hidden in stack.hidden:
        hidden.affine.bias.value.zero_()
    assert agree(counted(dead_by_depth(stack, inputs.line())[-1]), born_dead_probability_both_signs(width))


def test_two_points_stand_for_the_real_line() -> None:
    stack = random_networks(2_000, 1, [2] * 9, "he", random_stream(9, "line"))
    many = torch.cat([torch.linspace(-5, 5, 31), torch.tensor([1e-3, -1e3])])[:, None]
    assert torch.equal(dead_by_depth(stack, inputs.line()), dead_by_depth(stack, many))


@pytest.mark.parametrize(("width", "share"), [(2, 0.881), (3, 0.580), (5, 0.127)])
def test_the_real_line_at_ten_layers(width: int, share: float) -> None:
    """Numbers that were computed independently of this repository, by simulation: they are not exact either."""
    assert agree(born_dead(width, 10, inputs.line(), NETWORKS)[-1], share)


@pytest.mark.parametrize("width", [2, 4])
def test_death_on_a_small_set_of_inputs_is_nearly_that_on_a_point(width: int) -> None:
    """Rister & Rubin (2020): the probability tends to that value as the set shrinks."""
    stream = random_stream(10, f"{width}")
    centre, directions = torch.randn(2, 30, 5, generator=stream).unbind()
    stack = random_networks(NETWORKS, 5, [width] * 5, "he", stream)
    shares = [
        counted(dead_by_depth(stack, centre[:1] + radius * directions)[-1]) for radius in (1.0, 0.1, 1e-4)
    ]
    assert shares[0].successes < shares[1].successes < shares[2].successes
    assert agree(shares[2], born_dead_probability_one_point(width, 6))


def test_more_inputs_only_wake_a_network() -> None:
    stack = random_networks(5_000, 2, [2] * 9, "he", random_stream(11, "circle"))
    few, many = (dead_by_depth(stack, inputs.circle(directions)) for directions in (1, 32))
    assert (many <= few).all()
    assert (many < few).any()


def test_rai_is_born_dead_far_less_often() -> None:
    """0.22 was computed independently of this repository, for inputs that are not told; with He's first layer it is ours, too."""
    stream = random_stream(12, "rai")
    stack = random_networks(NETWORKS, 1, [2] * 9, "rai", stream)
    everywhere_rai = counted(dead_by_depth(stack, inputs.interval())[-1])
    he = random_networks(NETWORKS, 1, [2], "he", stream)
    for rai_parameter, he_parameter in zip(stack.parameters()[:2], he.parameters()[:2], strict=True):
        rai_parameter.value = he_parameter.value
    he_first = counted(dead_by_depth(stack, inputs.interval())[-1])
    assert agree(he_first, 0.22, unknown=0.005)
    assert he_first.share < everywhere_rai.share < 0.3
    assert born_dead(2, 10, inputs.interval(), NETWORKS)[-1].share > 0.85


@given(widths, depths)
def test_death_grows_with_depth_falls_with_width_and_is_a_probability(width: int, layers: int) -> None:
    here = born_dead_probability_one_point(width, layers)
    assert 0 <= here <= 1
    assert born_dead_probability_one_point(width, layers + 1) >= here
    assert born_dead_probability_one_point(width + 1, layers) <= here
    assert born_dead_probability_one_point(width, 2) == pytest.approx(2.0**-width, rel=1e-12)


@given(widths)
def test_the_line_is_less_deadly_than_a_point(width: int) -> None:
    line = born_dead_probability_both_signs(width)
    assert born_dead_probability_both_signs(width + 1) < line <= born_dead_probability_one_point(width, 3)


@pytest.mark.parametrize(("width", "layers"), [(0, 3), (2, 0)])
def test_no_units_or_no_layers_are_refused(width: int, layers: int) -> None:
    with pytest.raises(ValueError, match="has units and layers"):
        born_dead_probability_one_point(width, layers)


def test_no_units_are_refused_on_the_line() -> None:
    with pytest.raises(ValueError, match="has units, not 0"):
        born_dead_probability_both_signs(0)
