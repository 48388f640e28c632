"""The tally that is shown while a study runs, and the summary that remains."""

import csv
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_progress import LogHandler
from snakemake_logger_plugin_progress.tally import Tally

RECORDED = Path(__file__).with_name("recorded_run.csv")
"""When the jobs of the smoke study began and ended, in seconds, on two cores that had other work to do, too."""


def clock(*seconds: float) -> Callable[[], float]:
    """A clock that shows these times, and then the last one for ever."""
    times = list(seconds)
    return lambda: times.pop(0) if len(times) > 1 else times[0]


def test_the_time_left_is_what_the_shards_so_far_took() -> None:
    tally = Tally(clock(0, 0, 30))
    tally.plan({"shard": 4, "total": 4})
    tally.started(1, "shard", {"study": "smoke", "shard": "a"})
    tally.started(2, "shard", {"study": "smoke", "shard": "b"})
    # Two at a time: b will be done at once, and c and d take as long again.
    assert tally.finished(1) == "1 of 4 shards, about 30 s left: a took 30 s"
    assert tally.finished(2) == "2 of 4 shards, about 30 s left: b took 30 s"


def test_a_shard_counts_for_what_it_is_expected_to_take() -> None:
    tally = Tally(clock(0, 0, 30), expected={"long": 90.0, "short": 10.0})
    tally.plan({"shard": 2, "total": 2})
    tally.started(1, "shard", {"shard": "long"})
    tally.started(2, "shard", {"shard": "short"})
    # It took thrice as long as expected, and so will the other: 270 s, of which 30 s are over. No second job shares them.
    assert tally.finished(2) == "1 of 2 shards, about 4.0 min left: short took 30 s"


def test_jobs_after_training_count_before_they_begin() -> None:
    tally = Tally(clock(0, 10), expected={"a": 10.0})
    tally.plan({"shard": 1, "aggregate": 1, "validate": 1, "total": 3})
    tally.started(1, "shard", {"shard": "a"})
    assert tally.finished(1) == "1 of 3 jobs, about 28 s left: a took 10 s"


def test_the_time_left_is_at_least_that_of_the_longest_job() -> None:
    tally = Tally(clock(*[0] * 9, 25), expected={})
    tally.plan({"figure_a": 8, "validate": 1, "total": 9})
    for job in range(8):
        tally.started(job, "figure_a", {})
    tally.started(8, "validate", {})
    for job in range(8):
        line = tally.finished(job)
    # Nine at a time so far, but one job cannot be shared.
    assert line == "8 of 9 jobs, about 3.1 min left: figure_a took 25 s"


def test_the_time_left_is_never_negative() -> None:
    tally = Tally(clock(0, 0, 5, 1000), expected={"a": 1.0, "b": 1.0})
    tally.plan({"shard": 2, "total": 2})
    tally.started(1, "shard", {"shard": "a"})
    tally.started(2, "shard", {"shard": "b"})
    tally.finished(1)
    assert "about 0 s left" in tally.status()[1]


def test_nothing_is_promised_before_a_job_is_done() -> None:
    tally = Tally(clock(0, 7))
    tally.plan({"shard": 4, "total": 5})
    tally.started(1, "shard", {"shard": "a"})
    assert tally.status()[1:] == ("0 of 4 shards", "running: a (7 s)")


def test_jobs_count_once_the_shards_are_done() -> None:
    tally = Tally(clock(0, 3))
    tally.plan({"figure_anatomy": 1, "typeset": 1, "total": 2})
    tally.started(1, "figure_anatomy", {"study": "smoke"})
    assert tally.finished(1) == "1 of 2 jobs, about 3 s left: figure_anatomy took 3 s"
    assert tally.status()[1:] == ("1 of 2 jobs, about 3 s left", "running: nothing")


def test_a_failed_job_no_longer_runs_and_is_named_in_the_end() -> None:
    tally = Tally(clock(0, 4))
    tally.plan({"shard": 2, "total": 2})
    tally.started(1, "shard", {"shard": "a"})
    tally.failed(1)
    assert "running: nothing" in tally.status()
    assert tally.summary() == "0 of 2 jobs in 4 s, failed: a"


def test_a_target_without_a_job_is_counted_and_not_mentioned() -> None:
    tally = Tally(clock(0, 2))
    tally.plan({"typeset": 1, "all": 1, "total": 2})
    tally.started(1, "typeset", {})
    assert tally.finished(1) == "1 of 2 jobs, about 0 s left: typeset took 2 s"
    tally.started(9, "all", {}, makes=False)
    assert tally.finished(9) == ""
    assert tally.summary() == "2 of 2 jobs in 2 s: typeset 2 s"


def test_nothing_is_summed_up_where_nothing_ran() -> None:
    assert Tally(clock(0)).summary() == ""


