"""The definitions of dead, nearly dead, inactive, saturated and dormant units, of their death and revival, and of the outcomes of runs.

A *unit* is one output of a hidden layer's non-linearity; for a convolution one channel, all its positions together.
Every definition is relative to a *probe set* D, the examples that were shown. What is needed from D is gathered batch by
batch in :class:`~dying_relu.units.statistics.UnitStatistics`; the definitions are functions of it. The training engine and the probe both
count with this module, so the paper and its users mean the same thing.

>>> z = torch.tensor([[-1.0, -2.0], [-1.0, 3.0]])          # two units, two examples
>>> statistics = UnitStatistics.of(z, z.relu(), (z > 0).float(), axis=-1)
>>> dead(statistics)
tensor([ True, False])
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from dying_relu.units.statistics import UnitStatistics

SATURATION_TOLERANCE = 1e-3
"""A derivative at most this large everywhere on D passes (almost) no gradient."""

DORMANT_TAU = 0.025
"""The usual threshold of dormancy: that of the probe and of ReDo. Source: Sokar et al. (2023)."""
DORMANT_TAUS = {"dormant_0": 0.0, "dormant_0025": DORMANT_TAU, "dormant_01": 0.1}
"""The thresholds that a study's tables count with, by the name of their column. Source: Sokar et al. (2023)."""


NEARLY_DEAD_SHARE = 0.02
"""A living unit that is active on a smaller share of D is nearly dead."""

DIVERGED, COLLAPSED, TRAINED = "diverged", "collapsed", "trained"
OUTCOMES = (DIVERGED, COLLAPSED, TRAINED)
"""The outcomes of a run; each has exactly one."""
DIVERGED_LOSS_RATIO = 1.05
"""A run has diverged if its loss at the end is more than so many times that at the start. Not 1: where every unit is dead from the start,
the loss starts at ln(classes), the least that guessing without knowledge costs, and at high rates the output's biases jitter above it."""
CHANCE_LEVEL = 0.001
"""The level of the test that an accuracy is above chance."""


def inactive(statistics: UnitStatistics) -> Tensor:
    """Units whose pre-activation is at most 0 on every example of D.

    Args:
        statistics: of D; tensors of shape (..., units).

    Returns:
        (..., units) bool.
    """
    return statistics.pre_activation_max <= 0


def dead(statistics: UnitStatistics) -> Tensor:
    """Units that output 0 on every example of D and pass no gradient from any example to their weights.

    For ReLU the same as :func:`inactive`. A leaky unit can be inactive and is not dead. Exact zeros are meant: a
    GELU unit is dead only where float32 has rounded both its output and its derivative to 0.

    Args:
        statistics: of D; tensors of shape (..., units).

    Returns:
        (..., units) bool.

    Source: Lu et al. (2020) call such a unit dead on the whole domain; here, dead on D.
    """
    silent = (statistics.activation_max == 0) & (statistics.derivative_max == 0)
    # A unit that was infinite somewhere is not judged, even if ReLU has made 0 of minus infinity.
    return silent & statistics.pre_activation_min.isfinite() & statistics.pre_activation_max.isfinite()


def nearly_dead(statistics: UnitStatistics) -> Tensor:
    """Units that are not dead on D, and active on less than 2 % of its examples (and positions).

    Args:
        statistics: of D; tensors of shape (..., units).

    Returns:
        (..., units) bool.
    """
    return ~dead(statistics) & (statistics.active_share < NEARLY_DEAD_SHARE)


def saturated(statistics: UnitStatistics) -> Tensor:
    """Units whose derivative is at most ``SATURATION_TOLERANCE`` in size on every example of D.

    Args:
        statistics: of D; tensors of shape (..., units).

    Returns:
        (..., units) bool.
    """
    return statistics.derivative_max <= SATURATION_TOLERANCE


def dormancy(statistics: UnitStatistics) -> Tensor:
    """Mean |activation| of each unit over D, divided by the mean of the same over its layer (last axis).

    The scores of a layer average to 1. In a layer whose every unit outputs 0 the ratio is 0/0 and defined as 0:
    nothing there is more awake than the rest. In a layer with a unit that is not a number no other can be compared.

    Args:
        statistics: of D; tensors of shape (..., units), the units of one layer.

    Returns:
        (..., units) float.

    Source: Sokar et al. (2023).
    """
    mean = statistics.mean_abs_activation
    layer = mean.mean(-1, keepdim=True)
    return torch.where(layer == 0, torch.zeros_like(mean), mean / layer)


