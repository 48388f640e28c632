"""Activations that a model has called and that no one outside can see, so that a report does not pass over them in silence."""

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import nn

from dying_relu.probing.naming import is_activation, place_of


class Unseen(NamedTuple):
    """A module with such activations: its class, and why they cannot be seen."""

    kind: str
    reason: str


def unseen(model: nn.Module, entered: Collection[str], layers: Collection[str]) -> dict[str, Unseen]:
    """The modules with unseen activations by path.

    Args:
        model: has been run.
        entered: the paths of the modules that were called.
        layers: the names of the activations that were seen.
    """
    places = set(map(place_of, layers))
    found = {}
    for path, module in model.named_modules():
        if path in entered and path not in places and (reason := _reason(module)):
            found[path] = Unseen(type(module).__name__, reason)
    return found


def _reason(module: nn.Module) -> str:
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        return "its steps and their activations are one function"
    if is_activation(module):
        return "it does not work number by number, or had no numbers to work on"
    if scripted := _scripted_functions(module):
        return f"it calls {', '.join(scripted)}, which is scripted"
    return ""


def _scripted_functions(module: nn.Module) -> list[str]:
    """Those that the module's forward calls by name."""
    code = getattr(type(module).forward, "__code__", None)
    known = getattr(type(module).forward, "__globals__", {})
    names = () if code is None else code.co_names
    return [name for name in names if isinstance(known.get(name), torch.jit.ScriptFunction)]
