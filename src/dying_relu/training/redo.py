"""ReDo: dormant units get new incoming weights, and outgoing weights of 0, every so many steps.

Source: Sokar, Agarwal, Castro and Evci (2023), algorithm 1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dying_relu.plan.shard import Run
from dying_relu.stack.network import Network
from dying_relu.stack.optimisers import Optimiser
from dying_relu.training.measurement import measure
from dying_relu.training.renewal import hidden_pairs, renew, silence, streams
from dying_relu.units import definitions

EXAMPLES = 200
"""So many training examples tell which units are dormant."""


def recycle(
    network: Network, runs: Sequence[Run], optimiser: Optimiser, examples: Tensor, labels: Tensor, seed: int
) -> Tensor:
    """Recycle the units of every network of a stack that are dormant at ``DORMANT_TAU``, in place.

    New weights come from each run's initialisation, biases are that scheme's without the initial bias: it may be what made the
    unit dormant. The optimiser forgets what it knew about the weights that are new.

    Args:
        network: K networks.
        runs: (K,) their settings.
        optimiser: theirs.
        examples: (N, ...) on which dormancy is measured; the first ``EXAMPLES`` are used.
        labels: (N,).
        seed: of the new weights; the same seed gives every network the same ones.

    Returns:
        (K,) number of recycled units.
    """
    with network.evaluation():
        statistics = measure(network, examples[:EXAMPLES], labels[:EXAMPLES]).units
    numbers = streams(runs, seed, "recycling")
    count = torch.zeros(len(runs), dtype=torch.int64, device=examples.device)
    for (layer, following), hidden in zip(hidden_pairs(network), network.hidden, strict=True):
        dormant = definitions.dormant(statistics[hidden.name], definitions.DORMANT_TAU)
        count += dormant.sum(1)
        renew(layer, dormant, runs, optimiser, numbers)
        silence(following, dormant, optimiser)
    return count
