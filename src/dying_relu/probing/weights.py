"""Files of weights as people have them: plain, in a checkpoint of a training, of a wrapped model, as safetensors."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dying_relu.errors import DyingReluError

KEYS = (
    *("model_state_dict", "state_dict", "model_state", "model", "net", "network", "weights", "params", "module", "model_ema", "ema"),
    *("student", "encoder", "generator", "state"),
)  # fmt: skip
"""Under which checkpoints of a training hold their weights, the usual ones first."""
PREFIXES = (
    "module.",
    "_orig_mod.",
    "model.",
    "net.",
    "network.",
    "_forward_module.",
    "backbone.",
    "encoder.",
)
"""What wrappers put before every name: data parallelism, compilation, Lightning modules, and so on."""
DEEPEST = 3
LISTED = 12
FIRST_BYTES = {
    b"version https://git-lfs": "a pointer of Git LFS; `git lfs pull` gets the file itself",
    b"<!doc": "a web page; download the file itself",
    b"<html": "a web page; download the file itself",
}
ADVICE = "save model.state_dict() with torch.save or safetensors"


def load_weights(
    model: nn.Module, path: Path | str, key: str | None = None, prefix: str | None = None
) -> None:
    """Load a file of weights into a model; nothing in the file is run.

    Args:
        model: to load into.
        path: a file of :func:`read_weights`.
        key: where the weights lie in the file; see there.
        prefix: what stands before every name in the file and not in the model; by default what wrappers usually put there is taken
            away where the names then fit, or added where the model has it.

    Raises:
        DyingReluError: no model, no such file, one that holds no weights, one of another model.
    """
    if not isinstance(model, nn.Module):
        raise DyingReluError("the model", found=type(model).__name__, expected="a torch.nn.Module")
    state = read_weights(path, key, prefix)
    state = _fitting(state, model) if prefix is None else state
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise _misfit(Path(path), state, model.state_dict()) from error


def _misfit(path: Path, state: dict[str, Tensor], own: dict[str, Any]) -> DyingReluError:
    missing, unknown = [one for one in own if one not in state], [one for one in state if one not in own]
    shapes = [
        f"{name} is {tuple(state[name].shape)} and not {tuple(own[name].shape)}"
        for name in own
        if name in state and isinstance(own[name], Tensor) and state[name].shape != own[name].shape
    ]
    parts = [
        f"it lacks {_listed(missing)}" if missing else "",
        f"it has {_listed(unknown)} besides" if unknown else "",
        _listed(shapes),
    ]
    return DyingReluError(
        f"{path} holds the weights of another model",
        found="; ".join(part for part in parts if part),
        expected=f"the names of the model: {_listed(list(own))}",
        remedy="say what stands before every name with a prefix, or where the weights lie with a key",
    )


def read_weights(path: Path | str, key: str | None = None, prefix: str | None = None) -> dict[str, Tensor]:
    """Read a file of weights; nothing in the file is run.

    Args:
        path: of torch.save or a .safetensors file: a state_dict, or a checkpoint of a training that holds one.
        key: where it lies in a checkpoint, with dots for a dict in a dict; by default under one of the usual keys.
        prefix: what stands before every name, and is taken away.

    Returns:
        The tensors by name.

    Raises:
        DyingReluError: no such file, one that is damaged or holds no weights, or none under that key or with that prefix.
    """
    path = Path(path)
    if not path.is_file():
        raise DyingReluError(f"there is no file of weights {path}")
    content = _content(path)
    state = _at(content, key, path) if key is not None else _usual(content)
    if not _is_state(state):
        raise DyingReluError(
            f"{path} holds no state_dict" + (f" under {key}" if key is not None else " under a usual key"),
            found=_keys(content),
            expected="tensors by name",
            remedy="say where the weights lie with a key",
        )
    state = dict(state)
    return state if prefix is None else _without_prefix(state, prefix, path)


def _content(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(64)
    for first, kind in FIRST_BYTES.items():
        if start.lstrip().lower().startswith(first):
            raise DyingReluError(f"{path} is not a file of weights", found=kind)
    if not start:
        raise DyingReluError(f"{path} is empty", remedy="copy or download it again")
    try:
        if path.suffix == ".safetensors":
            return _safetensors(path)
        return _unpickled(path)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OSError,
    ) as error:
        raise DyingReluError(
            f"{path} is not a file of weights alone, or is damaged",
            found=type(error).__name__,  # PyTorch's message advises to load it unsafely
            remedy=ADVICE,
        ) from error


def _unpickled(path: Path) -> Any:
    """The content of a file of torch.save; of what is no tensor, container or number only a stand-in."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        # A checkpoint with settings, numbers of NumPy and the like beside the weights.
        content = torch.load(path, map_location="cpu", pickle_module=_Inert, weights_only=False)
    if not isinstance(content, Mapping):
        raise ValueError
    return content


