"""Which of PyTorch's functions are activations, and which fix the axis of the units.

To find another activation, add its name to ``NAMES``; it must work element by element and be differentiable by autograd.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Function = Callable[..., Any]

NAMES = (
    "relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus",
    "hardswish", "hardtanh", "hardsigmoid", "tanh", "sigmoid",
)  # fmt: skip
CLAMPS = ("clamp", "clamp_min", "clip")


def _called(names: Iterable[str]) -> dict[Function, str]:
    """Function -> name, for all ways to call one: as a function or a method, in place or not."""
    return {
        getattr(owner, spelling): name
        for name in names
        for spelling in (name, f"{name}_")
        for owner in (functional, torch, Tensor)
        if hasattr(owner, spelling)
    }


ACTIVATIONS = _called(NAMES)
CLAMPED = _called(CLAMPS)

UNITS_LAST = _called(["linear", "bilinear", "layer_norm", "rms_norm", "embedding", "matmul", "addmm", "bmm"])
UNITS_AXIS_1 = _called(
    [
        *(f"conv{transposed}{axes}d" for transposed in ("", "_transpose") for axes in (1, 2, 3)),
        *("batch_norm", "group_norm", "instance_norm"),
    ]
)


def activation(function: Function, arguments: tuple[Any, ...], options: dict[str, Any]) -> str | None:
    """The name of the activation that a call computes, or None; ``clamp(min=0)`` is a relu.

    >>> activation(torch.clamp, (torch.zeros(1),), {"min": 0})
    'relu'
    """
    if function in CLAMPED:
        low = options.get("min", arguments[1] if len(arguments) > 1 else None)
        high = options.get("max", arguments[2] if len(arguments) > 2 else None)
        is_relu = isinstance(low, int | float) and low == 0 and high is None
        return "relu" if is_relu else None
    return ACTIVATIONS.get(function)
