"""Tally of the jobs that are done and running, and the time that the rest will take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dying_relu.plan.overview import duration

SHARD = "shard"
"""Rule whose jobs take nearly all of the time."""
EXPECTED: dict[str, float] = {}
"""Seconds that each shard of the study is expected to take on one core; the workflow fills it in."""


@dataclass
class Job:
    """A job that is running."""

    rule: str
    label: str
    since: float


@dataclass
class Tally:
    """Count of jobs by rule; ``clock`` gives seconds.

    >>> seconds = iter([0, 10, 10])
    >>> tally = Tally(lambda: next(seconds))
    >>> tally.plan({"shard": 3, "total": 5})
    >>> tally.started(1, "shard", {"shard": "causes-mnist-mlp-sgd-00"})
    >>> tally.finished(1)
    '1 of 3 shards, about 20 s left: causes-mnist-mlp-sgd-00 took 10 s'
    """

    clock: Callable[[], float]
    totals: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    running: dict[int, Job] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=lambda: EXPECTED)
    first_shard: float | None = None
    worked: float = 0.0
    """Seconds that the finished shards were expected to take; without expectations, their number."""

    def plan(self, totals: Mapping[str, int]) -> None:
        """Take the number of jobs of each rule, and of all in ``total``."""
        self.totals = dict(totals)

    def started(self, job: int, rule: str, wildcards: Mapping[str, str]) -> None:
        """Note that the job with the id ``job`` runs."""
        now = self.clock()
        if rule == SHARD and self.first_shard is None:
            self.first_shard = now
        named = [value for name, value in wildcards.items() if name != "study"]
        self.running[job] = Job(rule, " ".join([*named] if rule == SHARD else [rule, *named]), now)

    def finished(self, job: int) -> str:
        """Note that a job is done; return a line that says so, or "" for a target such as ``all``."""
        ended = self.running.pop(job, None)
        if ended is None:
            return ""
        self.done[ended.rule] = self.done.get(ended.rule, 0) + 1
        if ended.rule == SHARD:
            self.worked += self.expected.get(ended.label, 1.0)
        return f"{self._counts()}: {ended.label} took {duration(self.clock() - ended.since)}"

    def failed(self, job: int) -> None:
        """Note that a job is over without result."""
        self.running.pop(job, None)

    def status(self) -> str:
        """Return two lines: the shards or jobs done, and the running jobs with their times."""
        now = self.clock()
        running = ", ".join(f"{job.label} ({duration(now - job.since)})" for job in self.running.values())
        return f"{self._counts()}\nrunning: {running or 'nothing'}"

    def _counts(self) -> str:
        shards, of = self.done.get(SHARD, 0), self.totals.get(SHARD, 0)
        if shards == of:
            return f"{sum(self.done.values())} of {self.totals.get('total', 0)} jobs"
        counts = f"{shards} of {of} shards"
        if shards == 0 or self.first_shard is None:
            return counts
        return f"{counts}, about {duration(self._left(self.first_shard))} left"

    def _left(self, start: float) -> float:
        """Seconds at the pace so far until all shards are done, each counting for what it is expected to take."""
        now = self.clock()
        mean = sum(self.expected.values()) / len(self.expected) if self.expected else 1.0
        begun = [job for job in self.running.values() if job.rule == SHARD]
        underway = sum(min(now - job.since, self.expected.get(job.label, 0.0)) for job in begun)
        worked = self.worked + underway
        rest = max(0.0, mean * self.totals[SHARD] - worked)
        return (now - start) / worked * rest
