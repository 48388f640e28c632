"""Which of PyTorch's functions are activations.

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
    "hardswish", "hardtanh", "hardsigmoid", "hardshrink", "softshrink", "tanhshrink", "softsign", "tanh", "sigmoid", "logsigmoid",
    "threshold", "rrelu",
)  # fmt: skip
CLAMPS = ("clamp", "clamp_min", "clip")


def spellings(names: Iterable[str]) -> dict[Function, str]:
    """Function -> name, for all ways to call one: as a function or a method, in place or not."""
    return {
        getattr(owner, spelling): name
        for name in names
        for spelling in (name, f"{name}_")
        for owner in (functional, torch, Tensor)
        if hasattr(owner, spelling)
    }


ACTIVATIONS = spellings(NAMES)
CLAMPED = spellings(CLAMPS)


def activation(function: Function, arguments: tuple[Any, ...], options: dict[str, Any]) -> str | None:
    """The name of the activation that a call computes, or None; ``clamp(min=0)`` and ``threshold(0, 0)`` are a relu.

    >>> activation(torch.clamp, (torch.zeros(1),), {"min": 0})
    'relu'
    """
    if function in CLAMPED:
        low, high = (argument(arguments, options, *place) for place in ((1, "min"), (2, "max")))
        return "relu" if _is_zero(low) and high is None else None
    name = ACTIVATIONS.get(function)
    if name == "threshold":
        threshold, value = (
            argument(arguments, options, *place) for place in ((1, "threshold"), (2, "value"))
        )
        return "relu" if _is_zero(threshold) and _is_zero(value) else name
    return name


def argument(arguments: tuple[Any, ...], options: dict[str, Any], position: int, name: str) -> Any:
    """By position or by name; None if it was not given."""
    return arguments[position] if len(arguments) > position else options.get(name)


def _is_zero(value: Any) -> bool:
    """Whether it is the number 0, or a tensor of nothing but that."""
    if isinstance(value, Tensor):
        return not value.requires_grad and not bool(value.any())
    return isinstance(value, int | float) and value == 0
