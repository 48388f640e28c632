"""Recycling gives dormant units a new start, and nobody else."""

import pytest
import torch
from stack.test_equality import ARCHITECTURES, CPU, IMAGE, OPTIMISERS, batches, new_stack, runs

from dying_relu.stack.initialisation import SCHEMES, random_stream
from dying_relu.stack.loss import cross_entropy
from dying_relu.training.models import as_inputs
from dying_relu.training.redo import recycle
from dying_relu.training.trainer import optimiser_of
from dying_relu.units.definitions import overflowed

SEED = 5
PLANTED = {1: [0, 3], 2: [2]}
"""Network -> units of the first layer that never output anything."""


def planted(architecture, optimiser_name: str):
    """A stack in training, the optimiser, and examples."""
    chosen = runs("relu", optimiser_name)[:3]
    stack = new_stack(architecture, chosen)
    optimiser = optimiser_of(OPTIMISERS[optimiser_name], chosen, CPU)
    x, y = batches(1)[0]
    inputs = as_inputs(architecture, x)
    stack.backward(cross_entropy(stack.forward(inputs), y).gradient, optimiser)
    # Alive, all of them ...
    stack.hidden[0].affine.bias.value += 30.0
    for hidden in stack.hidden[1:]:
        hidden.affine.weight.value.abs_()
    for k, dead in PLANTED.items():
        # ... but for these.
        stack.hidden[0].affine.bias.value[k, dead] = -1000.0
    return chosen, stack, optimiser, inputs, y


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_dormant_units_begin_anew_and_the_others_stay(kind: str, name: str) -> None:
    chosen, stack, optimiser, x, y = planted(ARCHITECTURES[kind], name)
    before = [parameter.value.clone() for parameter in stack.parameters()]
    answers = stack.forward(x).clone()
    count = recycle(stack, chosen, optimiser, x, y, SEED)
    assert count.tolist() == [0, 2, 1]
    torch.testing.assert_close(
        stack.forward(x), answers, msg="what they now output is read with weights of 0"
    )

    weight, bias = stack.hidden[0].affine.weight.value, stack.hidden[0].affine.bias.value
    shape = tuple(weight.shape[1:])
    drawn = {scheme: SCHEMES[scheme](shape, random_stream(SEED, "recycling")) for scheme in ("default", "he")}
    for k, dead in PLANTED.items():
        new_weight, new_bias = drawn[chosen[k].initialisation]
        assert torch.equal(weight[k, dead], new_weight[dead])
        assert torch.equal(bias[k, dead], new_bias[dead])
        alive = [unit for unit in range(weight.shape[1]) if unit not in dead]
        assert torch.equal(weight[k, alive], before[0][k, alive])
    for parameter, old in zip(stack.parameters(), before, strict=True):
        assert torch.equal(parameter.value[0], old[0])


def test_the_optimiser_forgets_the_weights_that_are_new_and_no_others() -> None:
    chosen, stack, optimiser, x, y = planted(ARCHITECTURES["mlp"], "adam")
    weight = stack.hidden[0].affine.weight
    recycle(stack, chosen, optimiser, x, y, SEED)
    moment = optimiser.states[weight].second_moment
    assert (moment[1, PLANTED[1]] == 0).all()
    assert (moment[0].sum(1) > 0).all()
    following = next(layer for layer in stack.layers[2:] if hasattr(layer, "weight"))
    assert (following.weight.value[1][:, PLANTED[1]] == 0).all()
    assert (optimiser.states[following.weight].second_moment[1][:, PLANTED[1]] == 0).all()


def test_training_goes_on_as_if_the_stack_were_separate() -> None:
    chosen, stack, optimiser, x, y = planted(ARCHITECTURES["cnn"], "adam")
    recycle(stack, chosen, optimiser, x, y, SEED)
    stack.backward(cross_entropy(stack.forward(x), y).gradient, optimiser)
    parameters = [parameter.value for parameter in stack.parameters()]
    assert not overflowed([stack.forward(x).sum((1, 2))], parameters).any()
    assert x.shape[1:] == (IMAGE[1], IMAGE[2], IMAGE[0])
