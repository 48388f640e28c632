"""Ours: :mod:`dying_relu.stack`, put together as training puts it together."""

import torch
from torch import Tensor

from benchmarks.cases import Case, Examples
from benchmarks.methods import plain
from benchmarks.methods.base import Method
from dying_relu import allocator
from dying_relu.configuration import IMAGE_SETS
from dying_relu.models import as_inputs, build
from dying_relu.stack.loss import cross_entropy
from dying_relu.training import minibatch_order, optimiser_of


class Stacked(Method):
    """The step of :func:`dying_relu.training.train_stack`, without the measuring at checkpoints."""

    precisions = ("float32",)

    @staticmethod
    def prepare_process() -> None:
        allocator.keep_freed_memory()

    def __init__(
        self, case: Case, networks: range, examples: Examples, precision: str, device: torch.device
    ) -> None:
        self.device = device
        architecture = case.setting.architecture
        runs = [case.network(k) for k in networks]
        image, classes = examples.images.shape[1:], IMAGE_SETS[case.setting.dataset].classes
        self.network = build(architecture, runs, image, classes, plain.SEED, device)
        self.optimiser = optimiser_of(case.optimiser, runs, device)
        self.examples = as_inputs(architecture, examples.images.to(device))
        self.labels = examples.labels.to(device)
        self.minibatches = minibatch_order(len(self.labels), case.batch_size, plain.SEED)

    def step(self) -> Tensor:
        chosen = next(self.minibatches).to(self.device)
        loss = cross_entropy(self.network.forward(self.examples.index_select(0, chosen)), self.labels[chosen])
        self.network.backward(loss.gradient, self.optimiser)
        return loss.loss
