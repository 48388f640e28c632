"""A small study that is killed as it runs, and what must be true of it afterwards."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
from project_copy import ROOT, Project

from dying_relu import schemas

STUDY = """
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
CORES = 2
COMMAND = ["snakemake", "train", "--cores", str(CORES), "--rerun-incomplete", "--configfile", "killed.yaml"]
SAVE_OFTEN = {"DYING_RELU_SAVE_EVERY": "0.2"}


def project(folder: Path) -> Project:
    """A copy of the project with the small study; the data set is not fetched again if it is there."""
    copy = Project(folder)
    (folder / "killed.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "data").mkdir()
    if (ROOT / "data/mnist.safetensors").is_file():
        os.link((ROOT / "data/mnist.safetensors").resolve(), folder / "data/mnist.safetensors")
    return copy


def start(copy: Project) -> subprocess.Popen[str]:
    return copy.start(*COMMAND, **SAVE_OFTEN)


def finish(copy: Project) -> str:
    """Run the study to its end, which must be a good one; what was said."""
    process = start(copy)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


def tables(copy: Project) -> dict[str, bytes]:
    return {name: (copy.folder / f"results/killed/{name}.parquet").read_bytes() for name in schemas.TABLES}


def times(copy: Project) -> dict[str, int]:
    """When the first table of each finished shard was written."""
    shards = copy.folder.glob("results/killed/shards/*/runs.parquet")
    return {path.parent.name: path.stat().st_mtime_ns for path in shards}


def resumed(copy: Project) -> set[str]:
    """The shards whose last job went on from a saved state."""
    logs = copy.folder.glob("results/killed/logs/train/*.log")
    return {path.stem for path in logs if "going on from step" in path.read_text(encoding="utf-8")}


def states(copy: Project) -> set[str]:
    """The shards that have left a saved state."""
    return {path.stem for path in copy.folder.glob("results/killed/shards/*.state")}


def kill(kind: str, after: float, copy: Project, *, in_training: bool = False) -> bool:
    """Start the study and, after so many seconds, kill Snakemake (its jobs live on), a training job or the whole group.

    The seconds count from the first saved state if so wanted. False if there was nobody (any more) to kill.
    """
    process = start(copy)
    while in_training and not states(copy) and process.poll() is None:
        time.sleep(0.02)
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        pass
    else:
        return False
    hit = True
    if kind == "job":
        training = jobs(process.pid)
        hit = bool(training)
        if training:
            random.choice(training).kill()
        said, _ = process.communicate()
        assert process.returncode == (1 if hit else 0) or "Nothing to be done" in said, said
    elif kind == "group":
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    else:
        process.kill()
        process.wait()
    return hit


def wait_for_orphans(copy: Project) -> None:
    """Wait until the jobs that outlived their Snakemake are done."""
    while any(_works_in(process, copy.folder) for process in psutil.process_iter()):
        time.sleep(0.1)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False


def jobs(parent: int) -> list[psutil.Process]:
    """The training processes that Snakemake has started."""
    return [
        child
        for child in psutil.Process(parent).children(recursive=True)
        if "train" in (words := child.cmdline()) and "python" in words[0]
    ]
