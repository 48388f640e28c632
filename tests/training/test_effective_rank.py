"""Effective rank, and what dead units contribute."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from stack.test_equality import ARCHITECTURES, IMAGE, new_stack, runs

from dying_relu.stack.pruning import pruned
from dying_relu.training import effective_rank as effective_rank_module
from dying_relu.training.effective_rank import Shown, capacity, effective_rank
from dying_relu.training.measurement import measure
from dying_relu.training.models import as_inputs


@given(rank=st.integers(0, 6), scale=st.floats(1e-3, 1e3))
def test_orthogonal_features_of_equal_size_count_one_each_whatever_their_size(
    rank: int, scale: float
) -> None:
    features = torch.zeros(1, 8, 6, dtype=torch.float64)
    features[0, torch.arange(rank), torch.arange(rank)] = scale
    assert effective_rank(features).item() == rank


def test_a_small_direction_counts_once_it_makes_a_hundredth() -> None:
    def rank(small: float) -> float:
        return effective_rank(torch.diag(torch.tensor([1.0, small]))[None]).item()

    assert rank(0.009) == 1
    assert rank(0.011) == 2


def test_numbers_that_are_not_finite_have_no_rank_and_spoil_no_other() -> None:
    features = torch.eye(3).repeat(2, 1, 1)
    features[0, 0, 0] = torch.inf
    assert effective_rank(features)[0].isnan()
    assert effective_rank(features)[1] == 3


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_dead_units_contribute_rounding_and_dormant_layers_have_no_rank(kind: str) -> None:
    architecture = ARCHITECTURES[kind]
    stack = new_stack(architecture, runs("relu", "sgd"))
    images = torch.randn(40, *IMAGE, generator=torch.Generator().manual_seed(2))
    labels = torch.zeros(20, dtype=torch.long)

    def shown() -> list[Shown]:
        sets = as_inputs(architecture, images).split(20)
        return [Shown(examples, measure(stack, examples, labels).features) for examples in sets]

    last = stack.hidden[-1]
    last.affine.bias.value[1] = -1000.0
    dead = {hidden.name: hidden.affine.bias.value < -100 for hidden in stack.hidden}
    measured = capacity(stack, *shown(), dead, dead)
    assert measured.effective_rank[1] == 0
    assert (measured.effective_rank[[0, 2]] > 1).all()
    assert (measured.pruned_difference < 1e-6).all()
    assert (measured.pruned_answers == 0).all()

    # Held-out examples need the units that look dead on the training ones.
    alive = {name: torch.ones_like(flags) for name, flags in dead.items()}
    assert (capacity(stack, *shown(), alive, alive).pruned_answers[[0, 2]] > 0).all()


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_layer_below_dead_units_need_not_be_computed_again(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture = ARCHITECTURES[kind]
    stack = new_stack(architecture, runs("relu", "sgd"))
    examples = as_inputs(architecture, torch.randn(20, *IMAGE, generator=torch.Generator().manual_seed(3)))
    shown = Shown(examples, measure(stack, examples, torch.zeros(20, dtype=torch.long)).features)
    alive = {
        hidden.name: torch.zeros_like(hidden.affine.bias.value, dtype=torch.bool) for hidden in stack.hidden
    }
    some = torch.zeros_like(alive[stack.hidden[-1].name])
    some[:, ::2] = True
    for k in range(len(some)):
        # Units that are alive, so that the logits change.
        dead = alive | {stack.hidden[-1].name: some}
        expected = effective_rank_module.logits_of(pruned(stack, k, dead), examples)[0]
        with monkeypatch.context() as patch:
            patch.setattr(effective_rank_module, "logits_of", lambda *_: pytest.fail("computed again"))
            logits = effective_rank_module._logits_without_dead_units(stack, k, dead, 20)(shown)
        torch.testing.assert_close(logits, expected)
