"""Networks taken out of a stack compute what they computed in it, and equal ones are found."""

import pytest
import torch
from stack.test_equality import ARCHITECTURES, IMAGE, new_stack, runs

from dying_relu.stack.selection import first_twins, selected
from dying_relu.training.models import as_inputs


@pytest.mark.parametrize("kind", ARCHITECTURES)
@pytest.mark.parametrize("activation", ["relu", "prelu"])
def test_selected_networks_compute_the_same_and_leave_the_stack_alone(kind: str, activation: str) -> None:
    architecture = ARCHITECTURES[kind]
    stack = new_stack(architecture, runs(activation, "sgd"))
    for k, hidden in enumerate(stack.hidden):
        hidden.affine.bias.value += torch.arange(4.0)[:, None] + k
    examples = as_inputs(architecture, torch.randn(9, *IMAGE, generator=torch.Generator().manual_seed(1)))
    with stack.evaluation():
        logits = stack.forward(examples)
        part = selected(stack, torch.tensor([2, 0]))
        torch.testing.assert_close(part.forward(examples), logits[[2, 0]])
        named = {hidden.name: z for hidden, z in part.trace(examples) if hidden is not None}
        assert list(named) == [hidden.name for hidden in stack.hidden]
        for parameter in part.parameters():
            parameter.value.zero_()
        torch.testing.assert_close(stack.forward(examples), logits)


def test_running_statistics_are_selected_too() -> None:
    architecture = ARCHITECTURES["mlp"].model_copy(update={"normalisation": "batch"})
    stack = new_stack(architecture, runs("relu", "sgd"))
    examples = as_inputs(architecture, torch.randn(9, *IMAGE, generator=torch.Generator().manual_seed(1)))
    stack.hidden[0].normalisation.running_mean += torch.arange(4.0)[:, None]
    with stack.evaluation():
        part = selected(stack, torch.tensor([1]))
        torch.testing.assert_close(part.forward(examples), stack.forward(examples)[[1]])


def test_twins_are_equal_in_every_parameter_and_slope() -> None:
    stack = new_stack(ARCHITECTURES["mlp"], runs("relu", "sgd"))
    for parameter in stack.parameters():
        parameter.value.copy_(parameter.value[:1].expand_as(parameter.value))
    assert first_twins(stack).tolist() == [0, 0, 0, 0]
    stack.hidden[1].activation.slope.value[1] = 0.5
    stack.hidden[0].affine.weight.value[2].view(-1)[3] += 1e-6
    assert first_twins(stack).tolist() == [0, 1, 2, 0]
