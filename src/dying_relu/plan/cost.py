"""What a run will cost, estimated from its arithmetic: how shards are cut, and what ``dying-relu plan`` promises.

The constants were measured on one core of a current server CPU (float32, one thread) and are meant to be right within a
factor of two; Snakemake's benchmarks in ``results/<study>/benchmarks/`` say what a shard really took.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from dying_relu.configuration import IMAGE_SETS, MLP, Architecture

if TYPE_CHECKING:
    from dying_relu.plan.shard import Shard

# Useful floating-point operations per second and core.
FLOPS_PER_SECOND = {"mlp": 110e9, "cnn": 35e9}
# Adam reads and writes every weight and both its moments at every step, which no matrix product hides.
SLOWDOWN = {"sgd": 1.0, "adam": 1.3}
# Measuring a network costs so many forward passes over the probe sets; quantiles over examples need sorting.
FORWARD_PASSES_TO_MEASURE = 2.0
FORWARD_PASSES_TO_RECORD_UNITS = 6.0
START_UP_SECONDS = 2.5


class Size(NamedTuple):
    """The size of a network."""

    multiplications: int
    """Of one forward pass over one example."""
    parameters: int
    units: int
    activations: int
    """Numbers in all hidden layers for one example: for a convolution, units times positions."""
    layers: int


def size(architecture: Architecture, dataset: str) -> Size:
    """The size of ``architecture`` on the images of ``dataset``.

    >>> size(MLP(kind="mlp", widths=(100,)), "mnist")
    Size(multiplications=79400, parameters=79510, units=100, activations=100, layers=1)
    """
    images = IMAGE_SETS[dataset]
    multiplications = parameters = units = activations = 0
    channels, side = images.channels, images.side
    for out in () if isinstance(architecture, MLP) else architecture.channels:
        multiplications += 9 * channels * out * side * side
        parameters += 9 * channels * out + out
        activations += out * side * side
        units += out
        channels, side = out, side // 2
    width = channels * side * side
    for out in (*architecture.widths, images.classes):
        multiplications += width * out
        parameters += width * out + out
        width = out
    units += sum(architecture.widths)
    activations += sum(architecture.widths)
    layers = len(architecture.widths) + (0 if isinstance(architecture, MLP) else len(architecture.channels))
    return Size(multiplications, parameters, units, activations, layers)


def seconds_per_run(shard: "Shard") -> float:
    """Seconds on one core for each run of ``shard``."""
    forward = 2.0 * size(shard.architecture, shard.dataset.name).multiplications
    training = 3 * forward * shard.steps * shard.batch_size * SLOWDOWN[shard.optimiser.kind]
    passes = FORWARD_PASSES_TO_RECORD_UNITS if shard.record_units else FORWARD_PASSES_TO_MEASURE
    measuring = passes * forward * len(shard.checkpoints) * (shard.probe_train + shard.probe_test)
    return (training + measuring) / FLOPS_PER_SECOND[shard.architecture.kind]


def seconds(shard: "Shard") -> float:
    """Seconds on one core for the job of ``shard``."""
    return START_UP_SECONDS + len(shard.runs) * seconds_per_run(shard)


def minutes_at_most(seconds: float) -> int:
    """Minutes after which a job that takes ``seconds`` is stuck rather than slow, on processors down to a third of the speed.

    >>> minutes_at_most(60.0)
    5
    """
    return 2 + math.ceil(3 * seconds / 60)
