"""The study that a notebook looks at."""

import os
from pathlib import Path

from pyarrow.parquet import read_metadata

from dying_relu.analysis.study_results import StudyResults
from dying_relu.errors import DyingReluError
from dying_relu.files.project import project_folder
from dying_relu.results import schemas, store

VARIABLE = "DYING_RELU_RESULTS"
"""Environment variable that names the folder of a study."""
REMEDY = "run one:  snakemake --cores all --configfile config/smoke.yaml"


class NoStudy(DyingReluError):
    """There is no study to look at."""

    def _render_traceback_(self) -> list[str]:
        """The message alone, which IPython shows in place of a traceback."""
        return [f"error: {self}"]


def latest_study() -> StudyResults:
    """The study that the environment variable names, or else the one that was run last.

    Raises:
        NoStudy: the named folder has no results, no study in ``results`` is of this version, or its table of runs cannot be read.
    """
    study = StudyResults(_named() or _latest())
    try:
        study.table("runs")
    except DyingReluError as error:
        raise NoStudy(str(error)) from error
    return study


def _named() -> Path | None:
    named = os.environ.get(VARIABLE)
    if named and not Path(named, "runs.parquet").exists():
        raise NoStudy(
            f"{VARIABLE} names a folder that has no runs.parquet",
            found=named,
            expected="a folder such as results/smoke",
        )
    return Path(named) if named else None


def _latest() -> Path:
    tables = (project_folder() / "results").glob("*/runs.parquet")
    folders = [table.parent for table in sorted(tables, key=lambda table: table.stat().st_mtime)]
    current = [folder for folder in folders if _is_of_this_version(folder / "runs.parquet")]
    if not current:
        old = ", ".join(folder.name for folder in folders)
        raise NoStudy(
            "no study of this version has been run yet" if old else "no study has been run yet",
            found=f"only tables of an earlier version, in results/{old}" if old else "",
            remedy=REMEDY,
        )
    return current[-1]


def _is_of_this_version(table: Path) -> bool:
    """Whether a table has this version's columns; of one that cannot be read it is said when it is read."""
    try:
        metadata = read_metadata(table).metadata or {}
    except store.UNREADABLE:
        return True
    return metadata.get(store.SCHEMA_VERSION, b"1") == str(schemas.VERSION).encode()
