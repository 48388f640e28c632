"""The state of a shard's training, saved every so often in one file, from which the next job goes on if this one is killed.

The file is what ``torch.save`` writes: an archive of tensors with a checksum of each, so that a file that was cut or changed is noticed.
It is read with ``weights_only``, so that nothing in it can run code. Beside the state stands what the numbers depend on, and a state of
anything else is refused.
"""

import io
import logging
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
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


class StateFile:
    """The file of one shard's state, to be written at most every ``seconds``.

    Args:
        path: where it stands; it need not exist.
        conditions: what the bits of the numbers depend on, by name (see :func:`conditions`).
        seconds: from one save to the next.
    """

    def __init__(self, path: Path, conditions: dict[str, object], seconds: float) -> None:
        self.path, self.conditions, self.seconds = path, conditions, seconds
        self.saved = time.monotonic()

    def is_due(self) -> bool:
        """True if it is time to save; to make a state costs more than to look at the clock."""
        return time.monotonic() - self.saved >= self.seconds

    def save(self, state: State) -> None:
        """Write ``state``. A job that cannot save goes on: it has not failed yet."""
        # Not into the file: what a full disk does to torch.save is no OSError.
        content = io.BytesIO()
        torch.save({"conditions": self.conditions, "state": state}, content)
        try:
            with atomic_path(self.path) as scratch:
                scratch.write_bytes(content.getbuffer())
        except DyingReluError as error:
            log.warning("training goes on without a saved state: %s", error)
        self.saved = time.monotonic()

    def load(self) -> State:
        """The state in the file, on the CPU; nothing, and a line in the log, if there is none of this shard that can be trusted."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            return self._refused(f"it cannot be read ({error.strerror})")
        if not _is_whole(content):
            return self._refused("it is truncated or damaged")
        try:
            saved = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            conditions, state = dict(saved["conditions"]), dict(saved["state"])
        # In as many ways as there are files; what is meant for the author of the file is not repeated.
        except Exception as error:  # noqa: BLE001
            return self._refused(f"it is not a saved state ({type(error).__name__})")
        names = self.conditions | conditions
        if differing := [name for name in names if self.conditions.get(name) != conditions.get(name)]:
            return self._refused(f"it is of something else: {', '.join(map(str, differing))} differ")
        return state

    def remove(self) -> None:
        """Delete the file, if there is one."""
        self.path.unlink(missing_ok=True)

    def _refused(self, why: str) -> State:
        log.warning("%s is not used, training starts from the beginning: %s", self.path, why)
        return {}


def _is_whole(content: bytes) -> bool:
    """True if ``content`` is an archive each of whose members has its checksum, which ``torch.load`` does not look at."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.testzip() is None
    # RuntimeError: also an archive of another kind, as a changed bit may have it.
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, ValueError, zlib.error):
        return False


def conditions(
    shard: Shard, made_of: Origin, device: torch.device, stack_sizes: dict[str, int]
) -> dict[str, object]:
    """All that the bits of a shard's numbers depend on: two trainings that agree in it may continue each other.

    Args:
        shard: what is trained.
        made_of: configuration, code, data and libraries.
        device: on which it is trained.
        stack_sizes: optimiser's name -> networks that are trained together.
    """
    return {
        "shard": shard.name,
        **made_of,
        "networks per stack": stack_sizes,
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
    """A table as a tensor of bytes, which :func:`unpacked` turns back into the same rows and types.

    Args:
        table: of any columns.

    Returns:
        (length,) uint8: the table as a Parquet file.
    """
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return torch.from_numpy(np.frombuffer(buffer.getvalue(), np.uint8).copy())


def unpacked(content: Tensor) -> pd.DataFrame:
    """The table in a tensor of bytes.

    Args:
        content: (length,) uint8, from :func:`packed`.

    Returns:
        The rows and columns of the table that was packed.
    """
    return pd.read_parquet(io.BytesIO(content.numpy().tobytes()))
