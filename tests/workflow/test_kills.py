"""A study that is killed at random moments ends, when it is started again, with the bits of an undisturbed one.

One round of three kills by default, over a small study that is mostly training. ``tests/README.md`` says how to make many, over the
smoke study from the data to the PDF, and what came of it.
"""

import os
import random
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import killed_study
import pytest
from killed_study import KilledStudy

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kills")]

STUDY = killed_study.STUDIES[os.environ.get("KILLED_STUDY", "small")]
ROUNDS = int(os.environ.get("ROUNDS", "1"))
FIRST = int(os.environ.get("FIRST_ROUND", "0"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> KilledStudy:
    """A study that was left alone, but for a second Snakemake that wanted to run it too."""
    study = KilledStudy(tmp_path_factory.mktemp("undisturbed") / "project", STUDY)
    first = study.start()
    while not killed_study.jobs(first.pid):
        assert first.poll() is None
        time.sleep(0.05)
    # The first one waits meanwhile: else it may end before the second one asks for its lock.
    first.send_signal(signal.SIGSTOP)
    second = study.copy.run(*study.command)
    first.send_signal(signal.SIGCONT)
    said, _ = first.communicate()
    assert first.returncode == 0, said
    assert second.returncode == 1
    assert "Directory cannot be locked" in second.stderr + second.stdout
    assert study.hidden() == []
    return study


def kinds(chance: random.Random) -> list[str]:
    """What to kill: each as often, in any order, and the group last, so that no other leaves a state behind."""
    all_but_one = (["snakemake", "job", "group"] * STUDY.kills)[: STUDY.kills - 1]
    return [*chance.sample(all_but_one, len(all_but_one)), "group"]


class Moment(NamedTuple):
    """After a kill: when which job was done, and which were begun and not done."""

    done: dict[str, int]
    in_flight: set[str]


def kill_again_and_again(study: KilledStudy, chance: random.Random, jobs: int) -> list[Moment]:
    """Kill ``study``, which has so many ``jobs``, again and again."""
    moments, planned = [Moment(study.times(), set())], kinds(chance)
    at_once = 2 * (jobs - len(study.times())) // len(planned)
    for number, kind in enumerate(planned, start=1):
        done = moments[-1].done
        in_training = chance.random() < 0.5
        if number == len(planned):
            study.wait_for_orphans()
            in_training = True
        # By the number of jobs, and not of seconds, which depend on what else the machine has to do.
        further = min(len(done) + chance.randint(0, at_once), jobs - 1)
        if in_training and not study.planned <= set(done):
            hit = study.kill(kind, None, chance.uniform(0.0, 0.5))
        else:
            hit = study.kill(kind, further, chance.uniform(0.0, 4.0))
        moments.append(Moment(study.times(), study.in_flight()))
        at = f"killed during {', '.join(hit.elements())}" if hit else "missed"
        print(
            f"{kind} {at}: {len(study.times())} of {jobs} jobs done, {len(study.states())} states", flush=True
        )
    return moments


def made_again(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """The jobs that were done before, and done anew since."""
    return {name for name, when in before.items() if after.get(name) != when}


def require_nothing_else_again(moments: list[Moment]) -> None:
    """What was in flight at a kill runs again, at the next start or, if that is killed too, at a later one; nothing else does."""
    waiting: set[str] = set()
    for before, after in pairwise(moments):
        again = made_again(before.done, after.done)
        print(f"made again: {', '.join(sorted(again)) or 'nothing'}")
        assert again <= waiting
        assert len(after.in_flight - before.in_flight) <= killed_study.CORES
        waiting |= after.in_flight


@pytest.mark.parametrize("number", range(FIRST, FIRST + ROUNDS))
def test_a_study_killed_again_and_again_ends_as_if_it_were_not(
    number: int, tmp_path: Path, undisturbed: KilledStudy
) -> None:
    study = KilledStudy(tmp_path / "project", STUDY)
    moments = kill_again_and_again(study, random.Random(number), len(undisturbed.times()))
    half_done = set(study.states())
    study.finish()
    study.wait_for_orphans()
    print(f"gone on from a saved state: {len(study.gone_on)} times")
    assert half_done <= set(study.resumed())
    require_nothing_else_again([*moments, Moment(study.times(), study.in_flight())])
    assert study.hidden() == []
    found, expected = study.contents(), undisturbed.contents()
    assert sorted(found) == sorted(expected), "nothing is missing and nothing left over"
    assert [name for name, bits in found.items() if bits != expected[name]] == []
