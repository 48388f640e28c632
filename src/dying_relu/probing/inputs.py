"""What a model was shown, in four numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class InputScale:
    """Mean, spread and range of the floating-point inputs of all batches so far; integers, such as tokens, do not count.

    >>> import torch
    >>> scale = InputScale()
    >>> scale.add([torch.tensor([[0.0, 200.0]])])
    >>> scale.mean, scale.deviation, scale.high
    (100.0, 100.0, 200.0)
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, tensors: Iterable[Tensor]) -> None:
        """Take in the tensors of a batch."""
        for tensor in tensors:
            if not tensor.is_floating_point() or not tensor.numel():
                continue
            # Sums of many half-precision numbers would overflow.
            wide = tensor if tensor.dtype == torch.float64 else tensor.float()
            self.count += wide.numel()
            self.total += float(wide.sum())
            self.squares += float(torch.linalg.vector_norm(wide)) ** 2
            low, high = wide.aminmax()
            self.low, self.high = min(self.low, float(low)), max(self.high, float(high))

    @property
    def mean(self) -> float:
        """NaN without inputs."""
        return self.total / self.count if self.count else float("nan")

    @property
    def deviation(self) -> float:
        """Standard deviation over all entries; NaN without inputs."""
        return max(0.0, self.squares / self.count - self.mean**2) ** 0.5 if self.count else float("nan")
