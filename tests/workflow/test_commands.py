"""Snakemake in an environment that was not activated: rules find their commands, and pipes still fail with their first command."""

import os
import subprocess
from pathlib import Path

import pytest
from project_copy import ENVIRONMENT, ROOT, Project

pytestmark = pytest.mark.slow

BARE = "/usr/bin:/bin"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def without_activation(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake by its path, with none of its environment's commands on the search path."""
    code = os.pathsep.join(str(project.folder / folder) for folder in ("src", "workflow/logger"))
    return subprocess.run(
        [ENVIRONMENT / "snakemake", *arguments, "--cores", "1", "--configfile", "config/smoke.yaml"],
        cwd=project.folder,
        env=os.environ | {"PATH": BARE, "PYTHONPATH": code},
        capture_output=True,
        text=True,
        check=False,
    )


def test_rules_find_their_commands(project: Project) -> None:
    table = "paper/generated/smoke/performance.tex"
    done = without_activation(project, table)
    assert done.returncode == 0, done.stderr
    assert (project.folder / table).is_file()


def test_a_failure_before_a_pipe_is_one(project: Project) -> None:
    results = project.folder / "results"
    (results / "smoke").mkdir()
    for folder in ("smoke", "published"):
        for name in ("runs.parquet", "claims.csv"):
            (results / folder / name).write_text("damaged", encoding="utf-8")
    published = ROOT / "results" / "published" / "provenance.json"
    (results / "published" / "provenance.json").write_bytes(published.read_bytes())
    done = without_activation(project, "verify", "--allowed-rules", "verify")
    assert done.returncode == 1
    log = (results / "smoke" / "logs" / "verify.log").read_text(encoding="utf-8")
    assert "error: " in log
