"""The warm process: import, and fork for every request, until who started it has ended."""

import ctypes
import gc
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dying_relu.commands.warm.address import ACCEPTED, environment
from dying_relu.commands.warm.preparations import PREPARATIONS

PATIENCE = 10.0
"""Seconds to wait for a request from who has connected."""

PR_SET_PDEATHSIG = 1
"""Of Linux's ``prctl``: a signal to get when the process that forked this one ends."""


def serve(listener: int) -> bool:
    """Be the warm process.

    Args:
        listener: number of the open socket to listen on, alone in its folder, which is deleted at the end. Standard input ends with the
            process that started this one.

    Returns:
        True in a fork, whose ``sys.argv`` is the command to run; False when all is over.
    """
    with socket.socket(fileno=listener) as opened:
        folder = Path(opened.getsockname()).parent
        server = Server(opened, sys.stdin.fileno())
        try:
            server.serve()
        finally:
            if not server.is_fork:
                shutil.rmtree(folder, ignore_errors=True)
    return server.is_fork


@dataclass(frozen=True)
class Fork:
    """A running command."""

    process: int
    """Its number, and that of the group of processes that it starts."""
    client: socket.socket
    """Open as long as the command that asked for it lives."""


class Server:
    """Forks, those who wait for them, and what happens to both.

    Args:
        listener: the socket that clients connect to.
        starter: number of a pipe that ends with the process that started this one.
    """

    def __init__(self, listener: socket.socket, starter: int) -> None:
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, lambda _: self._accept())
        self.selector.register(starter, selectors.EVENT_READ, self._take_no_more)
        self.running: set[Fork] = set()
        self.prepared: set[str] = set()
        # As it is when this process starts to import.
        self.environment = environment()
        self.ending = False
        self.is_fork = False

    def serve(self) -> None:
        """Fork for every request; return in each fork, ready to run the command, and here when all is over."""
        while self.running or not self.ending:
            # One at a time: it may be the end of others.
            (key, _), *_ = self.selector.select()
            key.data(key)
            if self.is_fork:
                return

    def _take_no_more(self, starter: selectors.SelectorKey) -> None:
        self.selector.unregister(starter.fileobj)
        self.selector.unregister(self.listener)
        self.listener.close()
        self.ending = True

    def _accept(self) -> None:
        client, _ = self.listener.accept()
        request, streams = _request(client)
        if request is not None and request["environment"] == self.environment:
            self._prepare(request["arguments"][1])
            self._fork(request, client, streams)
        else:
            # It runs alone.
            client.close()
        for stream in streams:
            os.close(stream)

    def _prepare(self, command: str) -> None:
        if command not in self.prepared:
            # Whatever is wrong here is wrong in the fork, which says so in its own log; the other forks go on.
            with suppress(Exception):
                PREPARATIONS[command]()
            self.prepared.add(command)

    def _fork(self, request: dict[str, Any], client: socket.socket, streams: list[int]) -> None:
        process = _forked()
        if process is None:
            client.close()
        elif process:
            self._watch(Fork(process, client))
            _answer(client, ACCEPTED)
        else:
            client.close()
            self._become(request, streams)

    def _watch(self, fork: Fork) -> None:
        self.running.add(fork)
        self.selector.register(fork.client, selectors.EVENT_READ, lambda _: self._hear(fork))
        ends = os.pidfd_open(fork.process)
        self.selector.register(ends, selectors.EVENT_READ, lambda key: self._reap(fork, key))

    def _hear(self, fork: Fork) -> None:
        """Pass on a signal that the client got; if it is dead, kill what nobody waits for."""
        try:
            signals = fork.client.recv(16)
        except OSError:
            signals = b""
        if not signals:
            self.selector.unregister(fork.client)
        for number in signals or [signal.SIGKILL]:
            # It may have ended by itself meanwhile.
            with suppress(ProcessLookupError):
                os.killpg(fork.process, number)

    def _reap(self, fork: Fork, ends: selectors.SelectorKey) -> None:
        self.selector.unregister(ends.fileobj)
        os.close(ends.fd)
        _, status = os.waitpid(fork.process, 0)
        _answer(fork.client, b"%d\n" % os.waitstatus_to_exitcode(status))
        if fork.client in self.selector.get_map():
            self.selector.unregister(fork.client)
        fork.client.close()
        self.running.remove(fork)

    def _become(self, request: dict[str, Any], streams: list[int]) -> None:
        """In a fork: take over the streams, folder, variables and arguments of the command."""
        self.is_fork = True
        self.selector.close()
        self.listener.close()
        for fork in self.running:
            fork.client.close()
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["variables"])
        # What depended on them.
        tempfile.tempdir = None
        sys.argv = request["arguments"]


def _request(client: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """Read a request and its open files; None if the client was killed or stopped before it had sent all of it."""
    client.settimeout(PATIENCE)
    streams: list[int] = []
    line = b""
    with suppress(OSError), client.makefile("rb") as file:
        _, streams, _, _ = socket.recv_fds(client, 1, 3)
        line = file.readline()
    client.settimeout(None)
    return json.loads(line) if line.endswith(b"\n") else None, streams


def _forked() -> int | None:
    """Fork; returns as ``os.fork`` does, or None if the system admits no more processes.

    The fork leads a group of its own, so that what it starts can be signalled with it, and dies with this process, since nobody would
    wait for it.
    """
    # What is here stays: the forks' garbage collectors need not look at it, which would copy its memory.
    gc.freeze()
    this = os.getpid()
    try:
        # Python warns of threads; ours is that of a memory allocator, which knows forks.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            process = os.fork()
    except OSError:
        return None
    # In both, since either may be first.
    with suppress(PermissionError):
        os.setpgid(process, process or os.getpid())
    if not process:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != this:
            os._exit(1)
    return process


def _answer(client: socket.socket, answer: bytes) -> None:
    # Who has been killed meanwhile hears nothing.
    with suppress(OSError):
        client.sendall(answer)
