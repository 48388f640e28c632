"""Estimates of a run's time from its arithmetic: shards are cut by them, and ``dying-relu plan`` shows them.

Constants here and in :mod:`~dying_relu.configuration.architectures` were measured on one core of a current server CPU (float32, one
thread) and are meant to be right within a factor of two; the files in ``results/<study>/benchmarks/`` say what a shard
really took.
"""

import math
from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING

from dying_relu.configuration import IMAGE_SETS, Architecture, Size
from dying_relu.plan.shard import STACKED_FACTORS

if TYPE_CHECKING:
    from dying_relu.plan.shard import Run, Shard

# Measuring a network costs so many forward passes over the probe sets; quantiles over examples need sorting.
FORWARD_PASSES_TO_MEASURE = 1.5
FORWARD_PASSES_TO_RECORD_UNITS = 4.0
# Counting on all examples, at the end with the answers to them; before that for networks with dead units only.
FORWARD_PASSES_TO_COUNT_AT_THE_END = 1.2
FORWARD_PASSES_TO_COUNT = 0.5
# Estimating a curvature: twenty products of the Hessian and the gradient itself, 200 examples each, in float64
# (dying_relu.training.curvature, which planning does not import because of torch).
GRADIENTS_OF_A_CURVATURE, EXAMPLES_OF_A_CURVATURE = 41, 200
SLOWER_IN_FLOAT64 = 2.0
START_UP_SECONDS = 3.5
"""Python, imports, the plan, the data, the loading of compiled code, and the writing of the tables."""
# What a stack costs whatever the number of its networks, which is most of the time of small ones: calls of operators, not arithmetic.
SECONDS_PER_STACK = 0.03
SECONDS_PER_STEP = 0.0006
SECONDS_PER_COUNTING_STEP = 0.0035


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
    """Estimate the seconds on one core for the arithmetic of one run, by which jobs are cut into shards.

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
    gradients = GRADIENTS_OF_A_CURVATURE * len(shard.curvature_steps)
    curvature = gradients * SLOWER_IN_FLOAT64 * 3 * forward * min(EXAMPLES_OF_A_CURVATURE, shard.probe_train)
    arithmetic = steps * training + counted * forward + measuring + counting + curvature
    return arithmetic / shard.architecture.flops_per_second


def seconds_per_stack(shard: "Shard", run: "Run") -> float:
    """Estimate the seconds on one core for a stack of ``shard``, beside the arithmetic of its runs.

    Args:
        shard: how it is trained.
        run: one of the stack's.
    """
    interventions = shard.interventions[run.intervention]
    steps = shard.steps + sum(part.steps_before for part in interventions)
    counting = shard.steps * sum(part.counts_units for part in interventions)
    return SECONDS_PER_STACK + SECONDS_PER_STEP * steps + SECONDS_PER_COUNTING_STEP * counting


def seconds(shard: "Shard") -> float:
    """Estimate the seconds on one core for the job of ``shard``."""
    alike = Counter((run.optimiser, run.intervention) for run in shard.runs)
    one_of_each = {(run.optimiser, run.intervention): run for run in shard.runs}
    # At least: those that do not fit the cache are more stacks, of which each has much to compute.
    stacks = {attrgetter(*STACKED_FACTORS)(run): run for run in shard.runs}
    return (
        START_UP_SECONDS
        + sum(number * seconds_per_run(shard, one_of_each[factors]) for factors, number in alike.items())
        + sum(seconds_per_stack(shard, run) for run in stacks.values())
    )


def minutes_at_most(seconds: float) -> int:
    """Estimate the minutes after which a job that takes ``seconds`` is stuck, not slow, on processors down to a third of the speed.

    >>> minutes_at_most(60.0)
    5
    """
    return 2 + math.ceil(3 * seconds / 60)
