"""A training step can be captured: replayed, with no line of Python run again, it goes on training."""

import pytest
import torch
from chosen_device import DEVICE, require_cuda
from recorded_graph import RecordedGraph
from stack.test_equality import ARCHITECTURES, NORMALISED, OPTIMISERS, REMEDIES, runs

from dying_relu.data import Dataset
from dying_relu.stack import execution
from dying_relu.training.captured_step import EAGER_STEPS, CapturedStep
from dying_relu.training.trainer import Trainer

SETTINGS = (
    OPTIMISERS | REMEDIES | {"adam_recycled": OPTIMISERS["adam"].model_copy(update={"recycle_every": 4})}
)
SHAPES = ARCHITECTURES | NORMALISED
CASES = [
    *((architecture, optimiser) for architecture in ARCHITECTURES for optimiser in SETTINGS),
    *((architecture, optimiser) for architecture in NORMALISED for optimiser in OPTIMISERS),
]
STEPS = EAGER_STEPS + 9


def examples(device: torch.device) -> Dataset:
    generator = torch.Generator().manual_seed(2)
    images = torch.randn(64, 3, 12, 12, generator=generator).to(device)
    labels = torch.randint(10, (64,), generator=generator).to(device)
    none = torch.zeros(3, device=device)
    return Dataset("cifar10", images, labels, images, labels, none, none, classes=10, checksum="invented")


def trainer(architecture: str, optimiser: str, device: torch.device) -> Trainer:
    made = runs("relu", optimiser)
    return Trainer(SHAPES[architecture], SETTINGS[optimiser], made, examples(device), batch_size=16)


class RecordedStep(CapturedStep):
    """A captured step with a recorded graph in place of CUDA's."""

    def __call__(self, minibatch: torch.Tensor) -> torch.Tensor:
        self.minibatch.copy_(minibatch)
        if self.eager_steps < EAGER_STEPS:
            self.eager_steps += 1
            return self.step(self.minibatch).clone()
        if self.eager_steps == EAGER_STEPS:
            self.eager_steps += 1
            self.recorded = RecordedGraph()
            # The recording computes, where a capture does not.
            with self.recorded:
                self.losses = self.step(self.minibatch)
            return self.losses.clone()
        self.recorded.replay()
        return self.losses.clone()


def assert_trains_alike(captured: Trainer, plain: Trainer, tolerance: float) -> None:
    for _ in range(STEPS):
        torch.testing.assert_close(captured.step(), plain.step(), rtol=tolerance, atol=tolerance)
    for name, tensor in captured.state().items():
        torch.testing.assert_close(tensor, plain.state()[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("architecture", "optimiser"), CASES)
def test_a_recorded_step_trains_as_the_step_itself(architecture: str, optimiser: str) -> None:
    cpu = torch.device("cpu")
    with execution.chosen(operators_on_cpu=True):
        plain, recorded = (trainer(architecture, optimiser, cpu) for _ in range(2))
        recorded.train_on = RecordedStep(recorded._train_on, 16, cpu)
        assert_trains_alike(recorded, plain, 1e-6)
        assert len(recorded.train_on.recorded.calls) > 20


@pytest.mark.parametrize("optimiser", ["sgd_weight_decay", "momentum_clipped", "adam_clipped_decaying"])
def test_as_many_operators_whatever_the_number_of_networks(optimiser: str) -> None:
    """No loop over networks: four take the operators of two."""
    with execution.chosen(operators_on_cpu=True):
        counts = []
        for size in (2, 4):
            made, data = runs("relu", optimiser)[:size], examples(torch.device("cpu"))
            stack = Trainer(SHAPES["cnn_batch"], SETTINGS[optimiser], made, data, batch_size=16)
            stack.step()
            with RecordedGraph() as recorded:
                stack._train_on(torch.arange(16))
            counts.append(len(recorded.calls))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("architecture", "optimiser"), CASES)
def test_a_step_captured_on_a_gpu_trains_as_the_step_itself(architecture: str, optimiser: str) -> None:
    require_cuda()
    plain = trainer(architecture, optimiser, DEVICE)
    with execution.chosen(captures_steps=True):
        captured = trainer(architecture, optimiser, DEVICE)
    assert isinstance(captured.train_on, CapturedStep)
    assert_trains_alike(captured, plain, 1e-4)
    assert captured.train_on.graph is not None
