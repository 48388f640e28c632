"""One Snakemake job per network, measured on a sample of jobs."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import pandas as pd
import torch

from benchmarks.cases import Case
from benchmarks.contestants import Contestant
from dying_relu.errors import DyingReluError

ROOT = Path(__file__).parent.parent


class Sample(NamedTuple):
    """What a sample of jobs took, in seconds."""

    seconds_per_job: float
    """Mean over the jobs, from the start of Python to its end, with a job on every core; without Snakemake's share."""
    total: float
    """Until Snakemake was done with all of them."""


class Jobs:
    """Runs a few networks as jobs of their own, in a temporary folder.

    Args:
        samples_per_run: training samples of each network; by default as many as the case says.
    """

    def __init__(self, samples_per_run: int | None = None) -> None:
        self.samples_per_run = samples_per_run
        self.temporary = tempfile.TemporaryDirectory(prefix="one-job-per-run-")
        self.folder = Path(self.temporary.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.temporary.cleanup()

    def prepare(self, contestant: Contestant) -> None:
        """Write the images to a file."""
        assert isinstance(contestant.case, Case)
        self._data(contestant.case)

    def measure(self, contestant: Contestant, seconds: float) -> float:
        """Samples per second with a job on every core, however long that takes."""
        assert isinstance(contestant.case, Case)
        processes = contestant.layout.processes
        seconds_per_job = self.run(contestant.case, processes, processes).seconds_per_job
        return processes * self._samples(contestant.case) / seconds_per_job

    def close(self) -> None:
        """Delete what the jobs have written."""
        self.temporary.cleanup()

    def run(self, case: Case, runs: int, cores: int) -> Sample:
        """Train ``runs`` networks of ``case``, a job each, on ``cores`` cores."""
        data = self._data(case)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            settings = {
                "runs": runs,
                "case": case.name,
                "samples": self._samples(case),
                "data": data,
                "python": sys.executable,
            }
            started = time.perf_counter()
            snakemake(
                "--snakefile", str(ROOT / "benchmarks/one_job_per_run.smk"), "--cores", str(cores),
                "--config", *(f"{key}={value}" for key, value in settings.items()),
                folder=Path(folder),
            )  # fmt: skip
            total = time.perf_counter() - started
            seconds = [pd.read_table(path)["s"].item() for path in Path(folder).glob("*.tsv")]
        return Sample(sum(seconds) / len(seconds), total)

    def _samples(self, case: Case) -> int:
        return self.samples_per_run or case.samples_per_network

    def _data(self, case: Case) -> Path:
        path = self.folder / f"{case.setting.dataset}.pt"
        if not path.exists():
            torch.save(tuple(case.examples()), path)
        return path


def snakemake(*arguments: str, folder: Path) -> str:
    """Run Snakemake in ``folder`` with this Python and this project's code; returns what it said."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    code = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": code},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DyingReluError("Snakemake failed", found=(done.stderr or done.stdout).strip()[-2000:])
    return done.stdout + done.stderr
