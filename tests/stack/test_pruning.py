"""A network without its dead units is a smaller one that computes the same."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stack.test_equality import ARCHITECTURES, CLASSES, IMAGE, NORMALISED, new_stack, runs

from dying_relu.stack.pruning import prunable, pruned
from dying_relu.training.effective_rank import logits_of
from dying_relu.training.measurement import measure
from dying_relu.training.models import as_inputs
from dying_relu.units import definitions

FAR_BELOW = -100.0


def examples(architecture, count: int = 20) -> torch.Tensor:
    images = torch.randn(count, *IMAGE, generator=torch.Generator().manual_seed(2))
    return as_inputs(architecture, images.double())


@pytest.mark.parametrize("kind", ARCHITECTURES)
@given(drawn=st.data())
@settings(max_examples=15, deadline=None)
def test_the_function_stays_and_the_dead_units_go(kind: str, drawn: st.DataObject) -> None:
    architecture = ARCHITECTURES[kind]
    stack = new_stack(architecture, runs("relu", "sgd"), torch.float64)
    k = drawn.draw(st.integers(0, 3))
    planted = {}
    for hidden in stack.hidden:
        bias = hidden.affine.bias.value
        chosen = drawn.draw(st.sets(st.integers(0, bias.shape[1] - 1), max_size=bias.shape[1]))
        planted[hidden.name] = sorted(chosen)
        bias[k, planted[hidden.name]] = FAR_BELOW
    x = examples(architecture)
    labels = torch.zeros(len(x), dtype=torch.int64)
    dead = {
        name: definitions.dead(statistics) for name, statistics in measure(stack, x, labels).units.items()
    }
    assert all(set(planted[name]) <= set(dead[name][k].nonzero()[:, 0].tolist()) for name in planted)

    smaller = pruned(stack, k, dead)
    torch.testing.assert_close(logits_of(smaller, x)[0], logits_of(stack, x)[k], rtol=1e-12, atol=1e-12)
    before, after = (
        sum(parameter.value[:1].numel() for parameter in net.parameters()) for net in (stack, smaller)
    )
    assert (after < before) == any(flags[k].any() for flags in dead.values() if len(flags[k]) > 1)


def test_a_unit_that_is_alive_is_missed() -> None:
    architecture = ARCHITECTURES["mlp"]
    stack = new_stack(architecture, runs("relu", "sgd"), torch.float64)
    alive = {
        hidden.name: torch.zeros_like(hidden.affine.bias.value, dtype=torch.bool) for hidden in stack.hidden
    }
    alive["linear1"][:, 0] = True
    x = examples(architecture)
    difference = logits_of(pruned(stack, 0, alive), x)[0] - logits_of(stack, x)[0]
    assert difference.abs().max() > 1e-3
    assert pruned(stack, 0, alive).layers[0].bias.value.shape == (1, 23)
    assert pruned(stack, 0, alive).layers[-1].bias.value.shape[1] == CLASSES


@pytest.mark.parametrize("kind", ["mlp_batch", "cnn_batch"])
def test_a_batch_normalised_unit_goes_with_its_own_scale_shift_and_moments(kind: str) -> None:
    architecture = NORMALISED[kind]
    stack = new_stack(architecture, runs("relu", "sgd"), torch.float64)
    x = examples(architecture)
    for hidden in stack.hidden:
        # No two units alike, and every third dead.
        normalisation, count = hidden.normalisation, hidden.affine.bias.value.shape[1]
        for values in (normalisation.scale.value, normalisation.running_mean, normalisation.running_variance):
            values.add_(torch.arange(count) / count)
        normalisation.shift.value[:, ::3] = FAR_BELOW
    labels = torch.zeros(len(x), dtype=torch.int64)
    with stack.evaluation():
        dead = {
            name: definitions.dead(statistics) for name, statistics in measure(stack, x, labels).units.items()
        }
        expected = logits_of(stack, x)[1]
    assert all(flags[:, ::3].all() and not flags.all() for flags in dead.values())
    assert prunable(stack)
    smaller = pruned(stack, 1, dead)
    torch.testing.assert_close(logits_of(smaller, x)[0], expected, rtol=1e-12, atol=1e-12)


def test_a_layer_that_is_normalised_over_its_units_cannot_be_pruned() -> None:
    assert not prunable(new_stack(NORMALISED["mlp_layer"], runs("relu", "sgd"), torch.float64))
