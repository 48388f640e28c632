"""Where a study's numbers come from: commit, configuration, versions of libraries, machine, time; kept beside its tables.

The record is made when the tables are, so that a paper that is typeset later or elsewhere from the same tables says the same.
"""

import hashlib
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd

from dying_relu import origin, results, schemas, study, sums
from dying_relu.atomic import atomic_path
from dying_relu.errors import DyingReluError
from dying_relu.sums import sha256

NAME = "provenance.json"
LIBRARIES = (*origin.LIBRARIES, "torchvision", "matplotlib", "snakemake")
DEFAULT_CONFIGURATION = Path("config/config.yaml")


def record(results_folder: Path, configuration_path: Path, out: Path) -> None:
    """Write to ``out`` where the tables of a study come from, which have just been made; :func:`read` looks for ``NAME`` beside them."""
    configuration = study.load(configuration_path).fingerprint
    _require_made_alike(results_folder, configuration)
    found = {
        "commit": commit(configuration_path.resolve().parent),
        "command": command(configuration_path),
        "configuration": configuration,
        "versions": versions(),
        "hardware": {"cpu": cpu_model(), "cores": os.cpu_count(), "memory_bytes": _memory()},
        "training": _training(results_folder / "benchmarks" / "train"),
        "sha256": {path.name: sha256(path) for path in sorted(results_folder.glob("*.parquet"))},
    }
    with atomic_path(out) as beside:
        beside.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _require_made_alike(results_folder: Path, configuration: str) -> None:
    """Raise an error unless the study's tables are of its configuration, and of one code, data and libraries."""
    first = None
    for name in schemas.TABLES:
        path = results_folder / f"{name}.parquet"
        made_of = results.origin(path)
        first = first or made_of
        expected = first | {"configuration": configuration}
        if differing := [part for part in expected if made_of.get(part) != expected[part]]:
            raise DyingReluError(
                f"{path} was not made with the other tables of its study, or not for this configuration",
                found=f"another {', '.join(differing)}",
                remedy="delete it and run the study again",
            )


def describe(path: Path) -> dict[str, str]:
    """Where the numbers of the table at ``path`` come from, line by line; with its study's record if that is of this very table."""
    if path.suffix != ".parquet":
        raise DyingReluError(
            f"{path} is not a table of a study",
            expected="a .parquet file, such as results/default/runs.parquet",
        )
    sums.check(path)
    said = origin.described(results.origin(path))
    kept = path.parent / NAME
    if kept.is_file() and (record := read(path.parent))["sha256"].get(path.name) == sha256(path):
        machine = record["hardware"]
        said |= {
            "commit": record["commit"],
            "made with": record["command"],
            "machine": f"{machine['cpu']}, {machine['cores']} cores",
        }
    return said


def read(results_folder: Path) -> dict[str, Any]:
    """What :func:`record` wrote into ``results_folder``."""
    path = results_folder / NAME
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise DyingReluError(
            f"no record of where the numbers come from at {path}",
            remedy="run the study: snakemake --cores all",
        ) from error
    except ValueError as error:
        raise DyingReluError(
            f"{path} is damaged", found=str(error), remedy="delete it and run the study again"
        ) from error


def fingerprint(results_folder: Path) -> str:
    """SHA-256 of the record but for the times: a study that is repeated on the same machine has the same, and so has its PDF."""
    timeless = {key: value for key, value in read(results_folder).items() if key != "training"}
    return hashlib.sha256(json.dumps(timeless, sort_keys=True).encode()).hexdigest()


def check(results_folder: Path) -> None:
    """Raise an error unless every table in ``results_folder`` is the one that was recorded."""
    for name, recorded in read(results_folder)["sha256"].items():
        path = results_folder / name
        found = sha256(path) if path.is_file() else "no file"
        if found != recorded:
            raise DyingReluError(
                f"{path} is not the table that was recorded",
                found=found,
                expected=recorded,
                remedy=f"get the original back, for example with `git checkout {path}`",
            )


def require_configuration(results_folder: Path, configuration_path: Path) -> None:
    """Raise an error unless the study in ``results_folder`` is the one that the file ``configuration_path`` describes."""
    recorded, described = (
        read(results_folder)["configuration"],
        study.load(configuration_path).fingerprint,
    )
    if recorded != described:
        raise DyingReluError(
            f"{configuration_path} is not the configuration of the study in {results_folder}",
            found=described,
            expected=recorded,
            remedy="give the study's own file with --config",
        )


def commit(folder: Path) -> str:
    """The commit that is checked out in ``folder``, with "modified" after it where tracked files differ from it.

    What studies make, in ``results``, does not count. "unknown" without git, outside of a repository, and where the repository is not
    this project's.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    head = _git(folder, "rev-parse", "--short=10", "HEAD")
    if not head or not (Path(top) / "src" / "dying_relu").is_dir():
        return origin.UNKNOWN
    changed = _git(
        folder, "status", "--porcelain", "--untracked-files=no", "--", ":(top)", ":(top,exclude)results"
    )
    return f"{head}, modified" if changed else head


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
    """Python and the libraries that the paper depends on, with their versions."""
    return {"Python": platform.python_version(), **origin.versions(*LIBRARIES)}


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, model = line.partition(":")
            if key.strip() == "model name":
                return model.strip()
    return platform.processor() or platform.machine() or origin.UNKNOWN


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _training(benchmarks: Path) -> dict[str, float] | None:
    """Number, seconds and largest memory of the training jobs, as Snakemake measured them; None if it did not."""
    measured = [pd.read_csv(path, sep="\t", na_values="-") for path in sorted(benchmarks.glob("*.tsv"))]
    if not measured:
        return None
    jobs = pd.concat(measured)
    return {
        "jobs": len(jobs),
        "seconds": float(jobs["s"].sum()),
        "largest_memory_mebibytes": float(jobs["max_rss"].max()),
    }
