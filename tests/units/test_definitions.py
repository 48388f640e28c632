"""The definitions: laws they obey, and the mistakes other people's counters make."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.units import definitions
from dying_relu.units.statistics import UnitStatistics

SLOPES = {"leaky_relu": 0.01, "prelu": 0.25}


def statistics(z: torch.Tensor, name: str = "relu", axis: int = -1) -> UnitStatistics:
    activation, slope = ACTIVATIONS[name], SLOPES.get(name, 0.0)
    return UnitStatistics.of(z, activation.function(z, slope), activation.derivative(z, slope), axis)


pre_activations = arrays(
    "float32", (6, 9), elements=st.floats(-4, 4, width=32) | st.sampled_from([0.0, -0.0, -1e-30])
).map(torch.from_numpy)


@given(pre_activations)
def test_dead_relu_units_are_those_whose_every_example_is_off(z: torch.Tensor) -> None:
    brute_force = torch.tensor([all(value <= 0 for value in unit) for unit in z.double().tolist()])
    assert torch.equal(definitions.dead(statistics(z)), brute_force)
    assert torch.equal(definitions.inactive(statistics(z)), brute_force)


@given(pre_activations, st.sampled_from(list(ACTIVATIONS)))
def test_dead_implies_inactive_saturated_and_dormant(z: torch.Tensor, name: str) -> None:
    seen = statistics(z * 10, name)
    dead = definitions.dead(seen)
    assert (dead <= definitions.inactive(seen)).all()
    assert (dead <= definitions.saturated(seen)).all()
    assert (dead <= definitions.dormant(seen, 0.0)).all()


@given(pre_activations, st.integers(1, 8))
def test_batches_merge_to_the_whole(z: torch.Tensor, cut: int) -> None:
    """A unit alive in any batch is alive: AND over batches, not OR, and unequal batches are weighted rightly."""
    whole = statistics(z)
    merged = statistics(z[:, :cut]).merge(statistics(z[:, cut:]))
    assert torch.equal(definitions.dead(merged), definitions.dead(whole))
    torch.testing.assert_close(merged.mean_abs_activation, whole.mean_abs_activation)
    assert torch.equal(merged.active_share, whole.active_share)


@given(pre_activations, st.floats(0.125, 8))
@settings(max_examples=50)
def test_dormancy_averages_to_one_and_ignores_the_scale_of_the_layer(z: torch.Tensor, scale: float) -> None:
    # Next to the smallest float32 a mean has few digits, or none.
    z = torch.where(z.abs() > 1e-30, z, 0.0)
    score = definitions.dormancy(statistics(z))
    if score.any():
        assert score.mean().item() == pytest.approx(1, rel=1e-4)
    torch.testing.assert_close(definitions.dormancy(statistics(z * scale)), score, rtol=1e-4, atol=1e-6)


def test_tau_zero_is_death_for_relu_and_a_layer_that_is_all_dead_is_all_dormant() -> None:
    z = torch.randn(50, 20, generator=torch.Generator().manual_seed(0)) - 2.0
    assert torch.equal(definitions.dormant(statistics(z), 0.0), definitions.dead(statistics(z)))
    assert definitions.dormant(statistics(-z.abs()), 0.025).all()


def test_leaky_units_can_be_inactive_and_are_not_dead() -> None:
    z = torch.tensor([[-1.0, -2.0], [-3.0, -0.5]])
    seen = statistics(z, "leaky_relu")
    assert definitions.inactive(seen).all()
    assert not definitions.dead(seen).any()


def test_negative_activations_do_not_cancel_positive_ones() -> None:
    z = torch.tensor([[-1.0, torch.atanh(torch.tanh(torch.tensor(1.0)))]])
    assert statistics(z, "tanh").mean_abs_activation.item() == pytest.approx(0.7616, abs=1e-4)


def test_a_channel_is_one_unit_alive_if_any_position_is() -> None:
    z = torch.full((1, 4, 5, 5, 3), -1.0)
    z[0, 2, 4, 4, 1] = 0.5
    assert definitions.dead(statistics(z.flatten(1, 3), axis=-2)).tolist() == [[True, False, True]]


@given(pre_activations, st.sampled_from(list(ACTIVATIONS)))
def test_the_order_of_the_axes_does_not_matter(z: torch.Tensor, name: str) -> None:
    across, down = statistics(z, name, axis=-1), statistics(z.mT, name, axis=-2)
    for field in ("pre_activation_max", "activation_max", "derivative_max", "active_count", "activation_sum"):
        torch.testing.assert_close(getattr(across, field), getattr(down, field))


def test_zero_is_not_above_a_threshold_and_small_activations_are_not_dead() -> None:
    z = torch.tensor([[1e-30, -1.0], [0.0, -1.0]])
    assert definitions.dead(statistics(z)).tolist() == [False, True]


@pytest.mark.parametrize(
    ("name", "z", "is_dead"), [("gelu", -20.0, True), ("gelu", -3.0, False), ("silu", -200.0, True)]
)
def test_smooth_units_die_only_where_float32_underflows(name: str, z: float, is_dead: bool) -> None:
    assert definitions.dead(statistics(torch.full((1, 3), z), name)).item() is is_dead


def test_died_and_revived_are_reverses() -> None:
    before = torch.tensor([True, True, False, False])
    now = torch.tensor([True, False, True, False])
    assert definitions.died(before, now).tolist() == [False, False, True, False]
    assert torch.equal(definitions.revived(before, now), definitions.died(now, before))


@given(pre_activations, st.integers(1, 8))
def test_the_range_of_all_batches_is_that_of_the_whole(z: torch.Tensor, cut: int) -> None:
    whole, merged = statistics(z), statistics(z[:, :cut]).merge(statistics(z[:, cut:]))
    assert torch.equal(merged.pre_activation_min, whole.pre_activation_min)
    assert torch.equal(merged.pre_activation_max, whole.pre_activation_max)
    assert torch.equal(merged.pre_activation_max, z.amax(1))


def test_each_network_of_a_stack_has_its_own_dormancy() -> None:
    z = torch.randn(3, 5, 40, generator=torch.Generator().manual_seed(0))
    z *= torch.tensor([1.0, 10.0, 0.1]).view(3, 1, 1)
    alone = torch.stack([definitions.dormancy(statistics(network)) for network in z])
    torch.testing.assert_close(definitions.dormancy(statistics(z)), alone)


def test_a_derivative_at_the_tolerance_is_still_saturated() -> None:
    largest = torch.tensor([0.0, definitions.SATURATION_TOLERANCE, 2 * definitions.SATURATION_TOLERANCE])
    seen = UnitStatistics(*[torch.zeros(3)] * 3, largest, *[torch.zeros(3)] * 2, count=1)
    assert definitions.saturated(seen).tolist() == [True, True, False]


def test_a_unit_active_on_every_example_of_a_batch_is_active_on_all_of_it() -> None:
    seen = statistics(torch.tensor([[1.0, 2.0, 3.0], [1.0, -2.0, 0.0], [-1.0, -2.0, -3.0]]))
    assert seen.active_share.tolist() == pytest.approx([1, 1 / 3, 0])


def with_sum(z: torch.Tensor) -> UnitStatistics:
    return dataclasses.replace(statistics(z, "tanh"), pre_activation_sum=z.sum(-1))


@given(pre_activations, st.integers(1, 8))
def test_all_that_is_gathered_of_batches_is_that_of_the_whole(z: torch.Tensor, cut: int) -> None:
    whole, merged = with_sum(z), with_sum(z[:, :cut]).merge(with_sum(z[:, cut:]))
    for field in dataclasses.fields(UnitStatistics):
        found, expected = getattr(merged, field.name), getattr(whole, field.name)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    mean = merged.mean_pre_activation
    assert mean is not None
    torch.testing.assert_close(mean, z.mean(-1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("first", [True, False])
def test_a_sum_that_one_batch_lacks_the_whole_lacks(first: bool) -> None:
    z = torch.ones(2, 3)
    batches = [statistics(z), with_sum(z)]
    merged = batches[not first].merge(batches[first])
    assert merged.pre_activation_sum is None
    assert merged.mean_pre_activation is None


@pytest.mark.parametrize("number", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("where", ["loss", "weight"])
def test_one_number_that_is_not_finite_makes_a_network_overflow_and_no_other(
    number: float, where: str
) -> None:
    losses, weight = torch.ones(3), torch.ones(3, 4, 5)
    assert not definitions.overflowed([losses], [weight]).any()
    (losses if where == "loss" else weight[:, 2, 3])[1] = number
    assert definitions.overflowed([losses, torch.zeros(3)], [weight]).tolist() == [False, True, False]


def test_a_large_loss_is_not_yet_an_overflow() -> None:
    assert not definitions.overflowed([torch.tensor([torch.finfo(torch.float32).max])]).any()


@pytest.mark.parametrize("examples", [1, 10, 270, 10_000])
@pytest.mark.parametrize("chance", [0.01, 0.1135, 0.5, 0.9])
def test_an_accuracy_above_chance_is_that_of_the_exact_test(examples: int, chance: float) -> None:
    least = definitions.least_above_chance(examples, chance)
    for correct in range(max(least - 2, 0), min(least + 2, examples) + 1):
        p_value = binomtest(correct, examples, chance, alternative="greater").pvalue
        assert (p_value <= definitions.CHANCE_LEVEL) == (correct >= least)
