"""Start the warm process, from the process in which Snakemake runs."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from dying_relu.commands.warm.address import THREADS, VARIABLE

_started: list[subprocess.Popen[bytes]] = []
"""Kept until this process ends: with it ends the warm process's standard input, and with that the warm process."""


def start() -> None:
    """Start a warm process for the commands that this process starts from now on; it ends with this process.

    It listens at once, and answers when it has imported everything. On other systems than Linux nothing is started.
    """
    if sys.platform != "linux":
        return
    # Nobody else may enter it.
    path = Path(tempfile.mkdtemp(prefix="dying-relu-")) / "warm"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(128)
        process = subprocess.Popen(
            [sys.executable, "-c", f"from dying_relu import cli; cli.serve({listener.fileno()})"],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            env=os.environ | dict.fromkeys(THREADS, "1"),
            # Control-C in the terminal goes to Snakemake and its commands, which pass it on.
            start_new_session=True,
        )
    _started.append(process)
    os.environ[VARIABLE] = str(path)
