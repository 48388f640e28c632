"""Activations: the functions that count as one, names for their places in a model, and those that cannot be seen.

To find another function of PyTorch's, add its name to ``NAMES``; it must work element by element and be differentiable by autograd.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
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


@cache
def clamp_derivative_at_zero() -> float:
    """Measure the derivative of ``clamp(min=0)`` at exactly 0: 1 in PyTorch 2.13, 0 in 2.15."""
    with torch.inference_mode(False), torch.enable_grad(), torch._C.DisableTorchFunction():
        z = torch.zeros((), requires_grad=True)
        (derivative,) = torch.autograd.grad(z.clamp(min=0), z)
    return float(derivative)


def activation(function: Function, arguments: tuple[Any, ...], options: dict[str, Any]) -> str | None:
    """The name of the activation that a call computes, or None; ``clamp(min=0)`` and ``threshold(0, 0)`` are a relu.

    A clamp between 0 and more than 1, such as ReLU6 written by hand, is one of its own.

    Args:
        function: as PyTorch hands it to a TorchFunctionMode.
        arguments: positional arguments of the call.
        options: arguments by name.

    >>> activation(torch.clamp, (torch.zeros(1),), {"min": 0})
    'relu'
    """
    if function in CLAMPED:
        low, high = (argument(arguments, options, *place) for place in ((1, "min"), (2, "max")))
        if not _is_zero(low):
            return None
        # Up to 1 it keeps numbers such as the brightness of an image in their range.
        bounded = isinstance(high, int | float) and high > 1
        return "relu" if high is None else "clamp" if bounded else None
    name = ACTIVATIONS.get(function)
    if name == "threshold":
        threshold, value = (
            argument(arguments, options, *place) for place in ((1, "threshold"), (2, "value"))
        )
        return "relu" if _is_zero(threshold) and _is_zero(value) else name
    return name


def argument(arguments: tuple[Any, ...], options: dict[str, Any], position: int, name: str) -> Any:
    """An argument of a call, which may be given by position or by name; None if it was not given.

    Args:
        arguments: positional arguments of the call.
        options: arguments by name.
        position: where it stands among the first.
        name: its name among the second.
    """
    return arguments[position] if len(arguments) > position else options.get(name)


def _is_zero(value: Any) -> bool:
    """Tell whether ``value`` is the number 0, or a tensor of nothing but that."""
    if isinstance(value, Tensor):
        return not value.requires_grad and not bool(value.any())
    return isinstance(value, int | float) and value == 0


OF_TORCH = "torch.nn.modules.activation"
NO_UNITS = (
    nn.MultiheadAttention,
    nn.Softmax,
    nn.Softmax2d,
    nn.LogSoftmax,
    nn.Softmin,
)
"""Stand among PyTorch's activations and do not work element by element."""
LIKELY = re.compile("GELU$|SiLU$|Swish$|Mish$|Activation$|^(GELU|SiLU|Swish|Mish)", re.IGNORECASE)


def is_torch_activation(module: nn.Module) -> bool:
    """Tell whether ``module`` is one of PyTorch's own activations."""
    return type(module).__module__ == OF_TORCH and not isinstance(module, NO_UNITS)


def is_custom_activation(module: nn.Module) -> bool:
    """Tell whether ``module`` has an activation's name and is nothing more than that, such as the GELUs of Transformers.

    A function that it calls, a tanh for instance, is then no activation of its own.

    >>> is_custom_activation(nn.Linear(1, 1))
    False
    """
    name = type(module).__name__
    return (
        not type(module).__module__.startswith("torch.nn.")
        and LIKELY.search(name) is not None
        and next(module.children(), None) is None
    )


def is_activation(module: nn.Module) -> bool:
    """Tell whether a call of ``module`` is the call of an activation, named by its path alone."""
    return is_torch_activation(module) or is_custom_activation(module)


class CallNames:
    """Names for calls of activations, in their order: the place, and from the second call there on "#2", "#3", ...

    >>> names = CallNames()
    >>> [names.next(place_of_function("block", "relu")) for _ in range(2)]
    ['block:relu', 'block:relu#2']
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def next(self, place: str) -> str:
        """The name of one more call at ``place``."""
        self.calls[place] += 1
        return place if self.calls[place] == 1 else f"{place}#{self.calls[place]}"


def place_of_function(path: str, kind: str) -> str:
    """The place of an activation that a module calls as a function.

    Args:
        path: of the module; the model's own is empty.
        kind: name of the activation.
    """
    return f"{path}:{kind}" if path else kind


def place_of(name: str) -> str:
    """The place that a layer's name tells.

    >>> place_of("block:relu#2")
    'block:relu'
    """
    return name.partition("#")[0]


class UnobservedModule(NamedTuple):
    """A module whose activations cannot be seen: its class, and why."""

    kind: str
    reason: str


def unobserved_modules(
    model: nn.Module, called_modules: Collection[str], layers: Collection[str]
) -> dict[str, UnobservedModule]:
    """The modules whose activations cannot be seen, by path.

    Args:
        model: has been run.
        called_modules: the paths of the modules that were called.
        layers: the names of the activations that were seen.
    """
    places = set(map(place_of, layers))
    scripted = [path for path, one in model.named_modules() if isinstance(one, torch.jit.ScriptModule)]
    return {
        path: UnobservedModule(getattr(module, "original_name", type(module).__name__), reason)
        for path, module in model.named_modules()
        if (path in called_modules or path in scripted)
        and path not in places
        and not any(path.startswith(f"{outer}.") for outer in scripted)
        and (reason := _reason(module))
    }


def unreached_functions(
    model: nn.Module, called_modules: Collection[str], calls: Collection[str]
) -> dict[str, str]:
    """Activations that modules which no batch has reached would call as functions: place -> kind.

    They are those that other modules of the same class have called, such as experts that got some token.

    Args:
        model: has been run.
        called_modules: the paths of the modules that were called.
        calls: the names of the calls of activations.
    """
    modules = dict(model.named_modules())
    of_class: dict[type, set[str]] = {}
    for name in calls:
        path, colon, kind = place_of(name).partition(":")
        if colon and path in modules:
            of_class.setdefault(type(modules[path]), set()).add(kind)
    return {
        place_of_function(path, kind): kind
        for path, module in modules.items()
        if path and path not in called_modules
        for kind in sorted(of_class.get(type(module), set()) | _named_activations(module))
    }


def _named_activations(module: nn.Module) -> set[str]:
    """The activations whose names stand in the forward of a module that is none of PyTorch's."""
    if type(module).__module__.startswith("torch.") or is_activation(module):
        return set()
    code = getattr(type(module).forward, "__code__", None)
    return set() if code is None else {name for name in code.co_names if name in NAMES}


def _reason(module: nn.Module) -> str:
    if isinstance(module, torch.jit.ScriptModule):
        return "it is scripted, and what it calls cannot be seen"
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        return "its steps and their activations are one function"
    if is_activation(module):
        return "it does not work number by number, or had no numbers to work on"
    if scripted := _scripted_functions(module):
        return f"it calls {', '.join(scripted)}, which is scripted"
    return ""


def _scripted_functions(module: nn.Module) -> list[str]:
    """The scripted functions that the module's forward calls by name."""
    code = getattr(type(module).forward, "__code__", None)
    known = getattr(type(module).forward, "__globals__", {})
    names = () if code is None else code.co_names
    return [name for name in names if isinstance(known.get(name), torch.jit.ScriptFunction)]
