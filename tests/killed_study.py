"""A study that is killed as it runs, and what must be true of it afterwards."""

import base64
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from project_copy import ROOT, Project

from dying_relu.files import checksums
from dying_relu.plan.study import load as study_of
from dying_relu.results import schemas

CORES = 2
SAVE_OFTEN = {"DYING_RELU_SAVE_EVERY": "0.2"}
TIMINGS = {"logs", "benchmarks"}
"""Folders of what differs from run to run: seconds, and which process wrote a line."""
TOGETHER = {**dict.fromkeys(schemas.TABLES, "aggregate"), "numbers": "numbers"}
"""Files by their stem, of jobs that write several beside those of others."""

SMALL = """
study: killed
datasets: {mnist: {train: 1000, test: 500}}
architectures: {mlp: {kind: mlp, widths: [32, 32]}, narrow: {kind: mlp, widths: [24, 24]}}
optimisers: {sgd: {kind: sgd}, adam: {kind: adam, recycle_every: 30}}
training: {batch_size: 50, epochs: 40}
measuring: {train: 250, test: 250, checkpoints: 8}
experiments:
  causes:
    question: What is left when it is killed?
    replicates: 1
    record_units: true
    grid:
      dataset: [mnist]
      architecture: [mlp, narrow]
      optimiser: [sgd, adam]
      learning_rate: [0.01, 0.1, 1.0]
      initial_bias: [0.0, -2.0]
"""


@dataclass(frozen=True)
class Study:
    """A study to kill.

    Attributes:
        name: in its file.
        file: of a study, in the project.
        targets: of Snakemake; none: the paper.
        kills: in a round.
        trained: undisturbed, before the first kill.
    """

    name: str
    file: str
    targets: tuple[str, ...]
    kills: int
    trained: bool = False


STUDIES = {
    "small": Study("killed", "config/killed.yaml", ("train",), kills=3),
    "smoke": Study("smoke", "config/smoke.yaml", (), kills=6),
    "smoke-after-training": Study("smoke", "config/smoke.yaml", (), kills=6, trained=True),
}
"""By name: a small one of long shards, whose tables are made in seconds; the smoke study, from the data to the PDF; the same, killed
only when all is trained."""


