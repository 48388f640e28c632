"""A study that is killed at random moments ends, when it is started again, with the bits of an undisturbed one.

A few kills by default; ``KILLS=40 pytest tests/workflow/test_kills.py`` makes as many as one likes.
"""

import os
import random
import time
from pathlib import Path

import killed_study
import pytest
from project_copy import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kills")]

KILLS = int(os.environ.get("KILLS", len(killed_study.KINDS)))
EARLIEST, LATEST = 2.0, 9.0
"""Seconds after the start: from the first jobs to the last."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The tables of a study that was left alone, but for a second Snakemake that wanted to run it too."""
    copy = killed_study.project(tmp_path_factory.mktemp("undisturbed") / "project")
    first = killed_study.start(copy)
    while not list(copy.folder.glob("results/killed/logs/train/*.log")):
        assert first.poll() is None
        time.sleep(0.05)
    second = copy.run(*killed_study.COMMAND)
    said, _ = first.communicate()
    assert first.returncode == 0, said
    assert second.returncode == 1
    assert "Directory cannot be locked" in second.stderr + second.stdout
    return killed_study.tables(copy)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return killed_study.project(tmp_path / "project")


@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_study_goes_on(number: int, project: Project, undisturbed: dict[str, bytes]) -> None:
    kind = killed_study.KINDS[number % len(killed_study.KINDS)]
    moment = random.Random(number).uniform(EARLIEST, LATEST)
    hit = killed_study.kill(kind, moment, project)
    done = killed_study.times(project)
    said = killed_study.finish(project)
    print(f"{kind} after {moment:.1f} s: {'hit' if hit else 'missed'} with {len(done)} shards done\n{said}")
    assert killed_study.tables(project) == undisturbed
    made_again = {name for name, when in done.items() if killed_study.times(project)[name] != when}
    assert len(made_again) <= killed_study.CORES, "only what was in flight runs again"
