"""A study that is killed at random moments ends, when it is started again, with the bits of an undisturbed one.

One round of three kills by default; ``ROUNDS=14 pytest tests/workflow/test_kills.py -s`` makes 42, and says what it hit.
"""

import os
import random
import time
from itertools import pairwise
from pathlib import Path

import killed_study
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kills")]

ROUNDS = int(os.environ.get("ROUNDS", "1"))
EARLIEST, LATEST = 2.0, 9.0
"""Seconds after the start: from the first jobs to the last ones. Half of the kills wait for training to begin."""


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


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_study_killed_again_and_again_ends_as_if_it_were_not(
    number: int, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    project, chance = killed_study.project(tmp_path / "project"), random.Random(number)
    done = [killed_study.times(project)]
    for kind in (*chance.sample(["snakemake", "job"], 2), "group"):
        in_training = chance.random() < 0.5
        if kind == "group":
            # So that no other than the group leaves a state behind.
            killed_study.wait_for_orphans(project)
            in_training = True
        moment = chance.uniform(0.0, 0.5) if in_training else chance.uniform(EARLIEST, LATEST)
        hit = killed_study.kill(kind, moment, project, in_training=in_training)
        done.append(killed_study.times(project))
        print(f"{kind} {'killed' if hit else 'missed'}, {len(done[-1])} shards done")
    half_done = killed_study.states(project)
    print(killed_study.finish(project))
    print(f"{len(half_done)} shards had left a saved state")
    assert killed_study.resumed(project) == half_done
    assert killed_study.tables(project) == undisturbed
    shards = project.folder / "results/killed/shards"
    assert {path.name for path in shards.iterdir()} == set(killed_study.times(project)), (
        "nothing is left over"
    )
    for before, after in pairwise([*done, killed_study.times(project)]):
        made_again = {name for name, when in before.items() if after.get(name) != when}
        assert len(made_again) <= killed_study.CORES, "only what was in flight runs again"
