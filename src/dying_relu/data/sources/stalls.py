"""Run a program that downloads, and end it when nothing arrives any more.

A time-out of a socket does not cover a name server that does not answer, nor a proxy that keeps a connection open; and a limit
on the whole download is wrong for somebody, since 139 MB take seconds here and a quarter of an hour there. So the
folder that the program writes to is watched.
"""

import contextlib
import subprocess
import time
from pathlib import Path

from dying_relu.errors import DyingReluError

POLL_SECONDS = 0.2


def run_while_growing(
    command: list[str], folder: Path, *, start_seconds: float = 60.0, stall_seconds: float = 10.0
) -> subprocess.CompletedProcess[str]:
    """Run ``command`` in ``folder``, and end it when it writes nothing into it for ``stall_seconds``.

    Args:
        command: program and arguments.
        folder: where it starts and what it fills.
        start_seconds: how long it may take until it writes for the first time.
        stall_seconds: how long it may write nothing from then on.

    Returns:
        Its exit status and output.

    Raises:
        DyingReluError: it was ended.
        OSError: it cannot be started.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    size, limit, since = _size(folder), start_seconds, time.monotonic()
    try:
        while time.monotonic() - since < limit:
            with contextlib.suppress(subprocess.TimeoutExpired):
                output, errors = process.communicate(timeout=POLL_SECONDS)
                return subprocess.CompletedProcess(command, process.returncode, output, errors)
            now = _size(folder)
            if now != size:
                size, limit, since = now, stall_seconds, time.monotonic()
        raise DyingReluError(f"nothing arrived for {limit:g} s")
    finally:
        process.kill()
        process.communicate()


def _size(folder: Path) -> tuple[int, int]:
    """Count the files in ``folder`` and their bytes; one that goes away meanwhile is left out."""
    sizes = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)
