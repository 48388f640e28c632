"""The memory that a job needs, and how many of its networks are trained as one stack.

The stack size is chosen, not configured: from the architecture, the optimiser, the cache and the memory limit. A larger
stack shares the fixed cost of every operation among more networks; a smaller one keeps their weights in the cache. Over
the networks in benchmarks/NOTES.md the best stack's weights fill about three second-level caches, whatever the network's
size, and half or twice of it costs less than a tenth of the speed. What a run computes does not depend on its stack.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dying_relu.configuration import IMAGE_SETS, Architecture, Optimiser
from dying_relu.plan import cost
from dying_relu.plan.gpu import is_gpu
from dying_relu.stack.normalisation import NORMALISATIONS

if TYPE_CHECKING:
    from dying_relu.plan.shard import Shard

START_UP_BYTES = 560 * 2**20
BYTES_PER_NUMBER = 4
# Examples used are held as float32, beside the scratch memory to normalise them.
COPIES_OF_THE_DATA = 1.5
BYTES_PER_ROW = 400
# In dying_relu.training.full_count, which planning does not import because of torch.
VECTORS_COUNTED_AT_ONCE, IMAGES_COUNTED_AT_ONCE = 1200, 200
NUMBERS_OF_EXAMPLES_COUNTED = 4
# Of activations, in training and in measuring: before and after the non-linearity, derivatives, gradients.
COPIES_OF_ACTIVATIONS = 5
# Inputs and pre-activations of the probe set, at this checkpoint and the one before.
COPIES_WHEN_TRACED = 4
# Of one network's parameters while its curvature is estimated: as they are and moved, gradients, the vectors of Lanczos's method.
COPIES_FOR_CURVATURE = 12
NUMBERS_IN_FLOAT64 = 2
# Of weights and moments, when the state of training is saved.
COPIES_WHEN_SAVED = 3

CACHES_FILLED_WITH_WEIGHTS = 3.0
# Velocities and moments pass through the cache too.
FILLED_WITH_MOMENTS = 2.0
LARGEST_STACK = 64
# Measured on a GPU (benchmarks/NOTES.md): grouped convolutions of more networks are no faster, or much slower.
LARGEST_CONVOLUTIONAL_STACK_ON_GPU = 64
# Of one example in all networks of a convolutional stack: more operators are saved with more networks, and memory is slower. The number
# of networks is even: eight channels each fill oneDNN's blocks of sixteen in pairs (benchmarks/NOTES.md).
ACTIVATIONS_SIDE_BY_SIDE = 2**16
USUAL_CACHE = 2 * 2**20
"""What memory is planned with, before it is known on which machine a job will run; no stack fills a larger one."""
CACHE_SIZE_IN_LINUX = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")


def of_job(shard: "Shard") -> int:
    """Estimate the bytes that the job of ``shard`` needs; never more than its memory limit."""
    runs, on_gpu = len(shard.runs), is_gpu(shard.device)
    stack = max(stack_size(shard, name, on_gpu, USUAL_CACHE) for name in shard.optimisers)
    return fixed(shard) + runs * per_run(shard) + min(runs, stack) * in_stack(shard)


def stack_size(shard: "Shard", optimiser: str, on_gpu: bool, cache: int) -> int:
    """Count the networks per stack for runs of ``shard``: on a CPU the fastest, on a GPU as many as the memory limit admits,
    of convolutional networks no more than convolve fast.

    Args:
        shard: what is trained.
        optimiser: name of the runs' optimiser.
        on_gpu: whether it is trained on a GPU.
        cache: bytes of a core's second-level cache.
    """
    spare = shard.memory_limit - fixed(shard) - len(shard.runs) * per_run(shard)
    fit = max(1, spare // in_stack(shard))
    if on_gpu:
        return min(fit, LARGEST_CONVOLUTIONAL_STACK_ON_GPU) if shard.architecture.is_convolutional else fit
    return min(fit, fastest_stack(shard.architecture, shard.dataset.name, shard.optimisers[optimiser], cache))


def fastest_stack(architecture: Architecture, dataset: str, optimiser: Optimiser, cache: int) -> int:
    """Count the networks that a core trains fastest together.

    Args:
        architecture: theirs.
        dataset: name of the data set.
        optimiser: theirs.
        cache: bytes of a core's second-level cache.

    >>> from dying_relu.configuration import MLP, SGD
    >>> fastest_stack(MLP(kind="mlp", widths=[128, 128]), "mnist", SGD(kind="sgd"), 2 * 2**20)
    13
    """
    size = cost.size(architecture, dataset)
    if architecture.is_convolutional:
        return max(1, 2 * int(ACTIVATIONS_SIDE_BY_SIDE / size.activations / 2))
    weights = BYTES_PER_NUMBER * size.parameters
    filled = FILLED_WITH_MOMENTS if optimiser.moments else CACHES_FILLED_WITH_WEIGHTS
    return max(1, min(round(filled * cache / weights), LARGEST_STACK))


def second_level_cache() -> int:
    """Find the bytes of a core's second-level cache, as far as memory is planned for it; where Linux does not say, 2 MiB."""
    try:
        text = CACHE_SIZE_IN_LINUX.read_text(encoding="ascii").strip()
        return min(int(text.removesuffix("K")) * 2**10, USUAL_CACHE)
    except (OSError, ValueError):
        return USUAL_CACHE


