"""A study that is killed at random moments ends, when it is started again, with the bits of an undisturbed one.

One round of three kills by default, over a small study that is mostly training. ``tests/README.md`` says how to make many, over the
smoke study from the data to the PDF, and what came of it.
"""

import os
import random
import time
from itertools import pairwise
from pathlib import Path

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
    while not study.logs():
        assert first.poll() is None
        time.sleep(0.05)
    second = study.copy.run(*study.command)
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


def kill_again_and_again(study: KilledStudy, chance: random.Random, jobs: int) -> list[dict[str, int]]:
    """Kill ``study``, which has so many ``jobs``, again and again; which of them were done before, between and after."""
    done, planned = [study.times()], kinds(chance)
    for number, kind in enumerate(planned, start=1):
        in_training = chance.random() < 0.5
        if number == len(planned):
            study.wait_for_orphans()
            in_training = True
        # By the number of jobs, and not of seconds, which depend on what else the machine has to do.
        further = min(len(done[-1]) + chance.randint(0, 2 * jobs // len(planned)), jobs - 1)
        if in_training and "aggregate" not in done[-1]:
            hit = study.kill(kind, None, chance.uniform(0.0, 0.5))
        else:
            hit = study.kill(kind, further, chance.uniform(0.0, 4.0))
        done.append(study.times())
        at = f"killed during {', '.join(hit.elements())}" if hit else "missed"
        print(
            f"{kind} {at}: {len(done[-1])} of {jobs} jobs done, {len(study.states())} states left", flush=True
        )
    return done


def made_again(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """The jobs that were done before, and done anew since."""
    return {name for name, when in before.items() if after.get(name) != when}


@pytest.mark.parametrize("number", range(FIRST, FIRST + ROUNDS))
def test_a_study_killed_again_and_again_ends_as_if_it_were_not(
    number: int, tmp_path: Path, undisturbed: KilledStudy
) -> None:
    study = KilledStudy(tmp_path / "project", STUDY)
    done = kill_again_and_again(study, random.Random(number), len(undisturbed.times()))
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
    found, expected = study.contents(), undisturbed.contents()
    assert sorted(found) == sorted(expected), "nothing is missing and nothing left over"
    assert [name for name, bits in found.items() if bits != expected[name]] == []
