"""Networks to train: each case is an architecture, a data set's shape, an optimiser and an activation.

To add a case, add its name to ``CASES``. The default study's own networks come by themselves.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks import settings
from benchmarks.arithmetic import flops_per_sample
from benchmarks.settings import Setting
from dying_relu.configuration import IMAGE_SETS, SGD, Activation, Adam, Optimiser
from dying_relu.plan.shard import Run

SEED = 0
"""Of initial weights and minibatches, whoever trains."""


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

    The parts of its name between dashes are a setting's name, a key of ``OPTIMISERS`` and an activation.
    """

    name: str

    @property
    def setting(self) -> Setting:
        """Architecture, data set, size of a minibatch and length of the training."""
        return settings.find(self._words[0])

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
    def samples_per_network(self) -> int:
        """Training samples after which a network counts as trained."""
        return self.setting.samples_per_network

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
    samples_per_network = None
    """It trains no network."""

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


def of_study() -> dict[str, Case]:
    """The networks that the default study trains, each with plain SGD and ReLU."""
    names = [f"{name}-sgd-relu" for name in settings.of_study()]
    return {name: Case(name) for name in names}