def of_machine() -> int | None:
    """Find the bytes of this machine's memory; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def per_run(shard: "Shard") -> int:
    """Estimate the bytes of results that each run of ``shard`` adds to its job."""
    network = cost.size(shard.architecture, shard.dataset.name)
    rows_per_checkpoint = 1 + 2 * network.layers + (network.units if shard.record_units else 0)
    rows_of_activity = NUMBERS_OF_EXAMPLES_COUNTED * network.units if shard.activity_counts else 0
    return (rows_per_checkpoint * len(shard.checkpoints) + rows_of_activity) * BYTES_PER_ROW


def in_stack(shard: "Shard") -> int:
    """Estimate the bytes that each network of a stack needs while it trains: weights, gradients, moments, activations."""
    network = cost.size(shard.architecture, shard.dataset.name)
    optimisers, interventions = shard.optimisers.values(), shard.interventions.values()
    kept_until_clipped = any(optimiser.clip_norm is not None for optimiser in optimisers)
    moments = max(optimiser.moments for optimiser in optimisers)
    # Those of the checkpoint before, where single units are followed.
    kept_until_measured = shard.record_units
    # As they were before a step, or before the damage, whose optimiser has moments of its own.
    kept_to_undo = any(map(len, interventions)) * (1 + moments)
    kept = kept_until_clipped + kept_until_measured + kept_to_undo + moments
    numbers = (2 + kept) * network.parameters
    normalisation = NORMALISATIONS.get(shard.architecture.normalisation)
    copies = COPIES_OF_ACTIVATIONS + (normalisation.copies if normalisation else 0)
    numbers += COPIES_WHEN_SAVED * (1 + kept_until_measured + moments) * network.parameters
    numbers += COPIES_WHEN_TRACED * kept_until_measured * shard.probe_train * network.activations
    counted = IMAGES_COUNTED_AT_ONCE if shard.architecture.is_convolutional else VECTORS_COUNTED_AT_ONCE
    numbers += copies * max(shard.batch_size, counted) * network.activations
    return numbers * BYTES_PER_NUMBER


def fixed(shard: "Shard") -> int:
    """Estimate the bytes that a job of ``shard`` needs whatever the number of its runs: Python and the data."""
    images = IMAGE_SETS[shard.dataset.name]
    pixels = images.channels * images.side**2
    data = (shard.dataset.train + shard.dataset.test) * pixels * BYTES_PER_NUMBER
    changed = any(map(bool, shard.inputs.values()))
    return int(START_UP_BYTES + (COPIES_OF_THE_DATA + changed) * data + curvature(shard))


def curvature(shard: "Shard") -> int:
    """Estimate the bytes that it takes to estimate the curvature of one network after the other; 0 where that is not asked for."""
    if not shard.curvature_steps:
        return 0
    network = cost.size(shard.architecture, shard.dataset.name)
    normalisation = NORMALISATIONS.get(shard.architecture.normalisation)
    copies = COPIES_OF_ACTIVATIONS + (normalisation.copies if normalisation else 0)
    numbers = COPIES_FOR_CURVATURE * network.parameters
    numbers += copies * cost.EXAMPLES_OF_A_CURVATURE * network.activations
    return numbers * NUMBERS_IN_FLOAT64 * BYTES_PER_NUMBER
