"""Forecast of the time that a run's jobs still take: from what they are expected to take, and from what those so far took."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SHARD = "shard"
"""Rule whose jobs take nearly all of the time."""
USUAL = 3.0
"""Seconds on one core that a job of another rule is expected to take: Python's start, and the tables of a small study."""
UNUSUAL = {"validate": 25.0, "born_dead": 9.0, "record": 1.0, "configuration": 0.1, "all": 0.0}
"""Seconds of rules that take more or less, whatever the study; measured on one core of an Intel Xeon in November 2026."""
PRIOR = 10.0
"""Expected seconds of finished jobs of a kind for which the pace of the other kind counts beside them."""


@dataclass(frozen=True)
class Job:
    """A job that is running.

    Attributes:
        rule: its name.
        label: as a reader sees it; of a shard its name.
        since: when it began, in seconds.
    """

    rule: str
    label: str
    since: float


@dataclass
class Pace:
    """Seconds that finished jobs took, and those that they were expected to take."""

    took: float = 0.0
    expected: float = 0.0

    def add(self, took: float, expected: float) -> None:
        """Add a finished job."""
        self.took += took
        self.expected += expected

    @property
    def ratio(self) -> float:
        """The first as a multiple of the second; 1 where nothing is known."""
        return self.took / self.expected if self.expected else 1.0


@dataclass
class Forecast:
    """What is expected of a run's jobs.

    Attributes:
        shards: seconds on one core that each shard of the study is expected to take, by its name.
        waiting: number of jobs of each rule that have not begun.
        running: jobs by their id.
        first: when the first job began; None before.
    """

    shards: Mapping[str, float]
    waiting: dict[str, int] = field(default_factory=dict)
    running: dict[int, Job] = field(default_factory=dict)
    first: float | None = None
    _begun: set[str] = field(default_factory=set)
    _training: Pace = field(default_factory=Pace)
    _others: Pace = field(default_factory=Pace)

    def plan(self, totals: Mapping[str, int]) -> None:
        """Take the number of jobs of each rule, all of which wait."""
        self.waiting = {rule: number for rule, number in totals.items() if rule != "total"}

    def begin(self, number: int, job: Job) -> None:
        """Note that a job runs, by its id."""
        self.first = job.since if self.first is None else self.first
        self.waiting[job.rule] = max(0, self.waiting.get(job.rule, 0) - 1)
        self.running[number] = job
        self._begun.add(job.label)

    def finish(self, number: int, now: float) -> None:
        """Note that a job that runs is done."""
        job = self.running.pop(number)
        self._pace(job.rule).add(now - job.since, self._expected(job))

    def fail(self, number: int) -> None:
        """Note that a job is over without result, and waits to be tried again."""
        if job := self.running.pop(number, None):
            self.waiting[job.rule] += 1
            self._begun.discard(job.label)

    def left(self, now: float) -> float | None:
        """Seconds until all jobs are done, at the pace and with as many jobs at a time as so far; None before a job is done."""
        if self.first is None or not (self._training.expected or self._others.expected):
            return None
        rest = list(self._rest(now))
        worked = (
            self._training.took + self._others.took + sum(now - job.since for job in self.running.values())
        )
        at_a_time = worked / (now - self.first) if now > self.first else 1.0
        return max(sum(rest) / max(at_a_time, 1.0), *rest, 0.0)

    def share(self, now: float) -> float:
        """The part of the expected work that is done, from 0 to 1."""
        done = self._training.expected * self._ratio(SHARD) + self._others.expected * self._ratio("")
        done += sum(min(now - job.since, self._takes(job)) for job in self.running.values())
        whole = done + sum(self._rest(now))
        return done / whole if whole else 0.0

    def _rest(self, now: float) -> Iterator[float]:
        """The seconds that each job still takes."""
        for job in self.running.values():
            yield max(0.0, self._takes(job) - (now - job.since))
        for rule, number in self.waiting.items():
            yield from [self._ratio(rule) * self._usual(rule)] * number

    def _usual(self, rule: str) -> float:
        """Seconds that a job of a rule that has not begun is expected to take; of shards their mean."""
        if rule != SHARD:
            return UNUSUAL.get(rule, USUAL)
        # Which of them Snakemake makes is not known before they begin.
        rest = [seconds for name, seconds in self.shards.items() if name not in self._begun]
        return sum(rest) / len(rest) if rest else 1.0

    def _expected(self, job: Job) -> float:
        return self.shards.get(job.label, 1.0) if job.rule == SHARD else self._usual(job.rule)

    def _takes(self, job: Job) -> float:
        return self._ratio(job.rule) * self._expected(job)

    def _pace(self, rule: str) -> Pace:
        return self._training if rule == SHARD else self._others

    def _ratio(self, rule: str) -> float:
        """How much longer jobs take than expected: those of a kind, and while few of them are done, those of the other kind, too."""
        pace = self._pace(rule)
        other = self._others if pace is self._training else self._training
        if not other.expected:
            return pace.ratio
        return (pace.took + PRIOR * other.ratio) / (pace.expected + PRIOR)
