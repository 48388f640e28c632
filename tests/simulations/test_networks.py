"""Stacks of random networks: drawn as for training, each for itself, and counted by the definitions."""

import pytest
import torch

from dying_relu.configuration import MLP
from dying_relu.plan.shard import Run
from dying_relu.simulations import inputs
from dying_relu.simulations.networks import dead_by_depth, dead_units, random_networks
from dying_relu.stack.initialisation import SCHEMES, random_stream
from dying_relu.training.models import build

IMAGE, CPU = torch.Size((1, 1, 4)), torch.device("cpu")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_network_is_that_which_is_built_for_training(scheme: str) -> None:
    run = Run("r", "e", "d", "a", "o", "relu", None, scheme, 0.0, 0.1, 0, 0)
    built = build(MLP(kind="mlp", widths=[5, 3]), [run], IMAGE, 1, 12, CPU)
    drawn = random_networks(1, 4, [5, 3], scheme, random_stream(12, "weights"))
    for one, other in zip(built.parameters(), drawn.parameters(), strict=True):
        assert torch.equal(one.value, other.value)
    x = torch.randn(6, 4, generator=random_stream(0, "x"))
    assert torch.equal(built.forward(x), drawn.forward(x))
    assert [hidden.name for hidden in built.hidden] == [hidden.name for hidden in drawn.hidden]


def test_networks_of_a_stack_differ() -> None:
    stack = random_networks(50, 4, [5, 3], "he", random_stream(0, "weights"))
    for parameter in stack.parameters()[::2]:
        assert len(parameter.value.flatten(1).unique(dim=0)) == 50


def test_a_network_is_dead_from_the_layer_on_in_which_all_units_are() -> None:
    stack = random_networks(3, 2, [2, 2, 2], "he", random_stream(0, "weights"))
    for hidden in stack.hidden:
        hidden.affine.weight.value.abs_()
        hidden.affine.bias.value.fill_(0.1)
    stack.hidden[1].affine.bias.value[1] = -1e3
    stack.hidden[0].affine.bias.value[2, 0] = -1e3
    x = torch.rand(7, 2, generator=random_stream(1, "x"))
    assert dead_by_depth(stack, x).tolist() == [
        [False, False, False],
        [False, True, False],
        [False, True, False],
    ]
    assert dead_units(stack, x)[0].tolist() == [[False, False], [False, False], [True, False]]


def test_a_network_that_is_dead_is_constant_and_others_are_not() -> None:
    stack = random_networks(2_000, 1, [2] * 6, "rai", random_stream(0, "weights"))
    x = inputs.interval(50)
    outputs = stack.forward(x)[:, 0]
    constant = outputs.max(1).values == outputs.min(1).values
    dead = dead_by_depth(stack, x)[-1]
    assert 0 < dead.sum() < len(dead)
    assert torch.equal(dead, constant)


def test_inputs_may_be_each_networks_own() -> None:
    stack = random_networks(4, 2, [3], "he", random_stream(0, "weights"))
    x = torch.randn(4, 2, 5, generator=random_stream(1, "x"))
    (own,) = dead_units(stack, x)
    for k in range(4):
        (shared,) = dead_units(stack, x[k].T)
        assert torch.equal(own[k], shared[k])


def test_an_interval_has_mean_zero_and_variance_near_one_and_a_circle_unit_vectors() -> None:
    points = inputs.interval(100)
    assert points.mean().item() == pytest.approx(0, abs=1e-6)
    assert points.var().item() == pytest.approx(1, abs=0.05)
    torch.testing.assert_close(inputs.circle(7).norm(dim=1), torch.ones(7))
    assert inputs.circle(7).sum(0).abs().max() < 1e-5


def test_corners_lie_on_their_hyperplanes_and_edges_along_them() -> None:
    stream = random_stream(3, "planes")
    weight = torch.randn(10, 3, 2, generator=stream).double()
    bias = torch.randn(10, 3, generator=stream).double()
    points = inputs.everywhere(weight, bias)
    assert points.shape == (10, 2, 3 + 2 * 3)
    distance = (weight @ points + bias[..., None]).abs()
    assert (distance[..., :3].sort(1).values[:, :2] < 1e-6).all()
    assert (distance[..., 3:].min(1).values <= 1e-6 * inputs.FAR).all()
    assert (points[..., 3:].norm(dim=1) / inputs.FAR - 1).abs().max() < 1e-9
