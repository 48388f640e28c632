"""The command's side: ask the warm process to run it, pass signals on, end as it ends."""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedReader

from dying_relu.commands.warm.address import ACCEPTED, VARIABLE, environment
from dying_relu.commands.warm.preparations import PREPARATIONS
from dying_relu.errors import DyingReluError

FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP")


def run(arguments: Sequence[str]) -> int | None:
    """Run a command in the warm process, if there is one.

    Args:
        arguments: of the command line, the program's name first.

    Returns:
        The exit status, negative for the signal that ended it; None if the command has to run by itself.

    Raises:
        DyingReluError: the warm process ended while the command ran.
    """
    path = os.environ.get(VARIABLE)
    if sys.platform != "linux" or not path or not PREPARATIONS.keys() & arguments[1:2]:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        answers = connection.makefile("rb")
        try:
            connection.connect(path)
            _ask(connection, arguments)
            accepted = answers.readline()
        except OSError:
            accepted = b""
        if accepted != ACCEPTED:
            # It ended with the Snakemake that had started it, or is of another environment.
            return None
        for name in FORWARDED:
            signal.signal(signal.Signals[name], lambda number, _: _forward(connection, number))
        return _status(answers)


def _ask(connection: socket.socket, arguments: Sequence[str]) -> None:
    request = {
        "environment": environment(),
        "arguments": list(arguments),
        "folder": os.getcwd(),  # noqa: PTH109 - nothing of pathlib's is needed
        "variables": dict(os.environ),
    }
    socket.send_fds(connection, [b"\n"], [0, 1, 2])
    connection.sendall(json.dumps(request).encode() + b"\n")


def _forward(connection: socket.socket, number: int) -> None:
    with suppress(OSError):
        connection.sendall(bytes([number]))


def _status(answers: BufferedReader) -> int:
    try:
        return int(answers.readline())
    except (OSError, ValueError) as error:
        raise DyingReluError(
            "the process in which this command ran for Snakemake has ended",
            expected="one that lives as long as Snakemake",
            remedy="run snakemake again; finished jobs are kept",
        ) from error


def end(status: int) -> None:
    """End this process as the forked one ended, with its status or by its signal."""
    if status < 0:
        # SIGKILL has no other way to be handled.
        with suppress(OSError):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
