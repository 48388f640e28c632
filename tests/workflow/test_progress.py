"""The tally that is shown while a study runs."""

from collections.abc import Callable

from snakemake_logger_plugin_progress.tally import Tally


def clock(*seconds: float) -> Callable[[], float]:
    """A clock that shows these times, and then the last one for ever."""
    times = list(seconds)
    return lambda: times.pop(0) if len(times) > 1 else times[0]


def test_the_time_left_is_what_the_shards_so_far_took() -> None:
    tally = Tally(clock(0, 0, 30))
    tally.plan({"shard": 4, "aggregate": 1, "total": 5})
    tally.started(1, "shard", {"study": "smoke", "shard": "a"})
    tally.started(2, "shard", {"study": "smoke", "shard": "b"})
    assert tally.finished(1) == "1 of 4 shards, about 1.5 min left: a took 30 s"
    assert tally.finished(2) == "2 of 4 shards, about 30 s left: b took 30 s"


def test_a_shard_counts_for_what_it_is_expected_to_take() -> None:
    tally = Tally(clock(0, 0, 30, 30, 40), expected={"long": 90.0, "short": 10.0})
    tally.plan({"shard": 2, "total": 2})
    tally.started(1, "shard", {"shard": "long"})
    tally.started(2, "shard", {"shard": "short"})
    # In 30 seconds 30 of 90 and 10 of 10 were done, and 60 remain.
    assert tally.finished(2) == "1 of 2 shards, about 45 s left: short took 30 s"


def test_the_time_left_is_never_negative() -> None:
    tally = Tally(clock(0, 5), expected={"a": 1.0, "b": 1.0, "c": 100.0})
    tally.plan({"shard": 3, "total": 3})
    tally.started(1, "shard", {"shard": "c"})
    assert "about 0 s left" in tally.finished(1)


def test_nothing_is_promised_before_a_shard_is_done() -> None:
    tally = Tally(clock(0, 7))
    tally.plan({"shard": 4, "total": 5})
    tally.started(1, "shard", {"shard": "a"})
    assert tally.status() == "0 of 4 shards\nrunning: a (7 s)"


def test_jobs_count_once_the_shards_are_done() -> None:
    tally = Tally(clock(0))
    tally.plan({"figure_anatomy": 1, "typeset": 1, "total": 2})
    tally.started(1, "figure_anatomy", {"study": "smoke"})
    assert tally.finished(1) == "1 of 2 jobs: figure_anatomy took 0 s"
    assert tally.status() == "1 of 2 jobs\nrunning: nothing"


def test_a_failed_job_no_longer_runs() -> None:
    tally = Tally(clock(0))
    tally.plan({"shard": 2, "total": 2})
    tally.started(1, "shard", {"shard": "a"})
    tally.failed(1)
    assert "running: nothing" in tally.status()


def test_a_target_without_a_job_is_not_mentioned() -> None:
    assert Tally(clock(0)).finished(9) == ""
