"""Ours: :mod:`dying_relu.stack`, trained as :mod:`dying_relu.training.shard_job` trains it."""

import torch
from torch import Tensor

from benchmarks.cases import Case, Examples
from benchmarks.methods.base import PRECISIONS, Method
from dying_relu.configuration import IMAGE_SETS
from dying_relu.data import Dataset
from dying_relu.stack import allocator
from dying_relu.stack.precision import is_possible, products_in
from dying_relu.training.trainer import Trainer


class Stacked(Method):
    """The training of :class:`dying_relu.training.stack_training.StackTraining`, without the measuring at checkpoints."""

    @staticmethod
    def precisions(device: str) -> tuple[str, ...]:
        return tuple(name for name in PRECISIONS if is_possible(name, torch.device(device)))

    @staticmethod
    def prepare_process() -> None:
        allocator.keep_freed_memory()

    def __init__(
        self, case: Case, networks: range, examples: Examples, precision: str, device: torch.device
    ) -> None:
        self.precision = precision
        images, labels = (tensor.to(device) for tensor in examples)
        dataset = case.setting.dataset
        data = Dataset(
            name=dataset,
            train_images=images,
            train_labels=labels,
            test_images=images[:0],
            test_labels=labels[:0],
            mean=torch.zeros(images.shape[1]),
            std=torch.ones(images.shape[1]),
            classes=IMAGE_SETS[dataset].classes,
            checksum="invented",
        )
        runs = [case.network(k) for k in networks]
        architecture = case.setting.architecture
        self.trainer = Trainer(architecture, case.optimiser, runs, data, case.batch_size)

    def step(self) -> Tensor:
        with products_in(self.precision):
            return self.trainer.step()
