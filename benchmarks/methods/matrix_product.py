"""The yardstick: products of square matrices and nothing else."""

import torch
from torch import Tensor

from benchmarks.cases import Product
from benchmarks.methods.base import PRECISIONS


class MatrixProduct:
    """``torch.mm`` into a buffer that is there already."""

    def __init__(self, case: Product, precision: str, device: torch.device) -> None:
        matrices = torch.randn(3, case.size, case.size, device=device).to(PRECISIONS[precision])
        self.left, self.right, self.product = matrices

    def step(self) -> Tensor:
        """Multiply once."""
        return torch.mm(self.left, self.right, out=self.product)
