"""What is trained: each case is an architecture, a data set's shape, an optimiser and an activation.

To add a case, add its name to ``CASES``.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.arithmetic import flops_per_sample
from dying_relu.configuration import CNN, IMAGE_SETS, MLP, SGD, Activation, Adam, Architecture, Optimiser
from dying_relu.plan.shard import Run

SEED = 0
"""Of initial weights and minibatches, whoever trains."""


class Setting(NamedTuple):
    """An architecture with the images it is for, and the size of its minibatches."""

    architecture: Architecture
    dataset: str
    batch_size: int


SETTINGS = {
    "mlp": Setting(MLP(kind="mlp", widths=(128, 128)), "mnist", 128),
    "cnn": Setting(CNN(kind="cnn", channels=(16, 32), widths=(64,)), "cifar10", 64),
}
OPTIMISERS: dict[str, Optimiser] = {"sgd": SGD(kind="sgd"), "adam": Adam(kind="adam")}
SMALLEST_RATE = {"sgd": 1e-3, "adam": 1e-4}
"""Learning rates at which nothing diverges, however long it is trained: arithmetic with NaNs may have another speed."""


class Examples(NamedTuple):
    """Images (N, C, H, W) float32 and labels (N,) int64."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Case:
    """Networks to train, all alike but for their learning rates.

    The first letters of its name, up to each dash, are keys of ``SETTINGS`` and ``OPTIMISERS`` and an activation.
    """

    name: str

    @property
    def setting(self) -> Setting:
        """Architecture, data set and size of a minibatch."""
        return SETTINGS[self._words[0]]

    @property
    def optimiser(self) -> Optimiser:
        """The optimiser's settings; each network has its own learning rate."""
        return OPTIMISERS[self._words[1]]

    @property
    def activation(self) -> Activation:
        """The activation of the hidden units."""
        return Activation(name=self._words[2])

    @property
    def batch_size(self) -> int:
        """Examples in a minibatch."""
        return self.setting.batch_size

    @property
    def flops_per_sample(self) -> int:
        """Useful floating-point operations to train one network on one example."""
        return flops_per_sample(self.setting.architecture, self.setting.dataset)

    def network(self, k: int) -> Run:
        """The k-th network: the same whatever stack it is in."""
        architecture, optimiser, activation = self._words
        return Run(
            id=f"{self.name}-{k}",
            experiment="benchmark",
            dataset=self.setting.dataset,
            architecture=architecture,
            optimiser=optimiser,
            activation=activation,
            slope=self.activation.effective_slope,
            initialisation="he",
            initial_bias=0.0,
            learning_rate=SMALLEST_RATE[optimiser] * (1 + k % 10),
            replicate=0,
            seed=SEED,
        )

    def examples(self, count: int = 10_000) -> Examples:
        """Random numbers of the data set's shape: what is trained on does not matter to the time it takes."""
        images = IMAGE_SETS[self.setting.dataset]
        stream = torch.Generator().manual_seed(0)
        return Examples(
            torch.randn(count, images.channels, images.side, images.side, generator=stream),
            torch.randint(images.classes, (count,), generator=stream),
        )

    @property
    def _words(self) -> list[str]:
        return self.name.split("-")


@dataclass(frozen=True)
class Product:
    """The product of two square matrices, whose speed is the most that a network's arithmetic can hope for."""

    size: int

    batch_size = 1
    """A sample is one product."""

    @property
    def name(self) -> str:
        """gemm and the number of rows."""
        return f"gemm-{self.size}"

    @property
    def flops_per_sample(self) -> int:
        """One multiplication and one addition for each pair of a row and a column, and each place in them."""
        return 2 * self.size**3


CASES = {
    name: Case(name)
    for name in (
        "mlp-sgd-relu",
        "mlp-adam-relu",
        "cnn-sgd-relu",
        "cnn-adam-relu",
        "mlp-sgd-leaky_relu",
        "cnn-sgd-leaky_relu",
        "mlp-sgd-gelu",
        "cnn-sgd-gelu",
    )
}
