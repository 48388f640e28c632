"""What a model was shown, in four numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass
class InputScale:
    """Mean, spread and range of the floating-point inputs of all batches so far; integers, such as tokens, do not count.

    >>> import torch
    >>> scale = InputScale()
    >>> scale.add(torch.tensor([[0.0, 200.0]]))
    >>> scale.mean, scale.deviation, scale.high
    (100.0, 100.0, 200.0)
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, inputs: Any) -> None:
        """Take in a batch: a tensor, or a collection of whatever."""
        for tensor in _floating(inputs):
            self.count += tensor.numel()
            self.total += float(tensor.sum())
            self.squares += float(tensor.float().square().sum())
            low, high = tensor.aminmax()
            self.low, self.high = min(self.low, float(low)), max(self.high, float(high))

    @property
    def mean(self) -> float:
        """NaN without inputs."""
        return self.total / self.count if self.count else float("nan")

    @property
    def deviation(self) -> float:
        """Standard deviation over all entries; NaN without inputs."""
        return max(0.0, self.squares / self.count - self.mean**2) ** 0.5 if self.count else float("nan")


def _floating(inputs: Any) -> Iterator[Tensor]:
    if isinstance(inputs, Tensor):
        if inputs.is_floating_point() and inputs.numel():
            yield inputs.detach()
    elif isinstance(inputs, Mapping):
        for part in inputs.values():
            yield from _floating(part)
    elif isinstance(inputs, tuple | list):
        for part in inputs:
            yield from _floating(part)
