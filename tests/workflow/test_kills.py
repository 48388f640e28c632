"""A study that is killed at random moments ends, when it is started again, with the bits of an undisturbed one.

One round of three kills by default, over a small study that is mostly training. ``tests/README.md`` says how to make many, over the
smoke study from the data to the PDF, and what came of it.
"""

import os
import random
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
EARLIEST = 2.0
"""Seconds after the start, when Snakemake is reading its rules. The latest moment is half the time that the study takes undisturbed."""


class Undisturbed(NamedTuple):
    contents: dict[str, bytes]
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What a study makes that is left alone, but for a second Snakemake that wants to run it too."""
    study = KilledStudy(tmp_path_factory.mktemp("undisturbed") / "project", STUDY)
    started = time.monotonic()
    first = study.start()
    while not study.logs():
        assert first.poll() is None
        time.sleep(0.05)
    second = study.copy.run(*study.command)
    said, _ = first.communicate()
    assert first.returncode == 0, said
    assert second.returncode == 1
    assert "Directory cannot be locked" in second.stderr + second.stdout
    assert study.hidden() == []
    return Undisturbed(study.contents(), time.monotonic() - started)


def kinds(chance: random.Random) -> list[str]:
    """What to kill: each as often, in any order, and the group last, so that no other leaves a state behind."""
    all_but_one = (["snakemake", "job", "group"] * STUDY.kills)[: STUDY.kills - 1]
    return [*chance.sample(all_but_one, len(all_but_one)), "group"]


def kill_again_and_again(study: KilledStudy, chance: random.Random, latest: float) -> list[dict[str, int]]:
    """Kill ``study`` at moments until ``latest``; which jobs were done before, between and after."""
    done, planned = [study.times()], kinds(chance)
    for number, kind in enumerate(planned, start=1):
        in_training = chance.random() < 0.5
        if number == len(planned):
            study.wait_for_orphans()
            in_training = True
        in_training &= "aggregate" not in done[-1]
        moment = chance.uniform(0.0, 0.5) if in_training else chance.uniform(EARLIEST, latest)
        hit = study.kill(kind, moment, in_training=in_training)
        done.append(study.times())
        at = f"killed during {', '.join(hit.elements())}" if hit else "missed"
        print(f"{kind} {at}: {len(done[-1])} jobs done, {len(study.states())} states left")
    return done


def made_again(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """The jobs that were done before, and done anew since."""
    return {name for name, when in before.items() if after.get(name) != when}


@pytest.mark.parametrize("number", range(FIRST, FIRST + ROUNDS))
def test_a_study_killed_again_and_again_ends_as_if_it_were_not(
    number: int, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    study = KilledStudy(tmp_path / "project", STUDY)
    done = kill_again_and_again(study, random.Random(number), undisturbed.seconds / 2)
    half_done = set(study.states())
    study.finish()
    study.wait_for_orphans()
    again = [made_again(*two) for two in pairwise([*done, study.times()])]
    print(
        f"made again: {[sorted(names) for names in again]}; gone on from a saved state: {len(study.gone_on)}"
    )
    assert half_done <= set(study.resumed())
    assert max(map(len, again)) <= killed_study.CORES, "only what was in flight runs again"
    assert study.hidden() == []
    found = study.contents()
    assert sorted(found) == sorted(undisturbed.contents), "nothing is missing and nothing left over"
    assert [name for name, bits in found.items() if bits != undisturbed.contents[name]] == []
