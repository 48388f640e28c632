"""The compiled reductions of :mod:`dying_relu.units.reductions` against the tensor operations that replace them without numba.

``python -m benchmarks.reductions`` prints a row a shape; both ways in turn, and the median of the ratios of a round.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from unittest import mock

import torch
from torch import Tensor

from dying_relu.probing.statistics import relu_statistics
from dying_relu.units import reductions

STACKS = {
    "stack of 24 MLPs, 200 x 64": (24, 200, 64),
    "stack of 8 CNNs, 39200 x 16": (8, 200 * 196, 16),
    "stack of 24 CNNs, 9800 x 32": (24, 200 * 49, 32),
}
"""What a training measures: networks, examples and positions, units."""

LAYERS = {
    "layer 16 x 20": (16, 20),
    "layer 256 x 256": (256, 256),
    "convolution 64 x 64 x 32 x 32": (64, 64, 32, 32),
    "convolution 64 x 512 x 7 x 7": (64, 512, 7, 7),
}
"""What a probe measures: examples, units, positions."""


def run(rounds: int = 15) -> dict[str, tuple[float, float]]:
    """Measure every shape.

    Args:
        rounds: in each of them both ways are timed once.

    Returns:
        Name of the shape -> milliseconds compiled, and how many times as long the tensor operations take.
    """
    actions: dict[str, Callable[[], object]] = {
        name: partial(_reduce_stack, torch.randn(shape)) for name, shape in STACKS.items()
    }
    actions |= {name: partial(relu_statistics, torch.randn(shape), 1) for name, shape in LAYERS.items()}
    return {name: _compare(action, rounds) for name, action in actions.items()}


def _reduce_stack(z: Tensor) -> object:
    return reductions.reduce(z, z, z, axis=-2)


def _compare(action: Callable[[], object], rounds: int) -> tuple[float, float]:
    compiled, ratios = [], []
    for _ in range(rounds + 1):
        seconds = _seconds(action)
        with mock.patch.object(reductions, "compiled", return_value=None):
            ratios.append(_seconds(action) / seconds)
        compiled.append(seconds)
    # The first round compiles.
    return 1000 * statistics.median(compiled[1:]), statistics.median(ratios[1:])


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, (milliseconds, times) in run().items():
        print(f"{name:32s} {milliseconds:8.3f} ms, tensor operations {times:.2f} times as long")
