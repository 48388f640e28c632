"""Estimates of a run's time from its arithmetic: shards are cut by them, and ``dying-relu plan`` shows them.

Constants here and in :mod:`~dying_relu.configuration.architectures` were measured on one core of a current server CPU (float32, one
thread) and are meant to be right within a factor of two; Snakemake's benchmarks in ``results/<study>/benchmarks/`` say what a shard
really took.
"""

import math
from collections import Counter
from typing import TYPE_CHECKING

from dying_relu.configuration import IMAGE_SETS, Architecture, Size

if TYPE_CHECKING:
    from dying_relu.plan.shard import Run, Shard

# Measuring a network costs so many forward passes over the probe sets; quantiles over examples need sorting.
FORWARD_PASSES_TO_MEASURE = 1.5
FORWARD_PASSES_TO_RECORD_UNITS = 4.0
# Counting on all examples, at the end with the answers to them; before that for networks with dead units only.
FORWARD_PASSES_TO_COUNT_AT_THE_END = 1.2
FORWARD_PASSES_TO_COUNT = 0.5
START_UP_SECONDS = 2.5


def size(architecture: Architecture, dataset: str) -> Size:
    """Count ``architecture`` on the images of ``dataset``.

    Args:
        architecture: kind and widths.
        dataset: name of a data set.

    >>> from dying_relu.configuration import MLP
    >>> size(MLP(kind="mlp", widths=(100,)), "mnist").parameters
    79510
    """
    return architecture.size(IMAGE_SETS[dataset])


def seconds_per_run(shard: "Shard", run: "Run") -> float:
    """Estimate the seconds on one core for one run.

    Args:
        shard: how it is trained and measured.
        run: says which of the shard's optimisers and interventions it has.
    """
    forward = 2.0 * size(shard.architecture, shard.dataset.name).multiplications
    training = 3 * forward * shard.batch_size * shard.optimisers[run.optimiser].slowdown
    interventions = shard.interventions[run.intervention]
    steps = shard.steps + sum(part.steps_before for part in interventions)
    counted = sum(part.counts_units for part in interventions) * shard.steps * shard.dataset.train
    passes = FORWARD_PASSES_TO_RECORD_UNITS if shard.record_units else FORWARD_PASSES_TO_MEASURE
    measuring = passes * forward * (len(shard.checkpoints) * shard.probe_train + shard.probe_test)
    earlier = 1 if shard.count_all == "end" else len(shard.checkpoints) - 1
    counting = FORWARD_PASSES_TO_COUNT * forward * shard.dataset.train * (earlier + 2 * shard.activity_counts)
    counting += FORWARD_PASSES_TO_COUNT_AT_THE_END * forward * (shard.dataset.train + shard.dataset.test)
    return (steps * training + counted * forward + measuring + counting) / shard.architecture.flops_per_second


def seconds(shard: "Shard") -> float:
    """Estimate the seconds on one core for the job of ``shard``."""
    alike = Counter((run.optimiser, run.intervention) for run in shard.runs)
    one_of_each = {(run.optimiser, run.intervention): run for run in shard.runs}
    return START_UP_SECONDS + sum(
        number * seconds_per_run(shard, one_of_each[factors]) for factors, number in alike.items()
    )


def minutes_at_most(seconds: float) -> int:
    """Estimate the minutes after which a job that takes ``seconds`` is stuck, not slow, on processors down to a third of the speed.

    >>> minutes_at_most(60.0)
    5
    """
    return 2 + math.ceil(3 * seconds / 60)