class Recording:
    """The recorded run, played to a tally."""

    def __init__(self) -> None:
        with RECORDED.open(encoding="utf-8") as file:
            self.rows = list(csv.DictReader(file))
        self.now = 0.0
        expected = {row["shard"]: float(row["expected"]) for row in self.rows if row["shard"]}
        self.tally = Tally(lambda: self.now, expected)
        jobs = Counter(row["rule"] for row in self.rows)
        self.tally.plan({**jobs, "total": len(self.rows)})
        self.seconds = max(float(row["ended"]) for row in self.rows)

    def finished(self) -> Iterator[str]:
        """The names of the jobs, each when it is done."""
        waiting = sorted(enumerate(self.rows), key=lambda job: float(job[1]["begun"]))
        for number, row in enumerate(self.rows):
            while waiting and float(waiting[0][1]["begun"]) <= float(row["ended"]):
                job, begun = waiting.pop(0)
                self.now = float(begun["begun"])
                wildcards = {"shard": begun["shard"]} if begun["shard"] else {}
                self.tally.started(job, begun["rule"], wildcards, makes=begun["rule"] != "all")
            self.now = float(row["ended"])
            self.tally.finished(number)
            yield row["rule"]


def test_the_time_left_is_true_during_and_after_training() -> None:
    """Within a third or half a minute, once a quarter of the work is done; the load of the machine changed more than that."""
    recording, errors = Recording(), {}
    shares = []
    for rule in recording.finished():
        shares.append(recording.tally.status()[0])
        left, truth = recording.tally.forecast.left(recording.now), recording.seconds - recording.now
        if shares[-1] > 0.25:
            errors[rule, recording.now] = (left - truth) / max(truth, 90.0)
    assert {job: error for job, error in errors.items() if abs(error) > 1 / 3} == {}
    assert any(rule.startswith("figure_") for rule, _ in errors)
    assert 0 < shares[0] < 0.1
    assert shares[-1] == 1
    # The bar hardly ever goes back, and never by much.
    assert max(before - after for before, after in pairwise(shares)) < 0.03


def test_the_summary_names_what_took_most_of_the_time() -> None:
    recording = Recording()
    assert list(recording.finished())[-1] == "all"
    assert recording.tally.summary() == (
        "48 of 48 jobs in 7.9 min: 23 shards 6.7 min, 12 figures 3.0 min, validate 1.5 min, 11 others 2.9 min"
    )


@pytest.fixture
def handler() -> LogHandler:
    """A handler that writes to a terminal of 100 columns, which is recorded."""
    handler = LogHandler(OutputSettings(), None)
    handler.console = Console(width=100, force_terminal=True, no_color=True, record=True)
    handler.live.console = handler.console
    return handler


def message(event: LogEvent | None, text: str = "", **fields: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"event": event, "msg": text, "levelno": logging.INFO, **fields})


def job(number: int, rule: str, **wildcards: str) -> logging.LogRecord:
    fields = {"jobid": number, "rule_name": rule, "wildcards": wildcards, "output": ["x"], "log": []}
    return message(LogEvent.JOB_INFO, **fields)


def test_a_bar_a_count_and_the_running_jobs_are_at_the_bottom(handler: LogHandler) -> None:
    handler.tally = Tally(clock(0, 0, 30))
    handler.tally.plan({"shard": 4, "total": 4})
    handler.emit(job(1, "shard", shard="a"))
    handler.emit(job(2, "shard", shard="b"))
    handler.emit(message(LogEvent.JOB_FINISHED, job_id=1))
    with handler.console.capture() as shown:
        handler.console.print(handler._status())
    bar, running = shown.get().splitlines()
    assert bar.startswith("━")
    assert bar.rstrip().endswith("1 of 4 shards, about 30 s left")
    assert running.rstrip() == "running: b (30 s)"


def test_a_summary_remains_and_is_printed_once(handler: LogHandler) -> None:
    handler.emit(message(LogEvent.RUN_INFO, stats={"typeset": 1, "total": 1}))
    handler.emit(job(1, "typeset"))
    handler.emit(message(LogEvent.JOB_FINISHED, job_id=1))
    handler.emit(message(LogEvent.PROGRESS, done=1, total=1))
    handler.close()
    assert handler.console.export_text().count("1 of 1 jobs in 0 s: typeset 0 s") == 1


def test_a_run_that_is_stopped_is_summed_up_too(handler: LogHandler) -> None:
    handler.emit(message(LogEvent.RUN_INFO, stats={"typeset": 1, "figure_a": 1, "total": 2}))
    handler.emit(job(1, "figure_a"))
    handler.emit(message(LogEvent.JOB_FINISHED, job_id=1))
    handler.emit(message(LogEvent.PROGRESS, done=1, total=2))
    assert "1 of 2 jobs in" not in handler.console.export_text(clear=False)
    handler.close()
    assert "1 of 2 jobs in 0 s: figure 0 s" in handler.console.export_text()
