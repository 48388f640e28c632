"""The death of single units: our own layers agree with the formulas, in the first layer, on minibatches and on all of R^n."""

import math

import pytest
import torch
from agreement import agree
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dying_relu.simulations import inputs as probe_sets
from dying_relu.simulations.networks import dead_units, random_networks
from dying_relu.simulations.probabilities import dead_everywhere, dead_in_first_layer, dead_on_batch
from dying_relu.stack.initialisation import random_stream
from dying_relu.theory.unit_death import (
    dead_everywhere_probability,
    first_layer_death_probability,
    looks_dead_on_batch,
    median_death_bias,
)

biases, examples, dimensions = st.floats(-8, 2), st.integers(1, 5_000), st.integers(1, 1_000)


@pytest.mark.parametrize(("bias", "size", "dimension"), [(-2.0, 50, 3), (-1.0, 10, 1), (0.0, 3, 2)])
def test_first_layer_with_few_inputs(bias: float, size: int, dimension: int) -> None:
    """Here |w| varies a lot from unit to unit, and each unit needs a sample of its own."""
    count = dead_in_first_layer(bias, size, dimension, samples=4_000, units_a_sample=1)
    assert agree(count, first_layer_death_probability(bias, size, dimension))


@pytest.mark.parametrize(("bias", "published"), [(-4.665, 0.384), (-5.089, 0.721)])
def test_first_layer_on_images(bias: float, published: float) -> None:
    """As many inputs as MNIST has pixels. The published numbers have three digits, and so have their biases."""
    expected = first_layer_death_probability(bias, 2_000, 784)
    assert expected == pytest.approx(published, abs=1e-3)
    assert agree(dead_in_first_layer(bias, 2_000, 784, samples=40), expected)


@given(biases, examples, dimensions)
@settings(max_examples=40)
def test_first_layer_death_falls_with_bias_and_sample_and_is_a_probability(
    bias: float, size: int, dimension: int
) -> None:
    here = first_layer_death_probability(bias, size, dimension)
    assert 0 <= here <= 1
    assert first_layer_death_probability(bias + 0.5, size, dimension) <= here + 1e-8
    assert first_layer_death_probability(bias, 2 * size, dimension) <= here + 1e-8


@given(examples)
@settings(max_examples=20)
def test_without_bias_a_unit_is_dead_if_all_examples_are_on_one_side(size: int) -> None:
    assert first_layer_death_probability(0.0, size, 10) == pytest.approx(2.0**-size, abs=1e-9)


@given(st.floats(0.1, 10), examples)
def test_at_the_median_bias_half_of_the_units_are_dead(norm: float, size: int) -> None:
    bias = median_death_bias(norm, size)
    assert math.exp(size * stats.norm.logcdf(-bias / norm)) == pytest.approx(0.5, rel=1e-9)
    assert median_death_bias(2 * norm, size) == pytest.approx(2 * bias)
    assert median_death_bias(norm, size + 1) < bias


def test_half_of_a_layer_is_dead_at_the_median_bias() -> None:
    """With many inputs |w| is nearly sqrt(2) for every unit."""
    count = dead_in_first_layer(median_death_bias(2**0.5, 200), 200, 2_000, samples=40)
    assert agree(count, 0.5)


@pytest.mark.parametrize(("share", "size"), [(0.5, 3), (0.01, 64), (0.002, 500)])
def test_minibatches(share: float, size: int) -> None:
    assert agree(dead_on_batch(share, size, 10_000), looks_dead_on_batch(share, size))


@given(st.floats(0, 1), st.integers(0, 300))
def test_larger_batches_wake_more_units(share: float, size: int) -> None:
    here = looks_dead_on_batch(share, size)
    assert 0 <= looks_dead_on_batch(share, size + 1) <= here <= 1


@pytest.mark.parametrize(
    ("dimension", "width", "published"), [(1, 1, 1 / 4), (1, 2, 3 / 16), (2, 2, 1 / 8), (2, 3, 5 / 64)]
)
def test_second_layer_on_all_of_space(dimension: int, width: int, published: float) -> None:
    assert dead_everywhere_probability(dimension, width) == published
    assert agree(dead_everywhere(dimension, width, 40_000), published)


@pytest.mark.parametrize(("dimension", "width"), [(3, 3), (3, 4)])
def test_second_layer_in_three_dimensions(dimension: int, width: int) -> None:
    count = dead_everywhere(dimension, width, 20_000)
    assert agree(count, dead_everywhere_probability(dimension, width))


@pytest.mark.parametrize(("dimension", "width"), [(1, 2), (2, 3)])
def test_a_sample_of_inputs_shows_more_death_than_all_of_space(dimension: int, width: int) -> None:
    """And never less: the points that decide are not too many."""
    stream = random_stream(1, f"{dimension}{width}")
    stack = random_networks(5_000, dimension, [width, 1], "default", stream)
    for parameter in (*stack.parameters(), *(hidden.activation.slope for hidden in stack.hidden)):
        parameter.value = parameter.value.double()
    first = stack.hidden[0].affine
    everywhere = dead_units(stack, probe_sets.everywhere(first.weight.value, first.bias.value))[1]
    sample = dead_units(stack, 3 * torch.randn(100, dimension, generator=stream).double())[1]
    assert (everywhere <= sample).all()
    assert sample.sum() > everywhere.sum()


@given(st.integers(1, 30))
def test_a_wider_layer_below_leaves_fewer_dead(dimension: int) -> None:
    values = [dead_everywhere_probability(dimension, width) for width in range(1, dimension + 2)]
    assert values == sorted(values, reverse=True)
    assert values[0] == 1 / 4


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (first_layer_death_probability, (-1.0, 0, 5)),
        (first_layer_death_probability, (-1.0, 5, 0)),
        (median_death_bias, (-1.0, 5)),
        (median_death_bias, (1.0, 0)),
        (looks_dead_on_batch, (1.5, 5)),
        (looks_dead_on_batch, (0.5, -1)),
        (dead_everywhere_probability, (2, 4)),
        (dead_everywhere_probability, (0, 1)),
        (dead_everywhere_probability, (2, 0)),
    ],
)
def test_impossible_arguments_are_refused(function, arguments) -> None:
    with pytest.raises(ValueError, match="not"):
        function(*arguments)


def test_a_unit_without_weights_dies_at_a_bias_of_zero() -> None:
    assert median_death_bias(0.0, 10) == 0


def test_the_widths_with_a_known_value_are_named() -> None:
    with pytest.raises(ValueError, match="known for 1 to 3 units on 2 inputs, not 4"):
        dead_everywhere_probability(2, 4)
