"""Models, loaders and files of weights that a command line names."""

import pickle
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError


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


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a file of weights into a model; nothing in the file is run.

    Args:
        model: to load into.
        path: a state_dict, one under the key "state_dict" or "model", or a .safetensors file.

    Raises:
        DyingReluError: no model, no such file, one that holds no weights, one of another model.
    """
    if not isinstance(model, nn.Module):
        raise DyingReluError("the model", found=type(model).__name__, expected="a torch.nn.Module")
    if not path.is_file():
        raise DyingReluError(f"there is no file of weights {path}")
    try:
        state = (
            _safetensors(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise DyingReluError(
            f"{path} is not a file of weights alone",
            found=type(error).__name__,  # PyTorch's message advises to load it unsafely
            remedy="save model.state_dict() with torch.save or safetensors",
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping):
        raise DyingReluError(f"{path} holds no state_dict", found=type(state).__name__)
    try:
        model.load_state_dict(dict(state))
    except RuntimeError as error:
        raise DyingReluError(f"{path} holds the weights of another model", found=str(error)) from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file by name; a damaged one is a ValueError."""
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise DyingReluError(
            f"safetensors is not installed, and {path} cannot be read without",
            remedy="pip install safetensors",
        ) from error
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error
