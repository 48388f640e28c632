"""Units chosen at random, the same ones in twins as far as they can be chosen there."""

import torch
from torch import Tensor

from dying_relu.stack.initialisation import random_stream


def some(candidates: Tensor, numbers: Tensor, seed: int, purpose: str) -> Tensor:
    """Choose some units of a layer in each network, in one random order for all networks.

    Args:
        candidates: (K, U) bool, the units to choose from.
        numbers: (K,) how many; all candidates where there are fewer.
        seed: the replicate's.
        purpose: of the random order, such as a step and a layer.

    Returns:
        (K, U) bool.
    """
    order = torch.randperm(candidates.shape[1], generator=random_stream(seed, purpose)).to(candidates.device)
    ordered = candidates[:, order]
    chosen = ordered & (ordered.cumsum(1) <= numbers[:, None])
    return torch.zeros_like(candidates).index_copy_(1, order, chosen)
