"""Processes that train while they are watched.

They are started once, get ready once, and then train for a short time whenever it is their turn; all processes of a
team train at the same time, and those of other teams wait.
"""

import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Protocol

import torch

from benchmarks.cases import Case, Examples, Product
from benchmarks.contestants import Contestant
from benchmarks.methods import METHODS
from benchmarks.methods.base import NotPossible
from benchmarks.methods.matrix_product import MatrixProduct
from dying_relu.errors import DyingReluError

WARM_UP_STEPS = 3


class Trainer(Protocol):
    """What is timed."""

    def step(self) -> object:
        """Train all networks on one minibatch."""


class Team:
    """The processes of a method: as many as its layout has, each with its own networks."""

    def __init__(self, contestant: Contestant) -> None:
        # Not fork: the processes must not inherit this one's threads. One server imports PyTorch for them all.
        context = get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self.method = contestant.method
        self.connections: list[Connection] = []
        for _ in range(contestant.layout.processes):
            ours, theirs = context.Pipe()
            arguments = (theirs, contestant.method, contestant.layout.threads)
            context.Process(target=_serve, args=arguments, daemon=True).start()
            theirs.close()
            self.connections.append(ours)

    def prepare(self, contestant: Contestant) -> None:
        """Build the networks of ``contestant`` and train them for a few steps, so that nothing is new when time counts.

        Raises:
            NotPossible: this machine lacks what the method needs.
        """
        self._ask(contestant, 0.0)

    def measure(self, contestant: Contestant, seconds: float) -> float:
        """Train for ``seconds``; returns the samples per second of all processes together."""
        return contestant.samples_per_s(sum(self._ask(contestant, seconds)))

    def close(self) -> None:
        """Send the processes home."""
        for connection in self.connections:
            connection.close()

    def _ask(self, contestant: Contestant, seconds: float) -> list[float]:
        try:
            for connection in self.connections:
                connection.send((contestant, seconds))
            answers = [connection.recv() for connection in self.connections]
        except (EOFError, ConnectionError) as error:
            raise DyingReluError(
                f"a process that trains ({contestant}) has ended", remedy="what it said stands above"
            ) from error
        if reasons := [answer for answer in answers if isinstance(answer, str)]:
            raise NotPossible(reasons[0])
        return answers


def steps_per_s(trainer: Trainer, seconds: float, device: torch.device) -> float:
    """Steps per second, counted for at least ``seconds`` after one more step to get going."""
    wait = _waiting(device)
    trainer.step()
    wait()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        trainer.step()
        steps += 1
    wait()
    return steps / (time.perf_counter() - start)


def _serve(connection: Connection, method: str, threads: int) -> None:
    """Do what the connection asks for, until it is closed."""
    torch.set_num_threads(threads)
    if method in METHODS:
        METHODS[method].prepare_process()
    ready: dict[Contestant, Trainer] = {}
    examples: dict[str, Examples] = {}
    while True:
        try:
            contestant, seconds = connection.recv()
        except EOFError:
            return
        device = torch.device(contestant.device)
        try:
            if contestant not in ready:
                ready[contestant] = _warmed_up(contestant, examples, device)
        except NotPossible as reason:
            connection.send(str(reason))
        else:
            connection.send(steps_per_s(ready[contestant], seconds, device) if seconds else 0.0)


def _warmed_up(contestant: Contestant, examples: dict[str, Examples], device: torch.device) -> Trainer:
    trainer = _trainer(contestant, examples, device)
    for _ in range(WARM_UP_STEPS):
        trainer.step()
    return trainer


def _trainer(contestant: Contestant, examples: dict[str, Examples], device: torch.device) -> Trainer:
    case, precision = contestant.case, contestant.precision
    if isinstance(case, Product):
        return MatrixProduct(case, precision, device)
    return METHODS[contestant.method](
        case, range(contestant.stack), _shared(case, examples), precision, device
    )


def _shared(case: Case, examples: dict[str, Examples]) -> Examples:
    """The case's examples, one copy in memory for all cases that train on them."""
    if case.setting.dataset not in examples:
        examples[case.setting.dataset] = case.examples()
    return examples[case.setting.dataset]


def _waiting(device: torch.device) -> Callable[[], None]:
    """A function that returns when the device has done what it was asked to."""
    return torch.cuda.synchronize if device.type == "cuda" else lambda: None
