"""Models and loaders that a command line names, and the files of weights that it loads into them."""

import sys
from importlib import import_module
from typing import Any

from torch import nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.weights import load_weights

__all__ = ["load_weights", "named"]


def named(place: str) -> Any:
    """The object at ``package.module:object``; called without arguments if it is a function or a class.

    Modules are looked for in the current folder too.

    Raises:
        DyingReluError: there is no such module or object, or it fails.

    >>> named("collections:OrderedDict")
    OrderedDict()
    """
    module_name, _, path = place.partition(":")
    if not module_name or not path:
        raise DyingReluError(
            "where to find the model or its data", found=place, expected="package.module:object"
        )
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        target = import_module(module_name)
    except ModuleNotFoundError as error:
        raise DyingReluError(
            f"there is no module {error.name}",
            found=place,
            expected="package.module:object",
            remedy="run this where the module is, or install it",
        ) from error
    except Exception as error:
        raise DyingReluError(
            f"module {module_name} cannot be imported", found=f"{type(error).__name__}: {error}"
        ) from error
    for name in path.split("."):
        if not hasattr(target, name):
            raise DyingReluError(f"module {module_name} has no {path}", found=place)
        target = getattr(target, name)
    return target if isinstance(target, nn.Module) or not callable(target) else _made(target, place)


def _made(make: Any, place: str) -> Any:
    try:
        return make()
    except Exception as error:
        raise DyingReluError(f"{place} fails", found=f"{type(error).__name__}: {error}") from error