class KilledStudy:
    """A copy of the project in ``folder``, with a study that is to be killed; data sets are not fetched again if they are there."""

    def __init__(self, folder: Path, study: Study) -> None:
        self.study, self.copy = study, Project(folder)
        if study.name == "killed":
            (folder / study.file).write_text(SMALL, encoding="utf-8")
        (folder / "data").mkdir()
        for path in (ROOT / "data").glob("*.safetensors*"):
            os.link(path.resolve(), folder / "data" / path.name)
        self.results = folder / "results" / study.name
        self.generated = folder / "paper/generated" / study.name
        self.shards = self.results / "shards"
        self.gone_on: set[tuple[str, str]] = set()
        """What jobs have said, when they went on from a saved state, by shard."""
        self.planned = {shard.name for shard in study_of(folder / study.file).shards}
        if study.trained:
            tables = [f"results/{study.name}/shards/{shard}/runs.parquet" for shard in sorted(self.planned)]
            done = self.copy.run(*self._command(tables))
            assert done.returncode == 0, done.stderr

    def _command(self, targets: Iterable[str]) -> list[str]:
        options = ["--cores", str(CORES), "--rerun-incomplete", "--configfile", self.study.file]
        return ["snakemake", *targets, *options]

    @property
    def command(self) -> list[str]:
        return self._command(self.study.targets)

    def start(self) -> subprocess.Popen[str]:
        return self.copy.start(*self.command, **SAVE_OFTEN)

    def finish(self) -> str:
        """Run the study to its end, which must be a good one; what was said."""
        process = self.start()
        said, _ = process.communicate()
        self.gone_on |= set(self.resumed().items())
        assert process.returncode == 0, said
        return said

    def files(self) -> list[Path]:
        """All that jobs have made, and left over, but for logs and times; some may be gone already, if a job is at work."""
        return [
            Path(folder) / name
            for top in (self.results, self.generated)
            for folder, _, names in os.walk(top)
            for name in sorted(names)
            if not TIMINGS & set(Path(folder).parts)
        ]

    def contents(self) -> dict[str, bytes]:
        """The bits of all that was made; of the record of what it was made with, all but how long it took."""
        found = {str(path.relative_to(self.copy.folder)): path.read_bytes() for path in self.files()}
        for name in found:
            if name.endswith("/provenance.json"):
                found[name] = json.dumps(json.loads(found[name]) | {"training": None}).encode()
        return found

    def hidden(self) -> list[Path]:
        """What somebody was writing: files and folders whose names begin with a dot."""
        folders = (self.results, self.generated)
        return [path for folder in folders for path in folder.rglob(".*")]

    def times(self) -> dict[str, int]:
        """When the first file of each job that is done was written, by the job."""
        found: dict[str, int] = {}
        for path in self.files():
            parts = path.relative_to(self.copy.folder).parts
            if not any(part.startswith(".") or part.endswith((".state", ".lock")) for part in parts):
                with suppress(FileNotFoundError):
                    found.setdefault(self._job(path), path.stat().st_mtime_ns)
        return found

    def _job(self, path: Path) -> str:
        if path.is_relative_to(self.shards) or path.parent.name == "tables":
            return path.parent.name
        # A table and its checksum are of one job.
        stem = Path(path.name.removesuffix(checksums.SUFFIX)).stem
        return TOGETHER.get(stem, stem)

    def in_flight(self) -> set[str]:
        """The jobs that Snakemake had begun, by its own account, and had not seen the end of when it was killed."""
        marks = (self.copy.folder / ".snakemake/incomplete").glob("*")
        return {self._job(self.copy.folder / base64.b64decode(mark.name).decode()) for mark in marks}

    def states(self) -> dict[str, int]:
        """The shards of which there is a saved state, and when it was saved."""
        found = {}
        for path in self.shards.glob("*.state"):
            # A job that ends deletes its own.
            with suppress(FileNotFoundError):
                found[path.stem] = path.stat().st_mtime_ns
        return found

    def logs(self) -> dict[str, Path]:
        """Of training, by shard."""
        return {path.stem: path for path in self.results.glob("logs/train/*.log")}

    def resumed(self) -> dict[str, str]:
        """The shards whose last job went on from a saved state, and what it said then."""
        return {
            shard: line
            for shard, path in self.logs().items()
            for line in path.read_text(encoding="utf-8").splitlines()
            if "going on from step" in line
        }

    def kill(self, kind: str, done: int | None, seconds: float) -> Counter[str]:
        """Start the study, wait for a moment, and kill Snakemake (its jobs live on), a job or the whole group.

        The moment is so many ``seconds`` after so many jobs are ``done``, in all; None: after the first state that is saved. Returns what
        was at work, by the command's name (of a killed job its own); nothing if there was nobody (any more) to kill.
        """
        before = self.states()
        process = self.start()
        while not (self.states().items() - before.items() if done is None else len(self.times()) >= done):
            if process.poll() is not None:
                break
            time.sleep(0.05)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            hit = kill_job(process) if kind == "job" else kill_snakemake(process, group=kind == "group")
        else:
            hit = Counter()
        self.gone_on |= set(self.resumed().items())
        return hit

    def wait_for_orphans(self) -> None:
        """Wait until the jobs that outlived their Snakemake are done."""
        while any(_works_in(process, self.copy.folder) for process in psutil.process_iter()):
            time.sleep(0.1)


def kill_snakemake(process: subprocess.Popen[str], *, group: bool) -> Counter[str]:
    """Kill Snakemake, or its whole group; what was at work."""
    at_work = Counter(jobs(process.pid).values()) or Counter(["no job"])
    if group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    return at_work


def kill_job(process: subprocess.Popen[str]) -> Counter[str]:
    """Kill a job, as soon as Snakemake has one at work, and wait until it has noticed; which."""
    while not (at_work := jobs(process.pid)) and process.poll() is None:
        time.sleep(0.02)
    hit = Counter[str]()
    for job, name in at_work.items():
        # It may have ended by itself meanwhile.
        with suppress(psutil.NoSuchProcess):
            job.kill()
            hit[name] += 1
            break
    said, _ = process.communicate()
    assert process.returncode == (1 if hit else 0) or "Nothing to be done" in said, said
    return hit


def jobs(parent: int) -> dict[psutil.Process, str]:
    """The jobs that Snakemake has started, and the name of the command that each runs."""
    found: dict[psutil.Process, str] = {}
    children: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(parent).children(recursive=True)
    for child in children:
        try:
            words = child.cmdline()
        except psutil.Error:
            continue
        # Not the shells around them.
        if len(words) > 2 and "python" in words[0] and words[1].endswith("/dying-relu"):
            found[child] = words[2]
    return found


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False
