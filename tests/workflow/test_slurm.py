"""The same study on a Slurm cluster, a real one of this machine alone: the same bits, also when a job is killed."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import slurm_cluster
from killed_study import SAVE_OFTEN, STUDIES, KilledStudy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(slurm_cluster.why_not()), reason=slurm_cluster.why_not()),
]

COMMAND = (
    *(
        "snakemake",
        "train",
        "--configfile",
        "config/killed.yaml",
        "--workflow-profile",
        "workflow/profiles/slurm",
    ),
    # This cluster keeps no accounts, is asked often, and has one shard in a job, so that there are several jobs.
    *(
        "--slurm-no-account",
        "--slurm-status-command",
        "squeue",
        "--slurm-init-seconds-before-status-checks",
        "1",
    ),
    *("--group-components", "shards=1"),
)


@pytest.fixture(scope="module", autouse=True)
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    slurm_cluster.install()
    with slurm_cluster.cluster(tmp_path_factory.mktemp("cluster")):
        yield


def _kill_a_training(folder: Path) -> None:
    """As soon as one has saved where it is."""
    while True:
        time.sleep(0.05)
        if not list(folder.glob("results/killed/shards/*.state")):
            continue
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                if words[1:2] and words[1].endswith("dying-relu") and Path(process.cwd()) == folder:
                    process.kill()
                    return
            except psutil.Error:
                continue


def _slurm_jobs() -> list[list[str]]:
    """State, cores, memory and time limit of all jobs so far."""
    done = subprocess.run(
        ["squeue", "--noheader", "--states=all", "--format=%T %C %m %l"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split() for line in done.stdout.splitlines()]


def test_a_study_on_a_cluster_has_the_bits_of_a_local_one(tmp_path: Path) -> None:
    local, cluster = (KilledStudy(tmp_path / name, STUDIES["small"]) for name in ("local", "cluster"))
    local.finish()
    process = cluster.copy.start(*COMMAND, **SAVE_OFTEN)
    _kill_a_training(cluster.copy.folder)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert cluster.contents() == local.contents()
    assert cluster.resumed()
    jobs = _slurm_jobs()
    states = [state for state, *_ in jobs]
    # Two shards in two jobs, one of which was killed and tried again; then their tables are put together.
    assert sorted(states) == ["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"], (jobs, said)
    assert {cores for _, cores, _, _ in jobs} == {"1"}


def test_a_gpu_is_asked_for_if_the_study_wants_one(tmp_path: Path) -> None:
    """This cluster has none and says so; what it was asked for is in Snakemake's verbose output."""
    project = KilledStudy(tmp_path / "project", STUDIES["small"]).copy
    project.append("config/killed.yaml", "device: cuda\n")
    done = project.run(*COMMAND, "--jobs", "1", "--retries", "0", "--verbose")
    assert done.returncode == 1
    assert "--gpus=1" in done.stderr + done.stdout
