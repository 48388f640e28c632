"""Networks to prune: how units are killed, and how far the outputs of two networks differ."""

import torch
from torch import Tensor, nn

NEVER = -1e4
"""A bias that no pre-activation of these models makes up for."""


def kill(layer: nn.Module, units: list[int]) -> None:
    with torch.no_grad():
        layer.bias[units] = NEVER


def difference(model: nn.Module, other: nn.Module, inputs: Tensor) -> float:
    with torch.no_grad():
        outputs = model.eval()(inputs)
        return float((outputs - other.eval()(inputs)).abs().max() / outputs.abs().max())
