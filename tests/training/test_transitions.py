"""What moved a unit: against networks built by hand, unit by unit and example by example."""

import contextlib
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.layers import ElementWise, Linear
from dying_relu.stack.network import Hidden, Network
from dying_relu.training.transitions import Transition, traced, transitions

K, INPUTS, UNITS, EXAMPLES, BATCH = 2, 5, 7, 40, 8


def network(seed: int, bias: float = -1.0) -> Network:
    """Two hidden layers and an output, of K networks."""
    random = torch.Generator().manual_seed(seed)

    def linear(inputs: int, outputs: int) -> Linear:
        return Linear(
            torch.randn(K, outputs, inputs, generator=random) / inputs**0.5,
            bias + torch.randn(K, outputs, generator=random),
        )

    affine = [linear(INPUTS, UNITS), linear(UNITS, UNITS), linear(UNITS, 3)]
    relu = [ElementWise(ACTIVATIONS["relu"], torch.zeros(K)) for _ in range(2)]
    hidden = [Hidden(f"linear{n + 1}", n + 1, affine[n], relu[n]) for n in range(2)]
    return Network([affine[0], relu[0], affine[1], relu[1], affine[2]], hidden)


def values(of: Network) -> list[Tensor]:
    return [parameter.value for parameter in of.parameters()]


@pytest.fixture
def examples() -> Tensor:
    return torch.randn(EXAMPLES, INPUTS, generator=torch.Generator().manual_seed(0))


def moved(before: Network, now: Network, examples: Tensor) -> dict[str, Transition]:
    shown = (traced(of, examples, BATCH) for of in (before, now))
    return transitions(now, values(before), *shown, BATCH)


@pytest.fixture
def found(examples: Tensor) -> dict[str, Transition]:
    return moved(network(1), network(2), examples)


def by_hand(of: Network, examples: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Input (K, inputs, N) and pre-activation (K, U, N) of each hidden layer, by plain matrix products."""
    w1, b1, w2, b2, *_ = values(of)
    first = examples.T.expand(K, -1, -1)
    z1 = w1 @ first + b1[..., None]
    return {"linear1": (first, z1), "linear2": (z1.relu(), w2 @ z1.relu() + b2[..., None])}


def affine(parameters: Sequence[Tensor], layer: str) -> Tensor:
    return parameters[{"linear1": 0, "linear2": 2}[layer]]


@pytest.mark.parametrize("layer", ["linear1", "linear2"])
def test_each_cause_alone(found: dict[str, Transition], examples: Tensor, layer: str) -> None:
    old, new = network(1), network(2)
    (x, z), (x_new, _) = by_hand(old, examples)[layer], by_hand(new, examples)[layer]
    bias = z - affine(values(old), layer) @ x
    by_weights = (affine(values(new), layer) @ x + bias).amax(-1)
    by_inputs = (affine(values(old), layer) @ x_new + bias).amax(-1)
    torch.testing.assert_close(found[layer].pre_activation_max_new_weights, by_weights)
    torch.testing.assert_close(found[layer].pre_activation_max_new_inputs, by_inputs)


def test_the_inputs_of_the_first_layer_are_the_data_and_move_nothing(
    found: dict[str, Transition], examples: Tensor
) -> None:
    before = by_hand(network(1), examples)["linear1"][1].amax(-1)
    torch.testing.assert_close(found["linear1"].pre_activation_max_new_inputs, before)


@pytest.mark.parametrize("layer", ["linear1", "linear2"])
def test_who_woke_up(found: dict[str, Transition], examples: Tensor, layer: str) -> None:
    z, z_new = (by_hand(network(seed), examples)[layer][1] for seed in (1, 2))
    for k in range(K):
        for unit in range(UNITS):
            asleep = [n for n in range(EXAMPLES) if z[k, unit, n] <= 0]
            woken = [n for n in asleep if z_new[k, unit, n] > 0]
            batches = [range(start, start + BATCH) for start in range(0, EXAMPLES, BATCH)]
            asleep_batches = [batch for batch in batches if set(batch) <= set(asleep)]
            woken_batches = [batch for batch in asleep_batches if set(batch) & set(woken)]
            expected = [
                len(some) / len(all_) if all_ else torch.nan
                for some, all_ in ((woken, asleep), (woken_batches, asleep_batches))
            ]
            measured = [found[layer].woken_examples[k, unit], found[layer].woken_minibatches[k, unit]]
            torch.testing.assert_close(torch.stack(measured), torch.tensor(expected), equal_nan=True)


def test_the_network_is_left_as_it_was(examples: Tensor) -> None:
    now = network(2)
    before = [value.clone() for value in values(now)]
    kept = values(now)
    moved(network(1), now, examples)
    assert all(one is other for one, other in zip(values(now), kept, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(values(now), before, strict=True))


def test_a_network_that_did_not_change_has_not_moved_and_woken_nobody(examples: Tensor) -> None:
    now = network(1)
    found = moved(now, now, examples)
    for name, (_, z) in by_hand(now, examples).items():
        torch.testing.assert_close(found[name].pre_activation_max_new_weights, z.amax(-1))
        torch.testing.assert_close(found[name].pre_activation_max_new_inputs, z.amax(-1))
        assert found[name].woken_examples.nan_to_num(0).eq(0).all()
        assert found[name].woken_minibatches.nan_to_num(0).eq(0).all()


def test_parameters_come_back_when_something_fails() -> None:
    now = network(1)
    kept = values(now)
    other = values(network(2))
    with contextlib.suppress(RuntimeError), now.holding(other):
        assert values(now)[0] is other[0]
        raise RuntimeError
    assert all(one is other for one, other in zip(values(now), kept, strict=True))
