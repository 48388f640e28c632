"""The part of a trained network that is in use: the effective rank of its features, and the contribution of its dead units."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.stack.network import Network
from dying_relu.stack.precision import in_float64
from dying_relu.stack.pruning import Kept, prunable, pruned
from dying_relu.training.measurement import VECTORS_AT_ONCE

RANK_TOLERANCE = 0.01
"""Share of the sum of singular values that an effective rank leaves out; Kumar et al. (2021)."""


@dataclass(frozen=True)
class Capacity:
    """A stack of K networks on its probe sets.

    Attributes:
        effective_rank: (K,) of the last hidden layer's activations on the training probe set.
        pruned_difference: (K,) the largest change of a logit on the training probe set when every unit that is dead on it is
            removed, divided by the largest absolute logit: rounding, if dead units contribute nothing. NaN with layer
            normalisation, where no unit can be removed by itself.
        pruned_answers: (K,) share of the test probe set whose predicted class changes then; NaN as above.
    """

    effective_rank: Tensor
    pruned_difference: Tensor
    pruned_answers: Tensor


@dataclass(frozen=True)
class Shown:
    """Examples, and the features that a stack makes of them.

    Attributes:
        examples: (N, ...).
        features: (K, inputs, N) what the output layer gets.
    """

    examples: Tensor
    features: Tensor


def capacity(
    network: Network,
    train: Shown,
    test: Shown,
    dead: Mapping[str, Tensor],
    woken_on_test: Mapping[str, Tensor],
    batch: int = VECTORS_AT_ONCE,
) -> Capacity:
    """Measure the capacity that every network of a stack uses.

    Args:
        network: K networks.
        train: training examples.
        test: held-out examples.
        dead: for each hidden layer by name, (K, U) bool: the units that are dead on ``train``.
        woken_on_test: the same: those of them that are not dead on ``test``. Where there is none, no answer changes.
        batch: examples that were shown at once.
    """
    features, logits = train.features, network.output.forward(train.features)
    answers = network.output.forward(test.features).argmax(1)
    if not prunable(network):
        unknown = torch.full((len(logits),), torch.nan)
        return Capacity(effective_rank(features), unknown, unknown)
    difference, changed = (torch.zeros(len(logits), dtype=torch.float64) for _ in range(2))
    seen_dead, woken = (torch.cat(list(flags.values()), 1).any(1) for flags in (dead, woken_on_test))
    for k in seen_dead.nonzero()[:, 0].tolist():
        of_smaller = _logits_without_dead_units(network, k, dead, batch)
        moved = of_smaller(train) - logits[k]
        difference[k] = float(moved.abs().max() / logits[k].abs().max())
        if woken[k]:
            changed[k] = in_float64(of_smaller(test).argmax(0) != answers[k]).mean()
    return Capacity(effective_rank(features), difference, changed)


def _logits_without_dead_units(
    network: Network, k: int, dead: Mapping[str, Tensor], batch: int
) -> Callable[[Shown], Tensor]:
    """Make a function from examples to the logits, (classes, N), of the ``k``-th network without its dead units."""
    smaller = pruned(network, k, dead)
    *lower, highest = (dead[hidden.name][k] for hidden in network.hidden)
    if any(flags.any() for flags in lower):
        return lambda shown: logits_of(smaller, shown.examples, batch)[0]
    # Below the dead units nothing changes, so the features of the others are known.
    kept = Kept.of(highest)
    return lambda shown: smaller.output.forward(
        shown.features[k, kept.columns(shown.features.shape[1])][None]
    )[0]


def logits_of(network: Network, examples: Tensor, batch: int = VECTORS_AT_ONCE) -> Tensor:
    """Logits, in batches of the size in which measurements are made, so that rounding is the same.

    Args:
        network: K networks.
        examples: (N, ...).
        batch: examples that are shown at once.

    Returns:
        (K, classes, N).
    """
    return network.output.forward(torch.cat([_last_hidden(network, x) for x in examples.split(batch)], -1))


def _last_hidden(network: Network, x: Tensor) -> Tensor:
    for layer in network.layers[:-1]:
        x = layer.forward(x)
    return x


def effective_rank(features: Tensor) -> Tensor:
    """Count the singular values, the largest first, that it takes to make 0.99 of their sum.

    Args:
        features: (K, inputs, N) float; a network with numbers that are not finite gets NaN.

    Returns:
        (K,) float64; 0 where all features are 0.

    Source: Kumar, Agarwal, Ghosh and Levine (2021), srank with delta = ``RANK_TOLERANCE``.

    >>> effective_rank(torch.eye(4)[None]), effective_rank(torch.ones(1, 4, 3))
    (tensor([4.], dtype=torch.float64), tensor([1.], dtype=torch.float64))
    """
    features = in_float64(features)
    finite = features.flatten(1).isfinite().all(1)
    values = _singular_values(torch.where(finite[:, None, None], features, 0.0))
    total = values.sum(-1, keepdim=True)
    # Rounding must not ask for one more.
    short = values.cumsum(-1) < (1 - RANK_TOLERANCE) * total * (1 - 1e-12)
    rank = (short.sum(-1) + 1.0).double() * (total[:, 0] > 0)
    return rank.where(finite, torch.nan)


def _singular_values(matrices: Tensor) -> Tensor:
    """(K, m, n) float64 -> (K, min(m, n)), the largest first, right to about 1e-8 of the largest: a hundredth of them matters here.

    The roots of the eigenvalues of A A^T, which are found in a third of the time.
    """
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    return torch.linalg.eigvalsh(wide @ wide.mT).clamp(min=0).sqrt().flip(-1)
