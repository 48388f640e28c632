"""What a run will cost, estimated from its arithmetic: how shards are cut, and what ``dying-relu plan`` promises.

The constants were measured on one core of a current server CPU (float32, one thread) and are meant to be right within a
factor of two; Snakemake's benchmarks in ``results/<study>/benchmarks/`` say what a shard really took.
"""

from typing import TYPE_CHECKING, NamedTuple

from dying_relu.configuration import IMAGE_SETS, MLP, Architecture

if TYPE_CHECKING:
    from dying_relu.study import Shard

# Useful floating-point operations per second and core.
FLOPS_PER_SECOND = {"mlp": 60e9, "cnn": 45e9}
# Adam reads and writes every weight and both its moments at every step, which no matrix product hides.
SLOWDOWN = {"sgd": 1.0, "adam": 2.0}
# Measuring a network costs so many forward passes over the probe sets; quantiles over examples need sorting.
FORWARD_PASSES_TO_MEASURE = 2.0
FORWARD_PASSES_TO_RECORD_UNITS = 6.0
START_UP_SECONDS = 2.5

START_UP_BYTES = 500 * 2**20
BYTES_PER_NUMBER = 4
# Examples used are held as float32, beside the scratch memory to normalise them.
COPIES_OF_THE_DATA = 1.5
BYTES_PER_ROW = 400
NETWORKS_MEASURED_AT_ONCE = 8


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


def bytes_per_run(shard: "Shard") -> int:
    """Bytes of results and weights that each run of ``shard`` adds to its job."""
    network = size(shard.architecture, shard.dataset.name)
    rows_per_checkpoint = 1 + 2 * network.layers + (network.units if shard.record_units else 0)
    return (
        rows_per_checkpoint * len(shard.checkpoints) * BYTES_PER_ROW
        + 4 * network.parameters * BYTES_PER_NUMBER
    )


def fixed_bytes(shard: "Shard") -> int:
    """Bytes that a job of ``shard`` needs whatever the number of its runs: Python, the data, one measurement."""
    images = IMAGE_SETS[shard.dataset.name]
    pixels = images.channels * images.side**2
    data = (shard.dataset.train + shard.dataset.test) * pixels * BYTES_PER_NUMBER
    probe = max(shard.probe_train, shard.probe_test)
    activations = size(shard.architecture, shard.dataset.name).activations
    measuring = probe * activations * BYTES_PER_NUMBER * NETWORKS_MEASURED_AT_ONCE
    return int(START_UP_BYTES + COPIES_OF_THE_DATA * data + measuring)


def seconds(shard: "Shard") -> float:
    """Seconds on one core for the job of ``shard``."""
    return START_UP_SECONDS + len(shard.runs) * seconds_per_run(shard)


def memory(shard: "Shard") -> int:
    """Bytes of memory for the job of ``shard``."""
    return fixed_bytes(shard) + len(shard.runs) * bytes_per_run(shard)
