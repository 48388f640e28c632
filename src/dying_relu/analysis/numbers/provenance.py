"""Where a study's numbers come from: commit, versions of libraries, machine, time, command."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from dying_relu.analysis import formatting
from dying_relu.analysis.numbers.macro import Macro, macro, words

LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "matplotlib",
    "snakemake",
)
UNKNOWN = "unknown"
DEFAULT_CONFIGURATION = Path("config/config.yaml")


def provenance(results_folder: Path, configuration_path: Path) -> dict[str, Macro]:
    """Macros that say how these numbers came about and how to make them again."""
    return {
        "StudyCommit": words(commit(configuration_path.resolve().parent)),
        "StudyCommand": words(command(configuration_path)),
        "HardwareCpu": words(cpu_model()),
        "HardwareCores": macro(os.cpu_count(), "number"),
        "HardwareMemory": Macro(*_memory()),
        **_training(results_folder / "benchmarks" / "train"),
    }


def commit(folder: Path) -> str:
    """The commit that is checked out in ``folder``, with "modified" after it where tracked files differ from it.

    "unknown" without git, outside of a repository, and where the repository is not this project's.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    head = _git(folder, "rev-parse", "--short=10", "HEAD")
    if not head or not (Path(top) / "src" / "dying_relu").is_dir():
        return UNKNOWN
    return f"{head}, modified" if _git(folder, "status", "--porcelain", "--untracked-files=no") else head


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def command(configuration_path: Path) -> str:
    """What to type to make the paper of a study again.

    >>> command(Path("config/smoke.yaml"))
    'snakemake --cores all --configfile config/smoke.yaml'
    """
    path = configuration_path
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return (
        "make paper"
        if path == DEFAULT_CONFIGURATION
        else f"snakemake --cores all --configfile {path.as_posix()}"
    )


def versions() -> dict[str, str]:
    """Python and the libraries that the results depend on, with their versions."""
    found = {"Python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = UNKNOWN
    return found


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, model = line.partition(":")
            if key.strip() == "model name":
                return model.strip()
    return platform.processor() or platform.machine() or UNKNOWN


def _memory() -> tuple[float | None, str]:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return None, formatting.NOT_MEASURED
    return size, rf"\qty{{{size:.0f}}}{{\gibi\byte}}"


def _training(benchmarks: Path) -> dict[str, Macro]:
    """Time and memory of the training jobs, as Snakemake measured them."""
    measured = [pd.read_csv(path, sep="\t", na_values="-") for path in sorted(benchmarks.glob("*.tsv"))]
    if not measured:
        missing = Macro(None, formatting.NOT_MEASURED)
        return {"TrainingJobs": missing, "TrainingTime": missing, "TrainingMemory": missing}
    jobs = pd.concat(measured)
    seconds, memory = float(jobs["s"].sum()), float(jobs["max_rss"].max())
    return {
        "TrainingJobs": macro(len(jobs), "number"),
        "TrainingTime": Macro(seconds, _duration(seconds)),
        "TrainingMemory": Macro(memory, rf"\qty{{{memory / 1024:.1f}}}{{\gibi\byte}}"),
    }


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 2:
        return rf"\qty{{{seconds:.0f}}}{{\second}}"
    return rf"\qty{{{minutes:.0f}}}{{\minute}}" if minutes < 120 else rf"\qty{{{minutes / 60:.1f}}}{{\hour}}"
