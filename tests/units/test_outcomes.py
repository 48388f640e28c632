"""The outcome of a network, and units that are active on hardly any example."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from dying_relu.units import definitions
from dying_relu.units.definitions import CHANCE_LEVEL, DIVERGED_LOSS_RATIO, least_above_chance, outcome
from dying_relu.units.statistics import UnitStatistics

ALRIGHT = {"overflowed": False, "initial_loss": 2.0, "final_loss": 1.0, "constant": False, "correct": 700}


def of(*networks: dict[str, float], examples: int = 1000, chance: float = 0.1) -> list[str]:
    """The outcomes of networks that are all right but for what is said of them."""
    rows = [ALRIGHT | network for network in networks]
    columns = {name: torch.tensor([row[name] for row in rows]) for name in ALRIGHT}
    return outcome(**columns, examples=examples, chance=chance)


def test_a_network_trained_if_it_neither_diverged_nor_collapsed() -> None:
    networks = [{}, {"overflowed": True}, {"final_loss": 2.2}, {"constant": True}, {"correct": 100}]
    assert of(*networks) == ["trained", "diverged", "diverged", "collapsed", "collapsed"]


def test_a_network_that_diverged_is_not_called_collapsed() -> None:
    assert of({"overflowed": True, "constant": True}, {"final_loss": 3.0, "correct": 0}) == ["diverged"] * 2


def test_the_loss_is_compared_with_that_at_the_start_of_the_same_network() -> None:
    limit = DIVERGED_LOSS_RATIO * torch.tensor([1.0, 4.0])
    losses = [
        {"initial_loss": start, "final_loss": factor * float(end)}
        for start, end in zip((1.0, 4.0), limit, strict=True)
        for factor in (1.0, 1.001)
    ]
    assert of(*losses) == ["trained", "diverged"] * 2


@pytest.mark.parametrize(("examples", "chance"), [(1000, 0.1), (10_000, 0.1135), (400, 0.5)])
def test_an_accuracy_above_chance_passes_the_exact_test(examples: int, chance: float) -> None:
    least = least_above_chance(examples, chance)
    assert of({"correct": least}, {"correct": least - 1}, examples=examples, chance=chance) == [
        "trained",
        "collapsed",
    ]
    passes = [
        binomtest(correct, examples, chance, alternative="greater").pvalue <= CHANCE_LEVEL
        for correct in (least - 1, least)
    ]
    assert passes == [False, True]


def test_a_probability_at_the_level_itself_is_above_chance() -> None:
    assert least_above_chance(1, CHANCE_LEVEL) == 1


@given(st.integers(1, 200), st.floats(0.01, 0.9))
def test_there_is_a_number_of_answers_above_chance_or_it_is_out_of_reach(
    examples: int, chance: float
) -> None:
    assert 1 <= least_above_chance(examples, chance) <= examples + 1


def test_every_network_needs_every_number() -> None:
    two, one = torch.tensor([False, False]), torch.tensor([False])
    with pytest.raises(ValueError, match=r"shorter|longer"):
        outcome(
            overflowed=two,
            initial_loss=torch.ones(2),
            final_loss=torch.ones(2),
            constant=one,
            correct=torch.tensor([700]),
            examples=1000,
            chance=0.1,
        )


def test_nearly_dead_units_are_active_on_less_than_two_examples_in_a_hundred() -> None:
    z = torch.full((5, 100), -1.0)
    for unit in range(4):
        z[unit, :unit] = 1.0
    z[4] = 1.0
    seen = UnitStatistics.of(z, z.relu(), (z > 0).float(), axis=-1)
    assert definitions.nearly_dead(seen).tolist() == [False, True, False, False, False]
