"""The record of a study: commit, configuration, versions of libraries, machine, time; kept beside its tables.

The record is made when the tables are, so that a paper that is typeset later or elsewhere from the same tables says the same.
"""

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.files.atomic import atomic_path
from dying_relu.files.checksums import sha256
from dying_relu.plan import memory, resources, study
from dying_relu.results import origin, plan_digest, schemas, store
from dying_relu.results.commit import commit
from dying_relu.results.simulation_schemas import SIMULATIONS

NAME = "provenance.json"
LIBRARIES = (*origin.LIBRARIES, "torchvision", "matplotlib", "snakemake")
DEFAULT_CONFIGURATION = Path("config/config.yaml")


class Hardware(BaseModel):
    """The machine, as the record has it."""

    cpu: str
    cores: int | None
    memory_bytes: int | None


class Record(BaseModel):
    """The record, as it is read."""

    commit: str
    command: str
    configuration: str
    plan: str | None = None
    schema_version: int = 1
    versions: dict[str, str]
    hardware: Hardware
    training: dict[str, float | None] | None
    sha256: dict[str, str]


def record(results_folder: Path, configuration_path: Path, out: Path) -> None:
    """Write the record of a study whose tables have just been made.

    Args:
        results_folder: the tables'.
        configuration_path: the study's file.
        out: JSON file to write; :func:`read` looks for ``NAME`` beside the tables.

    Raises:
        DyingReluError: the tables were not made together, or not for this configuration.
    """
    configuration = study.load(configuration_path).fingerprint
    _require_made_together(results_folder, configuration)
    content = {
        "commit": commit(configuration_path.resolve().parent),
        "command": command(configuration_path),
        "configuration": configuration,
        "plan": plan_digest.of_project(),
        "schema_version": schemas.VERSION,
        "versions": versions(),
        "hardware": {"cpu": cpu_model(), "cores": os.cpu_count(), "memory_bytes": memory.of_machine()},
        "training": resources.training(results_folder / "benchmarks" / "train"),
        "sha256": {path.name: sha256(path) for path in sorted(results_folder.glob("*.parquet"))},
    }
    with atomic_path(out) as scratch:
        scratch.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    checksums.write_beside(out)


def _require_made_together(results_folder: Path, configuration: str) -> None:
    """Raise an error unless the tables are those that were made, of one code, data and libraries, and for this configuration."""
    of_study = store.origin_of_study(results_folder)
    first = results_folder / f"{next(iter(schemas.TABLES))}.parquet"
    origin.require_same(first, of_study, of_study | {"configuration": configuration})
    for name in schemas.TABLES | SIMULATIONS:
        path = results_folder / f"{name}.parquet"
        checksums.check(path)
        own = store.origin_of(path)
        origin.require_same(path, own, own | {"libraries": of_study["libraries"]})


def describe(path: Path) -> dict[str, str]:
    """Describe the origin of a table, line by line; with its study's record if that is of this very table."""
    if path.suffix not in (".parquet", ".csv"):
        raise DyingReluError(
            f"{path} is not a table of a study",
            expected="a .parquet file, such as results/default/runs.parquet, or claims.csv",
        )
    checksums.check(path)
    if path.suffix == ".csv":
        return _first_row(path)
    lines = origin.described(store.origin_of(path))
    kept = path.parent / NAME
    if kept.is_file() and (record := read(path.parent))["sha256"].get(path.name) == sha256(path):
        machine = record["hardware"]
        lines |= {
            "commit": record["commit"],
            "made with": record["command"],
            "machine": f"{machine['cpu']}, {machine['cores']} cores",
        }
    return lines


def _first_row(path: Path) -> dict[str, str]:
    """Read the origin that a CSV file repeats in every row."""
    try:
        row = pd.read_csv(path, nrows=1, dtype=str).iloc[0]
        return {part: str(row[part]) for part in origin.PARTS}
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise DyingReluError(
            f"{path} does not say what its numbers follow from",
            found=str(error),
            expected="a table of verdicts, such as results/default/claims.csv",
        ) from error


def read(results_folder: Path) -> dict[str, Any]:
    """Read the record that :func:`record` wrote into a folder of tables."""
    path = results_folder / NAME
    checksums.check(path)
    try:
        return Record.model_validate_json(path.read_bytes()).model_dump()
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
    """SHA-256 of the record without its times: a study that is repeated on the same machine has the same, and so has its PDF."""
    # The version of the schemas follows from the tables, whose sums are in the record, and the plan from the commit.
    left_out = ("training", "schema_version", "plan")
    timeless = {key: value for key, value in read(results_folder).items() if key not in left_out}
    return hashlib.sha256(json.dumps(timeless, sort_keys=True).encode()).hexdigest()


def check(results_folder: Path) -> None:
    """Check that every table in a folder is the one that was recorded.

    Raises:
        DyingReluError: one is another, or missing; the message names it.
    """
    for name, recorded in read(results_folder)["sha256"].items():
        path = results_folder / name
        present = sha256(path) if path.is_file() else "no file"
        if present != recorded:
            raise DyingReluError(
                f"{path} is not the table that was recorded",
                found=present,
                expected=recorded,
                remedy=f"get the original back, for example with `git checkout {path}`",
            )


def require_configuration(results_folder: Path, configuration_path: Path) -> None:
    """Check that a study is the one that a file describes.

    Args:
        results_folder: the study's tables, with their record.
        configuration_path: a study's file.

    Raises:
        DyingReluError: it is another.
    """
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


def command(configuration_path: Path) -> str:
    """The command that makes the paper of a study again.

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
