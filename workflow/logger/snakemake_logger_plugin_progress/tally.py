"""Tally of the jobs that are done and running, in words, with the time that the rest will take."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dying_relu.plan.overview import duration
from snakemake_logger_plugin_progress.forecast import SHARD, Forecast, Job

EXPECTED: dict[str, float] = {}
"""Seconds that each shard of the study is expected to take on one core; the workflow fills it in."""
NAMED = 3
"""Kinds of jobs that a summary names: those that took most of the time."""


@dataclass
class Tally:
    """Count of jobs by rule; ``clock`` gives seconds, ``expected`` those of each shard.

    >>> seconds = iter([0, 10, 10])
    >>> tally = Tally(lambda: next(seconds))
    >>> tally.plan({"shard": 3, "total": 3})
    >>> tally.started(1, "shard", {"shard": "causes-mnist-mlp-sgd-00"})
    >>> tally.finished(1)
    '1 of 3 shards, about 20 s left: causes-mnist-mlp-sgd-00 took 10 s'
    >>> tally.summary()
    '1 of 3 jobs in 10 s: shard 10 s'
    """

    clock: Callable[[], float]
    expected: Mapping[str, float] = field(default_factory=lambda: EXPECTED)
    totals: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    targets: dict[int, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    took: dict[str, list[float]] = field(default_factory=dict)
    """Seconds of the finished jobs, by kind."""
    last: float = 0.0
    """When a job last ended."""

    def __post_init__(self) -> None:
        self.forecast = Forecast(self.expected)

    def plan(self, totals: Mapping[str, int]) -> None:
        """Take the number of jobs of each rule, and of all in ``total``."""
        self.totals = dict(totals)
        self.forecast.plan(totals)

    def started(self, job: int, rule: str, wildcards: Mapping[str, str], *, makes: bool = True) -> None:
        """Note that the job with the id ``job`` runs; one that ``makes`` nothing is a target such as ``all``."""
        if not makes:
            self.targets[job] = rule
            self.forecast.waiting.pop(rule, None)
            return
        named = [value for name, value in wildcards.items() if name != "study"]
        label = " ".join([*named] if rule == SHARD else [rule, *named])
        self.forecast.begin(job, Job(rule, label, self.clock()))

    def finished(self, job: int) -> str:
        """Note that a job is done; return a line that says so, or "" for a target such as ``all``."""
        if job in self.targets:
            self.done[self.targets.pop(job)] += 1
        ended = self.forecast.running.get(job)
        if ended is None:
            return ""
        self.last = self.clock()
        self.forecast.finish(job, self.last)
        self.done[ended.rule] += 1
        seconds = self.last - ended.since
        self.took.setdefault(_kind(ended.rule), []).append(seconds)
        return f"{self._counts(self.last)}: {ended.label} took {duration(seconds)}"

    def failed(self, job: int) -> None:
        """Note that a job is over without result."""
        if ended := self.forecast.running.get(job):
            self.last = self.clock()
            self.failures.append(ended.label)
            self.forecast.fail(job)

    def status(self) -> tuple[float, str, str]:
        """The part of the work that is done, a line with the shards or jobs done, and one with the running jobs and their times."""
        now = self.clock()
        jobs = self.forecast.running.values()
        running = ", ".join(f"{job.label} ({duration(now - job.since)})" for job in jobs)
        return self.forecast.share(now), self._counts(now), f"running: {running or 'nothing'}"

    def summary(self) -> str:
        """One line about all jobs that are over: how many, how long, and which kinds took most of the time; "" if none is."""
        first = self.forecast.first
        if first is None or not (self.took or self.failures):
            return ""
        failures = f", failed: {', '.join(dict.fromkeys(self.failures))}" if self.failures else ""
        counts = f"{self._jobs()} in {duration(self.last - first)}{failures}"
        kinds = sorted(self.took.items(), key=lambda kind: -sum(kind[1]))
        parts = [_words(kind, seconds) for kind, seconds in kinds[:NAMED]]
        if rest := [second for _, seconds in kinds[NAMED:] for second in seconds]:
            parts.append(_words("other", rest))
        return f"{counts}: {', '.join(parts)}" if parts else counts

    def _jobs(self) -> str:
        return f"{self.done.total()} of {self.totals.get('total', 0)} jobs"

    def _counts(self, now: float) -> str:
        shards, of = self.done[SHARD], self.totals.get(SHARD, 0)
        counts = self._jobs() if shards == of else f"{shards} of {of} shards"
        left = self.forecast.left(now)
        nothing_left = not (self.forecast.running or any(self.forecast.waiting.values()))
        return counts if left is None or nothing_left else f"{counts}, about {duration(left)} left"


def _kind(rule: str) -> str:
    """The kind of a rule's jobs: figures have a rule each."""
    return "figure" if rule.startswith("figure_") else rule


def _words(kind: str, seconds: list[float]) -> str:
    many = f"{len(seconds)} {kind}s" if len(seconds) > 1 else kind
    return f"{many} {duration(sum(seconds))}"
