"""From a configuration to the networks to train: experiments become runs, runs become shards, a shard is a job.

Nothing here imports torch: Snakemake plans the study whenever it starts.
"""

import hashlib
import json
from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property, lru_cache
from itertools import accumulate, pairwise, product
from math import ceil
from pathlib import Path
from typing import Any

from dying_relu import configuration as configurations
from dying_relu import extensions
from dying_relu.configuration import IMAGE_SETS, Configuration, Experiment
from dying_relu.configuration.model import Grid
from dying_relu.errors import DyingReluError
from dying_relu.plan import cost, memory
from dying_relu.plan.shard import SHARED_FACTORS, STACKED_FACTORS, DatasetSize, Run, Shard
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.initialisation import SCHEMES
from dying_relu.stack.loss import LOSSES
from dying_relu.stack.normalisation import NORMALISATIONS

SECONDS_PER_SHARD = 120.0
"""A shard is cut so that it is estimated to take at most this long on one core."""


@dataclass(frozen=True)
class Study:
    """Everything that a configuration asks for."""

    configuration: Configuration
    shards: tuple[Shard, ...]

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.configuration.study

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the configuration but for the source of its images, and of the extensions that it names."""
        written = self.configuration.model_dump(mode="json", exclude={"data"})
        extended = extensions.digests(part for shard in self.shards for part in _definitions(shard))
        return _digest([written, *extended] if extended else written)[:16]

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """All runs, in the order of their shards."""
        return tuple(run for shard in self.shards for run in shard.runs)

    @cached_property
    def datasets(self) -> tuple[str, ...]:
        """Names of the data sets that some run needs."""
        return tuple(dict.fromkeys(shard.dataset.name for shard in self.shards))

    @cached_property
    def _by_name(self) -> dict[str, Shard]:
        return {shard.name: shard for shard in self.shards}

    def shard(self, name: str) -> Shard:
        """The shard called ``name``."""
        try:
            return self._by_name[name]
        except KeyError:
            raise DyingReluError(
                f"study {self.name} has no shard {name}",
                expected=f"one of its {len(self.shards)}, such as {self.shards[0].name}",
                remedy="has the configuration changed?",
            ) from None


def load(path: Path) -> Study:
    """Plan the study configured in the YAML file at ``path``."""
    configuration = configurations.load(path)
    try:
        return plan(configuration)
    except DyingReluError as error:
        raise DyingReluError(f"{path}: {error}") from None


def plan(configuration: Configuration) -> Study:
    """Make the runs and shards that ``configuration`` asks for."""
    shards = [
        shard
        for name, experiment in configuration.experiments.items()
        for job in _jobs(configuration, name, experiment)
        for shard in _cut(job)
    ]
    return Study(configuration, tuple(shards))


@lru_cache(maxsize=64)
def log_spaced(steps: int, count: int) -> tuple[int, ...]:
    """Choose checkpoints at growing distances: 0, 1, ..., ``steps``.

    Args:
        steps: the last checkpoint.
        count: number of checkpoints; there are fewer if the steps are fewer.

    >>> log_spaced(100, 6)
    (0, 1, 3, 10, 32, 100)
    >>> log_spaced(3, 10)
    (0, 1, 2, 3)

    Remembered, so that a million shards have one tuple in common, not each one of its own.
    """
    count = min(count, steps + 1)
    if count == 2:
        return (0, steps)
    points = [0, 1]
    for remaining in range(count - 2, 0, -1):
        ratio = (steps / points[-1]) ** (1 / remaining)
        points.append(max(points[-1] + 1, round(points[-1] * ratio)))
    return tuple(points)


def _jobs(configuration: Configuration, name: str, experiment: Experiment) -> Iterator[Shard]:
    """Shards with all the runs that agree in data set and architecture, however long they take."""
    grid, measuring = experiment.grid, configuration.measuring
    for dataset, architecture in product(grid.dataset, grid.architecture):
        size = configuration.datasets[dataset]
        train = experiment.train_examples or size.train or IMAGE_SETS[dataset].train
        steps = _steps(configuration, experiment, train)
        shard = Shard(
            name=f"{name}-{dataset}-{architecture}",
            experiment=name,
            dataset=DatasetSize(dataset, train, size.test or IMAGE_SETS[dataset].test),
            architecture=configuration.architectures[architecture],
            optimisers={level: configuration.optimisers[level] for level in grid.optimiser},
            inputs={level: configuration.inputs_named(level) for level in grid.inputs},
            interventions={level: configuration.interventions_named(level) for level in grid.intervention},
            batch_size=experiment.batch_size or configuration.training.batch_size,
            steps=steps,
            checkpoints=_checkpoints(experiment, steps, measuring.checkpoints),
            probe_train=experiment.probe_train or measuring.train,
            probe_test=experiment.probe_test or measuring.test,
            record_units=experiment.record_units,
            precision=configuration.training.precision,
            device=configuration.device,
            memory_limit=int(configuration.memory_limit),
            loss_function=experiment.loss,
            count_all=experiment.count_all,
            activity_counts=experiment.activity_counts,
            curvature_steps=tuple(sorted(set(experiment.curvature_steps))),
        )
        shared = {"experiment": name}
        shared |= dict(zip(SHARED_FACTORS, (dataset, architecture), strict=True))
        yield replace(shard, runs=tuple(_runs(configuration, experiment, shard, shared)))


def _checkpoints(experiment: Experiment, steps: int, usual: int) -> tuple[int, ...]:
    if experiment.checkpoint_steps:
        return tuple(sorted({0, *experiment.checkpoint_steps, *experiment.curvature_steps, steps}))
    spaced = log_spaced(steps, steps + 1 if experiment.every_step else experiment.checkpoints or usual)
    added = set(experiment.curvature_steps) - set(spaced)
    # As it is where nothing is added: a million shards have one tuple in common.
    return tuple(sorted({*spaced, *added})) if added else spaced


def _runs(
    configuration: Configuration, experiment: Experiment, shard: Shard, shared: dict[str, Any]
) -> Iterator[Run]:
    """Make the runs of ``shard``, which agree in the factors ``shared``: inputs after inputs, and of each one replicate after the other."""
    levels = _levels_within_a_shard(experiment.grid)
    settings_of = _settings(shard)
    replicates = range(experiment.first_replicate, experiment.first_replicate + experiment.replicates)
    for inputs, replicate in product(dict.fromkeys(point["inputs"] for point in levels), replicates):
        seed = int(_digest(["seed", configuration.seed, replicate])[:12], 16)
        for point in (point for point in levels if point["inputs"] == inputs):
            factors = shared | point | {"replicate": replicate}
            setting = settings_of(point, replicate, seed)
            yield Run(id=_digest([setting, factors])[:12], **factors, seed=seed)


def _levels_within_a_shard(grid: Grid) -> list[dict[str, Any]]:
    """All combinations of the factors in which the runs of a shard differ, in the order in which they are stacked."""
    factors = [factor for factor in type(grid).model_fields if factor not in SHARED_FACTORS]
    points = []
    for levels in product(*(getattr(grid, factor) for factor in factors)):
        point = dict(zip(factors, levels, strict=True))
        activation = point["activation"]
        points.append(point | {"activation": activation.name, "slope": activation.effective_slope})
    return sorted(points, key=_stacking_order)


def _stacking_order(point: dict[str, Any]) -> tuple[Any, ...]:
    stacked = [point[factor] for factor in ("inputs", "optimiser", "intervention")]
    others = [point[factor] for factor in sorted(point) if factor not in (*STACKED_FACTORS, "slope")]
    return (*stacked, list(ACTIVATIONS).index(point["activation"]), point["slope"] or 0.0, *others)


def _steps(configuration: Configuration, experiment: Experiment, examples: int) -> int:
    if experiment.steps is not None:
        return experiment.steps
    batch_size = experiment.batch_size or configuration.training.batch_size
    return (experiment.epochs or configuration.training.epochs) * (examples // batch_size)


def _settings(shard: Shard) -> Callable[[dict[str, Any], int, int], str]:
    """Prepare digests of all that determines the numbers of a run, by its factors, replicate and seed (to keep units as well changes none).

    The part that replicates have in common, such as ten thousand checkpoints, is written and summed up once.
    """
    fields = vars(shard) | {
        "dataset": asdict(shard.dataset),
        "architecture": shard.architecture.model_dump(),
        "replicate": 0,
        "seed": 0,
    }
    of_runs = ("optimisers", "inputs", "interventions")
    irrelevant = (
        "name", "record_units", "count_all", "activity_counts", "curvature_steps", "device", "memory_limit", "runs", "fingerprint",
    )  # fmt: skip
    kept = {key: value for key, value in fields.items() if key not in (*irrelevant, *of_runs)}

    @cache
    def parts(optimiser: str, inputs: str, intervention: str) -> tuple[Any, str]:
        own = {
            "optimiser": shard.optimisers[optimiser].model_dump(),
            "inputs": [part.model_dump() for part in shard.inputs[inputs]],
            "intervention": [part.model_dump() for part in shard.interventions[intervention]],
        }
        before, after = _canonical(kept | own).split('"replicate":0,"seed":0,')
        return hashlib.sha256(before.encode()), after

    def settings(point: dict[str, Any], replicate: int, seed: int) -> str:
        before, after = parts(point["optimiser"], point["inputs"], point["intervention"])
        digest = before.copy()
        digest.update(f'"replicate":{replicate},"seed":{seed},{after}'.encode())
        return str(digest.hexdigest())

    return settings


def _cut(job: Shard) -> Iterator[Shard]:
    """Cut ``job`` into parts that take nearly equal times, none too long and none too large."""
    least = memory.fixed(job) + memory.in_stack(job)
    fit = (job.memory_limit - least) // memory.per_run(job)
    if fit < 1:
        raise DyingReluError(
            f"memory_limit is too small for experiment {job.experiment} on {job.dataset.name}",
            found=f"{job.memory_limit / 2**20:.0f} MiB",
            expected=f"at least {(least + memory.per_run(job)) / 2**20:.0f} MiB",
            remedy="raise it, or use fewer examples, checkpoints or units",
        )
    bounds = _bounds(_seconds(job), fit)
    for part, (start, end) in enumerate(pairwise(bounds)):
        runs = job.runs[start:end]
        shard = _with_what_it_names(replace(job, name=f"{job.name}-{part:02d}", runs=runs))
        extended = extensions.digests(_definitions(shard))
        made_of = [
            job.record_units, job.count_all, job.activity_counts, job.device, [run.id for run in runs], *extended,
        ]  # fmt: skip
        if job.curvature_steps:
            # Not where it is empty: shards keep the fingerprints that they had before there was such a key.
            made_of.append({"curvature_steps": job.curvature_steps})
        yield replace(shard, fingerprint=_digest(made_of)[:16])


def _seconds(job: Shard) -> list[float]:
    """The seconds that each run of ``job`` takes."""

    @cache
    def seconds(optimiser: str, intervention: str) -> float:
        run = next(run for run in job.runs if (run.optimiser, run.intervention) == (optimiser, intervention))
        return cost.seconds_per_run(job, run)

    return [seconds(run.optimiser, run.intervention) for run in job.runs]


def _bounds(seconds: list[float], most: int) -> list[int]:
    """Cut runs into the fewest parts of nearly equal times, none longer than ``SECONDS_PER_SHARD`` nor of more runs than ``most``.

    Args:
        seconds: of each run.
        most: runs of a part.

    >>> _bounds([30.0, 30.0, 60.0, 60.0, 90.0], most=10)
    [0, 2, 4, 5]
    """
    ends = list(accumulate(seconds))
    fewest = max(ceil(len(seconds) / most), ceil(ends[-1] / SECONDS_PER_SHARD))
    for parts in range(fewest, len(seconds)):
        bounds = sorted(
            {0, len(seconds)}
            | {bisect(ends, ends[-1] * part / parts * (1 + 1e-9)) for part in range(1, parts)}
        )
        if all(
            last - first <= most and sum(seconds[first:last]) <= SECONDS_PER_SHARD
            for first, last in pairwise(bounds)
        ):
            return bounds
    return list(range(len(seconds) + 1))


def _with_what_it_names(shard: Shard) -> Shard:
    """Leave out the optimisers, inputs and interventions that no run of ``shard`` has."""
    runs = shard.runs
    return replace(
        shard,
        optimisers={name: shard.optimisers[name] for name in sorted({run.optimiser for run in runs})},
        inputs={name: shard.inputs[name] for name in sorted({run.inputs for run in runs})},
        interventions={
            name: shard.interventions[name] for name in sorted({run.intervention for run in runs})
        },
    )


def _definitions(shard: Shard) -> Iterator[Callable[..., object] | None]:
    """List the functions and classes by which ``shard`` is trained and which an extension may define."""
    yield from (type(shard.architecture), IMAGE_SETS[shard.dataset.name].read, LOSSES[shard.loss_function])
    yield from map(type, shard.optimisers.values())
    for parts in (*shard.inputs.values(), *shard.interventions.values()):
        yield from map(type, parts)
    yield NORMALISATIONS.get(shard.architecture.normalisation)
    for name in {run.activation for run in shard.runs}:
        yield from (ACTIVATIONS[name].function, ACTIVATIONS[name].gradient)
    for name in {run.initialisation for run in shard.runs}:
        yield SCHEMES[name]


def _digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of ``value``."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
