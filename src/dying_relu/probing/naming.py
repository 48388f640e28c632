"""How a place in the model where an activation is called is named: while the model runs, and in its graph."""

import re
from collections import Counter

from torch import nn

OF_TORCH = "torch.nn.modules.activation"
NO_UNITS = (
    nn.MultiheadAttention,
    nn.Softmax,
    nn.Softmax2d,
    nn.LogSoftmax,
    nn.Softmin,
)
"""Stand among PyTorch's activations and do not work element by element."""
LIKELY = re.compile("GELU|SiLU|Swish|Mish|Activation", re.IGNORECASE)


def is_of_torch(module: nn.Module) -> bool:
    """Whether it is one of PyTorch's own activations."""
    return type(module).__module__ == OF_TORCH and not isinstance(module, NO_UNITS)


def is_self_made(module: nn.Module) -> bool:
    """Whether it is called like an activation and is nothing more than that, such as the GELUs of Transformers.

    What it computes with, a tanh for instance, is then no activation of its own.

    >>> is_self_made(nn.Linear(1, 1))
    False
    """
    name = type(module).__name__
    return (
        not type(module).__module__.startswith("torch.nn.")
        and LIKELY.search(name) is not None
        and next(module.children(), None) is None
    )


def is_activation(module: nn.Module) -> bool:
    """Whether a call of the module is the call of an activation, named by its path alone."""
    return is_of_torch(module) or is_self_made(module)


class Names:
    """Names for calls of activations, in their order: the place, and from the second call there on "#2", "#3", ...

    >>> names = Names()
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
    """The place of an activation that the module at ``path`` calls as a function; the model's own path is empty."""
    return f"{path}:{kind}" if path else kind


def place_of(name: str) -> str:
    """The place that a layer's name tells.

    >>> place_of("block:relu#2")
    'block:relu'
    """
    return name.partition("#")[0]
