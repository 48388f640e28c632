"""Our engine as another source tree has it, such as a checkout of an earlier commit, in the same run as the present one."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.contestants import EARLIER, Contestant, Layout
from dying_relu.errors import DyingReluError

WORKER = Path(__file__).parent / "earlier_worker.py"


class Tree:
    """A source tree with ``src/dying_relu`` and ``benchmarks``.

    Args:
        folder: its root.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        if not all((self.folder / part).is_dir() for part in ("src/dying_relu", "benchmarks/methods")):
            raise DyingReluError(
                f"{folder} is no source tree of this project",
                expected="a folder with src/dying_relu and benchmarks/methods",
                remedy="for example `git worktree add ../earlier 164eb25`",
            )
        self.method = EARLIER + self._commit()

    def contestants(self, cases: Sequence[Case], layout: Layout) -> dict[str, Contestant]:
        """By the name of the case: the tree's engine in float32, at the stack that it chooses itself."""
        process = _Process(self.folder, 1)
        try:
            stacks = {case.name: int(process.ask(_request(case, asks="stack"))) for case in cases}
        finally:
            process.close()
        return {
            case.name: Contestant(case, self.method, layout, stacks[case.name], chosen=True) for case in cases
        }

    def _commit(self) -> str:
        """The commit that is checked out, with a plus if files were edited; without git the folder's name."""
        command = [
            "git",
            "-C",
            str(self.folder),
            "describe",
            "--always",
            "--abbrev=7",
            "--exclude=*",
            "--dirty=+",
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return self.folder.name
        return done.stdout.strip()


class EarlierTeam:
    """The processes of another tree's engine: as many as its layout has, each with its own networks."""

    def __init__(self, tree: Tree, layout: Layout) -> None:
        self.processes = [_Process(tree.folder, layout.threads) for _ in range(layout.processes)]

    def prepare(self, contestant: Contestant) -> None:
        """Build the networks of ``contestant`` and train them for a few steps."""
        self._ask(contestant, 0.0)

    def measure(self, contestant: Contestant, seconds: float) -> float:
        """Train for ``seconds``; returns the samples per second of all processes together."""
        return contestant.samples_per_s(sum(self._ask(contestant, seconds)))

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.close()

    def _ask(self, contestant: Contestant, seconds: float) -> list[float]:
        assert isinstance(contestant.case, Case)
        request = _request(contestant.case, asks="speed", stack=contestant.stack, seconds=seconds)
        for process in self.processes:
            process.send(request)
        return [process.answer() for process in self.processes]


class _Process:
    """One process of the tree in ``folder``."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder = folder
        code = os.pathsep.join([str(folder / "src"), str(folder)])
        self.process = subprocess.Popen(
            # -P: the worker's own folder stays off the path, and with it this tree.
            [sys.executable, "-P", str(WORKER), str(folder), str(threads)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": code},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request: dict[str, Any]) -> float:
        self.send(request)
        return self.answer()

    def send(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def answer(self) -> float:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self._ended()
        return float(json.loads(line))

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self.process.communicate()

    def _ended(self) -> DyingReluError:
        return DyingReluError(
            f"a process that trains with {self.folder} has ended", remedy="its last words stand above"
        )


def _request(case: Case, **wanted: object) -> dict[str, Any]:
    setting = case.setting
    return {
        "name": case.name,
        "architecture": setting.architecture.model_dump(mode="json", exclude_defaults=True),
        "dataset": setting.dataset,
        "batch_size": setting.batch_size,
        **wanted,
    }
