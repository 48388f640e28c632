"""The usual way: one network, a module, a data loader, an optimiser and a loop."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.cases import Case, Examples
from benchmarks.methods import plain
from benchmarks.methods.base import Method, autocast


class Usual(Method):
    """PyTorch as its introduction teaches it.

    The images are normalised and in memory beforehand; a data set that decodes and normalises one image at a time, as
    torchvision's do, is slower.
    """

    trains_stacks = False

    def __init__(
        self, case: Case, networks: range, examples: Examples, precision: str, device: torch.device
    ) -> None:
        (k,) = networks
        self.device = device
        self.precision = precision
        self.network = plain.network(case).to(device)
        self.criterion = nn.CrossEntropyLoss()
        self.optimiser = plain.optimiser(case, k, list(self.network.parameters()))
        self.loader = DataLoader(TensorDataset(*examples), case.batch_size, shuffle=True, drop_last=True)
        self.minibatches = self._minibatches()

    def step(self) -> Tensor:
        images, labels = next(self.minibatches)
        images, labels = images.to(self.device), labels.to(self.device)
        self.optimiser.zero_grad()
        with autocast(self.precision, self.device):
            loss = self.criterion(self.network(images), labels)
        loss.backward()
        self.optimiser.step()
        return loss.detach()[None]

    def _minibatches(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from self.loader