def dormant(statistics: UnitStatistics, tau: float) -> Tensor:
    """Units whose dormancy is at most tau, called tau-dormant.

    tau = 0 is exact death for ReLU; ``DORMANT_TAUS`` are usual.

    Args:
        statistics: of D; tensors of shape (..., units), the units of one layer.
        tau: the threshold, at least 0.

    Returns:
        (..., units) bool.

    Source: Sokar et al. (2023).
    """
    return dormancy(statistics) <= tau


def died(dead_before: Tensor, dead_now: Tensor) -> Tensor:
    """Units that were alive at an earlier checkpoint and are dead at a later one.

    Args:
        dead_before: (..., units) bool, at the earlier one.
        dead_now: (..., units) bool, at the later one.

    Returns:
        (..., units) bool.
    """
    return ~dead_before & dead_now


def revived(dead_before: Tensor, dead_now: Tensor) -> Tensor:
    """Units that were dead at an earlier checkpoint and are alive at a later one.

    Args:
        dead_before: (..., units) bool, at the earlier one.
        dead_now: (..., units) bool, at the later one.

    Returns:
        (..., units) bool.
    """
    return dead_before & ~dead_now


def overflowed(losses: Iterable[Tensor], parameters: Iterable[Tensor] = ()) -> Tensor:
    """Networks of which a loss or a parameter is infinite or not a number.

    Looked at after every step of training (the loss on its minibatch) and at every checkpoint (the losses on the probe sets, and the
    parameters). A network that has overflowed once stays so.

    Args:
        losses: (K,) each, of K networks.
        parameters: (K, ...) each.

    Returns:
        (K,) bool.

    >>> overflowed([torch.tensor([1.0, 1.0, torch.nan])], [torch.tensor([[0.0], [torch.inf], [0.0]])])
    tensor([False,  True,  True])
    """
    return ~torch.stack([_finite(numbers) for numbers in (*losses, *parameters)]).all(0)


def _finite(numbers: Tensor) -> Tensor:
    """Networks all of whose numbers are finite: (K, ...) -> (K,) bool."""
    of_network = numbers.reshape(len(numbers), -1)
    # NaN is the largest and the smallest; to look at every number takes ten times as long.
    return of_network.amax(1).isfinite() & of_network.amin(1).isfinite()


def outcome(
    *,
    overflowed: Tensor,
    initial_loss: Tensor,
    final_loss: Tensor,
    constant: Tensor,
    correct: Tensor,
    examples: int,
    chance: float,
) -> list[str]:
    """Outcomes of runs: diverged (overflowed, or with a loss 5 % above that at the start), else collapsed (one predicted class for all
    training examples, or a test accuracy that is not above chance), else trained.

    Chance is the share of the largest class in the test set. An accuracy is above it if at least so many of as many guesses, each right
    with that probability, are right with a probability of at most ``CHANCE_LEVEL`` (exact, one-sided binomial test).

    Args:
        overflowed: (K,) bool.
        initial_loss: (K,) mean training loss before training, on the training probe set.
        final_loss: (K,) mean training loss at the end, on all training examples.
        constant: (K,) bool, whether the predicted class is the same for all training examples.
        correct: (K,) number of test examples classified correctly.
        examples: number of test examples.
        chance: share of the largest class among them.

    Returns:
        (K,) one of ``OUTCOMES`` each.

    >>> outcome(overflowed=torch.tensor([True, False, False]), initial_loss=torch.tensor([2.3, 2.3, 2.3]),
    ...     final_loss=torch.tensor([torch.nan, 2.3, 1.0]), constant=torch.tensor([False, False, False]),
    ...     correct=torch.tensor([0, 120, 700]), examples=1000, chance=0.1)
    ['diverged', 'collapsed', 'trained']
    """
    diverged = overflowed | (final_loss > DIVERGED_LOSS_RATIO * initial_loss)
    collapsed = constant | (correct < least_above_chance(examples, chance))
    return [
        DIVERGED if is_diverged else COLLAPSED if is_collapsed else TRAINED
        for is_diverged, is_collapsed in zip(diverged.tolist(), collapsed.tolist(), strict=True)
    ]


def least_above_chance(examples: int, chance: float) -> int:
    """Find the least number of correct answers that is above chance at ``CHANCE_LEVEL``.

    Args:
        examples: number of answers.
        chance: probability that a guess is right.

    >>> least_above_chance(10_000, 0.1135)
    1235
    """
    # Only a study needs it, and the probe comes without SciPy, whose statistics take a second to import: a quarter of a small job.
    from scipy.special import bdtrc

    # bdtrc(k, n, p): the probability of more than k.
    more_than = bdtrc(torch.arange(examples + 1).numpy(), examples, chance)
    return int((more_than <= CHANCE_LEVEL).argmax()) + 1
