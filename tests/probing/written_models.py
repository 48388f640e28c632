"""Models whose forward is a function, and layers of which some units are dead."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from dying_relu import probe

INPUTS = torch.randn(16, 4, generator=torch.Generator().manual_seed(3))


class Written(nn.Module):
    """A model whose forward is a function, and its parts: layers, parameters, tensors."""

    def __init__(self, forward: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.written = forward

    def forward(self, x: Any) -> Any:
        return self.written(self, x)


def killed(layer: nn.Module, units: int) -> nn.Module:
    with torch.no_grad():
        layer.bias.fill_(5.0)
        layer.bias[:units] = -99.0
    return layer


def counts(model: nn.Module, loader: Any, **options: Any) -> dict[str, tuple[int, int]]:
    """Layer -> dead units and units."""
    table = probe(model, loader, **options).summary().query("units > 0").set_index("layer")
    return {str(name): (int(row["dead"]), int(row["units"])) for name, row in table.iterrows()}
