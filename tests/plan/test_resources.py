"""Jobs measure what they take, and the next job asks for it."""

import subprocess
import sys
from pathlib import Path

import pytest
from small_shard import shard_of

from dying_relu.errors import DyingReluError
from dying_relu.plan import cost, memory, resources


def measurement(path: Path, seconds: float, mebibytes: float | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:01:00\t{mebibytes}\t-\n", encoding="utf-8")
    return path


JOB = """
import sys, time
from pathlib import Path
from dying_relu.plan import resources
with resources.measured(Path(sys.argv[1])):
    time.sleep(0.1)
    held = b"1" * (int(sys.argv[2]) * 2**20)
    del held
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux only")
def test_a_job_measures_its_time_and_its_largest_memory(tmp_path: Path) -> None:
    """In processes of their own: the largest memory is that of all that a process has done."""
    taken = []
    for held in (0, 300):
        path = tmp_path / f"{held}.tsv"
        subprocess.run([sys.executable, "-c", JOB, str(path), str(held)], check=True)
        taken.append(resources.usage(path))
    assert all(0.1 <= usage.seconds < 60 for usage in taken)
    assert 250 < taken[1].mebibytes - taken[0].mebibytes < 350


def test_a_job_that_fails_has_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), resources.measured(tmp_path / "a.tsv"):
        1 / 0  # noqa: B018
    assert not list(tmp_path.iterdir())


def test_training_is_the_sum_over_jobs_and_the_largest_memory(tmp_path: Path) -> None:
    assert resources.training(tmp_path) is None
    measurement(tmp_path / "a.tsv", 90.0, 512)
    measurement(tmp_path / "b.tsv", 60.0, 2048.5)
    assert resources.training(tmp_path) == {"jobs": 2, "seconds": 150.0, "largest_memory_mebibytes": 2048.5}


def test_jobs_too_short_to_be_looked_at_have_no_memory(tmp_path: Path) -> None:
    measurement(tmp_path / "a.tsv", 0.5, "-")
    assert resources.training(tmp_path) == {"jobs": 1, "seconds": 0.5, "largest_memory_mebibytes": None}


def test_a_job_asks_for_what_is_expected_or_for_what_it_took_if_that_was_more(tmp_path: Path) -> None:
    shard, path = shard_of(), tmp_path / "shard.tsv"
    expected = resources.mebibytes_for(shard, path), resources.minutes_for(shard, path)
    assert expected[0] * 2**20 >= memory.of_job(shard)
    assert expected[1] == cost.minutes_at_most(cost.seconds(shard))
    for little in (1, "-"):
        measurement(path, 0.1, little)
        assert (resources.mebibytes_for(shard, path), resources.minutes_for(shard, path)) == expected
    measurement(path, 3600.0, 10_000)
    assert resources.mebibytes_for(shard, path) == resources.MARGIN * 10_000
    assert resources.minutes_for(shard, path) == cost.minutes_at_most(3600.0) >= 3 * 60


@pytest.mark.parametrize("content", [b"", b"s\tmax_rss\n", b"\xff\xfe", b"s\n1\n", b"s\tmax_rss\nfast\t1\n"])
def test_what_is_not_a_measurement_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "shard.tsv"
    path.write_bytes(content)
    with pytest.raises(DyingReluError, match=r"shard\.tsv is not a measurement of a job"):
        resources.usage(path)
