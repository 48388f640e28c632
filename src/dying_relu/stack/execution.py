"""The way in which a stack is computed, chosen by its device.

On a CPU: loops compiled for it, and Adam's kernel network by network, each of which passes over memory once. On any other device:
PyTorch's operators on all networks at once, without a loop over networks and without a number that the CPU has to wait for, so that
a step can be captured as a CUDA graph. The second way has run on one GPU (benchmarks/NOTES.md); tests run it on the CPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class Execution:
    """The choices, for devices other than the CPU unless said otherwise.

    Attributes:
        operators_on_cpu: compute with operators on the CPU, too: for tests.
        captures_steps: record a training step as a CUDA graph and replay it. It is faster; off until all parts
            of ``benchmarks/gpu.sh`` have passed on a GPU.
    """

    operators_on_cpu: bool = False
    captures_steps: bool = False


_chosen = [Execution()]
"""The last one counts."""


def by_operators(device: torch.device) -> bool:
    """Tell if stacks on ``device`` are computed by operators on all networks at once, not by the CPU's compiled loops."""
    return device.type != "cpu" or _chosen[-1].operators_on_cpu


def captures_steps(device: torch.device) -> bool:
    """Tell if training steps on ``device`` are captured as a CUDA graph."""
    return device.type == "cuda" and _chosen[-1].captures_steps


@contextmanager
def chosen(**changes: bool) -> Iterator[None]:
    """Within the block, other choices are made.

    Args:
        **changes: attributes of :class:`Execution`.
    """
    _chosen.append(replace(_chosen[-1], **changes))
    try:
        yield
    finally:
        _chosen.pop()
