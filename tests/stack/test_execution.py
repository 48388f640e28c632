"""A stack computed by operators, as on a GPU, computes what plain PyTorch computes one network at a time.

On the CPU by default, on a GPU with ``DYING_RELU_DEVICE=cuda``. Tolerances are those of the CPU's loops: 1e-9 in float64 (1e-8 and 1e-7
with changed updates and normalisation), 1e-3 after 20 steps in float32, without TF32.
"""

from collections.abc import Iterator

import pytest
import torch
from chosen_device import DEVICE, require_device
from stack.test_equality import (
    ARCHITECTURES,
    NORMALISED,
    OPTIMISERS,
    REMEDIES,
    assert_equal_training,
    batches,
    runs,
    train_stack,
)

from dying_relu.stack import execution
from dying_relu.stack.activations import ACTIVATIONS

STEPS = 10 if DEVICE.type == "cpu" else 20


@pytest.fixture(autouse=True)
def by_operators() -> Iterator[None]:
    require_device()
    with execution.chosen(operators_on_cpu=True):
        yield


def on_device(steps: int, dtype: torch.dtype) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(x.to(DEVICE), y.to(DEVICE)) for x, y in batches(steps, dtype)]


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_equals_plain_pytorch(architecture: str, activation: str, optimiser: str) -> None:
    chosen, data = runs(activation, optimiser), on_device(STEPS, torch.float64)
    assert_equal_training(ARCHITECTURES[architecture], OPTIMISERS[optimiser], chosen, data, 1e-9)


@pytest.mark.parametrize("optimiser", REMEDIES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_changed_updates_equal_plain_pytorch(architecture: str, optimiser: str) -> None:
    chosen, data = runs("prelu", optimiser), on_device(STEPS, torch.float64)
    assert_equal_training(ARCHITECTURES[architecture], REMEDIES[optimiser], chosen, data, 1e-8)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("architecture", NORMALISED)
def test_normalised_networks_equal_plain_pytorch(architecture: str, optimiser: str) -> None:
    chosen, data = runs("relu", optimiser), on_device(STEPS, torch.float64)
    assert_equal_training(NORMALISED[architecture], OPTIMISERS[optimiser], chosen, data, 1e-7)


@pytest.mark.parametrize("optimiser", [*OPTIMISERS, *REMEDIES])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_float32_equals_plain_pytorch(architecture: str, optimiser: str) -> None:
    chosen, data = runs("relu", optimiser), on_device(20, torch.float32)
    settings = (OPTIMISERS | REMEDIES)[optimiser]
    assert_equal_training(ARCHITECTURES[architecture], settings, chosen, data, 1e-3)


@pytest.mark.parametrize("optimiser", ["sgd_warm_up", "momentum_clipped", "adam_weight_decay"])
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, *NORMALISED])
def test_equals_the_loops_of_the_cpu(architecture: str, optimiser: str) -> None:
    chosen, data = runs("relu", optimiser), batches(10, torch.float64)
    shape, settings = (ARCHITECTURES | NORMALISED)[architecture], (OPTIMISERS | REMEDIES)[optimiser]
    there, _ = train_stack(shape, settings, chosen, [(x.to(DEVICE), y.to(DEVICE)) for x, y in data])
    with execution.chosen(operators_on_cpu=False):
        here, _ = train_stack(shape, settings, chosen, data)
    for on_device, on_cpu in zip(there.parameters(), here.parameters(), strict=True):
        torch.testing.assert_close(on_device.value.cpu(), on_cpu.value, rtol=1e-7, atol=1e-7)
