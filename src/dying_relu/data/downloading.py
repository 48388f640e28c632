"""Source ``torchvision``: its own download, given up when nothing arrives any more.

torchvision opens its connections without a time-out, and no time-out of a socket covers a name server that does not answer.
So the download runs in a process of its own, in which a thread watches the folder grow and ends the process when it
stops. That works, and ends, even if the process that started it is gone.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from dying_relu.data import layout
from dying_relu.data.decoding import Arrays
from dying_relu.errors import DyingReluError

STALL_SECONDS = 10.0
"""A download that has not grown for so long is given up."""


def download(name: str, folder: Path, *, stall_seconds: float = STALL_SECONDS) -> Arrays:
    """Let torchvision download the data set ``name`` into ``folder``, and read it there.

    Raises:
        DyingReluError: there is no connection, nothing arrived for ``stall_seconds``, or the files are damaged.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__, name, str(folder), "--stall-seconds", str(stall_seconds)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        reason = done.stdout.strip() or _last_line(done.stderr) or f"exit status {done.returncode}"
        raise DyingReluError(f"the download failed: {reason}")
    return layout.read(name, folder)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _run() -> None:
    """In the process of its own: download; on failure say why, in one line, and exit with 1."""
    parser = argparse.ArgumentParser(description="Download a data set into a folder.")
    parser.add_argument("name", choices=layout.CLASSES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stall-seconds", type=float, default=STALL_SECONDS)
    arguments = parser.parse_args()

    from dying_relu.torchvision_import import torchvision

    watch = threading.Thread(
        target=_exit_when_stalled, args=(arguments.folder, arguments.stall_seconds), daemon=True
    )
    watch.start()
    try:
        getattr(torchvision.datasets, layout.CLASSES[arguments.name])(arguments.folder, download=True)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in here, the next source is to be tried
        print(" ".join(str(error).split()) or type(error).__name__)
        sys.exit(1)


def _exit_when_stalled(folder: Path, seconds: float) -> None:
    size, since = -1, time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(min(0.2, seconds / 10))
        with contextlib.suppress(OSError):  # a file went away between being listed and being measured
            now = sum(path.stat().st_size for path in folder.rglob("*"))
            if now != size:
                size, since = now, time.monotonic()
    print(f"nothing arrived for {seconds:g} s", flush=True)
    os._exit(1)  # sys.exit would end this thread only


if __name__ == "__main__":
    _run()
