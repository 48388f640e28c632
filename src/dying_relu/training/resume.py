"""What a killed job leaves for the next one: the state of a shard's training, saved every so often in one file.

The file holds the SHA-256 sum of all that follows, then tensors in the safetensors format: nothing in it can run code, and a file that
was cut or changed is noticed. Beside the tensors stands what the numbers depend on, and a state of anything else is refused.
"""

import hashlib
import io
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_in
from safetensors.torch import save as serialised
from torch import Tensor

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.plan.shard import Shard
from dying_relu.results.origin import Origin

log = logging.getLogger(__name__)

State = dict[str, Any]
"""Tensors by name, or by names within names."""

SAVE_EVERY = 60.0
"""Seconds from one save to the next: a shard of usual size saves once, and small ones never."""
CONDITIONS = "conditions"
"""Under this name the file says what the numbers depend on."""
_SUM_BYTES = hashlib.sha256().digest_size


class StateFile:
    """The file of one shard's state, written at most every ``seconds``.

    Args:
        path: where it stands; it need not exist.
        conditions: what the bits of the numbers depend on, by name (see :func:`conditions`).
        seconds: from one save to the next.
    """

    def __init__(self, path: Path, conditions: dict[str, object], seconds: float) -> None:
        self.path, self.conditions, self.seconds = path, conditions, seconds
        self.saved = time.monotonic()

    def offer(self, state: Callable[[], State]) -> None:
        """Save what ``state`` returns if it is time to. A job that cannot save goes on: it has not failed yet."""
        if time.monotonic() - self.saved < self.seconds:
            return
        # Copies: a recorder may hold one tensor under two names, which the format does not allow.
        tensors = {
            name: tensor.cpu().clone(memory_format=torch.contiguous_format) for name, tensor in _flat(state())
        }
        content = serialised(tensors, {CONDITIONS: json.dumps(self.conditions)})
        try:
            with atomic_path(self.path) as beside, beside.open("wb") as file:
                file.write(hashlib.sha256(content).digest())
                file.write(content)
        except DyingReluError as error:
            log.warning("training goes on without a saved state: %s", error)
        self.saved = time.monotonic()

    def load(self) -> State:
        """The state in the file; nothing, and a line in the log, if there is none of this shard that can be trusted."""
        try:
            with self.path.open("rb") as file:
                expected, content = file.read(_SUM_BYTES), file.read()
        except FileNotFoundError:
            return {}
        except OSError as error:
            return self._refused(f"it cannot be read ({error.strerror})")
        if hashlib.sha256(content).digest() != expected:
            return self._refused("it is truncated or damaged")
        try:
            tensors, theirs = tensors_in(content), _conditions_in(content)
        except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
            return self._refused(f"it is not a saved state ({error})")
        ours = self.conditions
        if differing := [name for name in ours | theirs if ours.get(name) != theirs.get(name)]:
            return self._refused(f"it is of something else: {', '.join(differing)} differ")
        return _nested(tensors)

    def remove(self) -> None:
        """Delete the file, if there is one."""
        self.path.unlink(missing_ok=True)

    def _refused(self, why: str) -> State:
        log.warning("%s is not used, training starts from the beginning: %s", self.path, why)
        return {}


def conditions(shard: Shard, made_of: Origin, device: torch.device, stack_size: int) -> dict[str, object]:
    """All that the bits of a shard's numbers depend on: two trainings that agree in it may continue each other."""
    return {
        "shard": shard.name,
        **made_of,
        "networks per stack": stack_size,
        "threads": torch.get_num_threads(),
        "processor": _processor(device),
    }


def _processor(device: torch.device) -> str:
    match device.type:
        case "cpu":
            return torch.backends.cpu.get_cpu_capability()
        case "cuda":
            return torch.cuda.get_device_name(device)
        case other:
            return other


def packed(table: pd.DataFrame) -> Tensor:
    """A table as a tensor of bytes, which :func:`unpacked` turns back into the same rows and types."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return torch.from_numpy(np.frombuffer(buffer.getvalue(), np.uint8).copy())


def unpacked(content: Tensor) -> pd.DataFrame:
    """The table that was :func:`packed`."""
    return pd.read_parquet(io.BytesIO(content.numpy().tobytes()))


def _conditions_in(content: bytes) -> dict[str, object]:
    """Safetensors' own reader gives metadata of files only, not of bytes."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return dict(json.loads(header["__metadata__"][CONDITIONS]))


def _flat(state: State, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, value in state.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _nested(tensors: Mapping[str, Tensor]) -> State:
    """The names within names that :func:`_flat` joined by dots.

    >>> _nested({"a.b": 1, "a.c": 2, "d": 3})
    {'a': {'b': 1, 'c': 2}, 'd': 3}
    """
    state: State = {}
    for name, tensor in tensors.items():
        *outer, last = name.split(".")
        here = state
        for part in outer:
            here = here.setdefault(part, {})
        here[last] = tensor
    return state
