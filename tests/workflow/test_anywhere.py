"""A study has the same bits wherever its files lie and its jobs run: in object storage, and through any command that submits.

Slurm has a file of its own. The study is a small one; what it leaves out are networks, not kinds of jobs.
"""

import hashlib
import shutil
from pathlib import Path

import object_storage
import pytest
from project_copy import Project

from dying_relu.plan.study import load
from dying_relu.results import schemas

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).with_name("anywhere.yaml")
STUDY = "config/anywhere.yaml"
RESULTS = "results/anywhere"
SHARDS = [shard.name for shard in load(SOURCE).shards]
# A simulation of two: the other is the same kind of job and takes a fifth of all the time.
BITS = [*(f"{table}.parquet" for table in [*schemas.TABLES, "born_dead"]), "claims.csv"]
TARGETS = ["train", "claims", f"{RESULTS}/born_dead.parquet"]
SUBMIT = """#!/bin/sh
# A cluster of one machine: runs the script that is handed in, in the background, and says the number of its job.
nohup sh "$1" > /dev/null 2>&1 &
echo $! | tee -a submitted
"""


def project_with_study(folder: Path) -> Project:
    """A copy of the project with the small study."""
    project = Project(folder)
    shutil.copy2(SOURCE, folder / STUDY)
    return project


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digests(project: Project) -> dict[str, str]:
    """SHA-256 sums of the study's tables and verdicts in a project's folder."""
    return {name: digest((project.folder / RESULTS / name).read_bytes()) for name in BITS}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study, as far as the verdicts, run by this machine in a folder."""
    project = project_with_study(tmp_path_factory.mktemp("local") / "project")
    project.link_data("mnist")
    done = project.snakemake(*TARGETS, study=STUDY)
    assert done.returncode == 0, done.stderr
    return project


def test_object_storage_holds_the_whole_study(local: Project, tmp_path: Path) -> None:
    elsewhere = project_with_study(tmp_path / "project")
    with object_storage.served() as storage:
        for path in (local.folder / "data").glob("*.safetensors*"):
            storage.put(path, f"data/{path.name}")
        done = elsewhere.snakemake(*storage.options, study=STUDY)
        assert done.returncode == 0, done.stderr
        assert {name: digest(storage.read(f"{RESULTS}/{name}")) for name in BITS} == digests(local)
        assert storage.read(f"{RESULTS}/paper.pdf").startswith(b"%PDF")
        assert {f"{RESULTS}/shards/{shard}/runs.parquet" for shard in SHARDS} <= storage.names()
        # What is tracked in the repository is not looked for in the bucket.
        assert not {name for name in storage.names() if name.startswith(("config/", "results/published/"))}
        again = elsewhere.snakemake(*storage.options, study=STUDY)
        assert again.returncode == 0, again.stderr
        assert "Nothing to be done" in again.stdout + again.stderr
    assert not (elsewhere.folder / RESULTS / "runs.parquet").exists()


def test_a_scheduler_gets_every_job_through_its_command(local: Project, tmp_path: Path) -> None:
    elsewhere = project_with_study(tmp_path / "project")
    elsewhere.link_data("mnist")
    submit = tmp_path / "submit"
    submit.write_text(SUBMIT, encoding="utf-8")
    submit.chmod(0o755)
    options = [
        *("--workflow-profile", "workflow/profiles/generic", "--jobs", "2", "--latency-wait", "5"),
        *("--cluster-generic-submit-cmd", str(submit), "--configfile", STUDY),
    ]
    done = elsewhere.run("snakemake", *TARGETS, *options)
    assert done.returncode == 0, done.stderr
    assert digests(elsewhere) == digests(local)
    # All shards together, the tables, the simulation; the verdicts are settled where Snakemake runs.
    assert len((elsewhere.folder / "submitted").read_text(encoding="utf-8").split()) == 3
    assert not elsewhere.would_run(*TARGETS, study=STUDY)
