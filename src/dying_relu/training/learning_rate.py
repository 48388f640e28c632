"""The learning rates of a stack, and their warm-up."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dying_relu.plan.shard import Run


def learning_rates(runs: Sequence[Run], device: torch.device) -> Tensor:
    """Collect the learning rates of a stack.

    Args:
        runs: (K,) a network each.
        device: where the networks live.

    Returns:
        (K,) float32.
    """
    return torch.tensor([run.learning_rate for run in runs], dtype=torch.float32, device=device)


def warmed_up(rates: Tensor, step: int, warm_up_steps: int) -> Tensor:
    """Raise learning rates linearly; the first step has the first of the warm-up's equal parts.

    Args:
        rates: (K,) the rates after the warm-up.
        step: number of updates so far, less than ``warm_up_steps``.
        warm_up_steps: length of the warm-up.

    Returns:
        (K,) the rates of the next update.

    >>> warmed_up(torch.tensor([0.5]), 0, 5)
    tensor([0.1000])
    """
    return rates * ((step + 1) / warm_up_steps)