class _StandIn:
    """Takes the place of an object of any class, and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> "_StandIn":
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass

    def __setitem__(self, *_: Any) -> None:
        pass

    def append(self, _: Any) -> None:
        pass

    def extend(self, _: Any) -> None:
        pass


class _InertUnpickler(pickle.Unpickler):
    """Calls nothing but what PyTorch allows in a file of weights alone."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        allowed = torch._weights_only_unpickler._get_allowed_globals()
        return allowed.get(f"{module_name}.{global_name}", _StandIn)


class _Inert:
    """A module like pickle, for torch.load."""

    Unpickler = _InertUnpickler
    UnpicklingError = pickle.UnpicklingError
    __name__ = "inert pickle"

    @staticmethod
    def load(file: Any, **options: Any) -> Any:
        return _InertUnpickler(file, **options).load()


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


def _is_state(content: Any) -> bool:
    """Tell whether something is a state_dict: names and tensors, and at most some extra state besides."""
    return (
        isinstance(content, Mapping)
        and any(isinstance(one, Tensor) for one in content.values())
        and all(isinstance(name, str) for name in content)
        and all(isinstance(one, Tensor) or name.endswith("_extra_state") for name, one in content.items())
    )


def _usual(content: Any) -> Any:
    """The state_dict in a checkpoint: itself, under one of the usual keys, or the only one that there is."""
    for _ in range(DEEPEST):
        if _is_state(content) or not isinstance(content, Mapping):
            return content
        inner = {name: one for name, one in content.items() if isinstance(one, Mapping)}
        key = next((one for one in KEYS if one in inner), None)
        states = [one for one in inner.values() if _is_state(one)]
        if key is not None:
            content = inner[key]
        elif len(states) == 1:
            content = states[0]
        else:
            return content
    return content


def _at(content: Any, key: str, path: Path) -> Any:
    if isinstance(content, Mapping) and key in content:
        return content[key]
    inner = content
    for part in key.split("."):
        if not isinstance(inner, Mapping) or part not in inner:
            raise DyingReluError(f"{path} has no key {key}", found=_keys(content), expected="one of these")
        inner = inner[part]
    return inner


def _without_prefix(state: dict[str, Tensor], prefix: str, path: Path) -> dict[str, Tensor]:
    prefix = prefix if not prefix or prefix.endswith(".") else f"{prefix}."
    inner = _begun(state, prefix)
    if not inner:
        raise DyingReluError(
            f"no name in {path} begins with {prefix}",
            found=_listed(list(state)),
            expected="the prefix of some",
        )
    return inner


def _begun(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): one for name, one in state.items() if name.startswith(prefix)}


def _fitting(state: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """The weights under the names that the model has."""
    own = set(model.state_dict())
    for _ in range(DEEPEST):
        if own <= set(state):
            break
        common = next((one for one in PREFIXES if all(name.startswith(one) for name in state)), None)
        fitting = (one for one in PREFIXES if own <= set(_begun(state, one)))
        chosen = next(fitting, common)
        if chosen is None:
            break
        state = _begun(state, chosen)
    if own.isdisjoint(state):
        for one in PREFIXES:
            if own == {f"{one}{name}" for name in state}:
                return {f"{one}{name}": tensor for name, tensor in state.items()}
    return state


def _keys(content: Any) -> str:
    if not isinstance(content, Mapping):
        return type(content).__name__
    return f"the keys {_listed([str(one) for one in content])}" if content else "no keys"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
