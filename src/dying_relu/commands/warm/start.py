"""Start the warm process, from the process in which Snakemake runs."""

import atexit
import os
import shutil
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

    It listens at once, and answers when it has imported what the first command needs. Where there can be none, nothing is started, and
    commands run by themselves: on other systems than Linux, or without a folder for sockets.
    """
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return
    try:
        # A kernel may lack it, too.
        os.close(os.pidfd_open(os.getpid()))
        # Nobody else may enter it.
        folder = Path(tempfile.mkdtemp(prefix="dying-relu-"))
    except OSError:
        return
    try:
        _started.append(_server(folder / "warm"))
    except OSError:
        # Such as a path that is too long for a socket.
        shutil.rmtree(folder, ignore_errors=True)
        return
    # The warm process deletes it, too, unless it is killed.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[VARIABLE] = str(folder / "warm")


def _server(path: Path) -> "subprocess.Popen[bytes]":
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(128)
        return subprocess.Popen(
            # -P: not a module of the current folder in place of a library's.
            [sys.executable, "-P", "-c", f"from dying_relu import cli; cli.serve({listener.fileno()})"],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            env=os.environ | dict.fromkeys(THREADS, "1"),
            # Control-C in the terminal goes to Snakemake and its commands, which pass it on.
            start_new_session=True,
        )
