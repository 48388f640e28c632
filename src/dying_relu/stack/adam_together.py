"""Adam's update of all networks and parameters of a stack at once, for devices on which many small kernels are slow."""

from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.stack.precision import in_float64


@dataclass(frozen=True)
class Constants:
    """The constants of Adam's formula."""

    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float


def update_together(
    values: list[Tensor],
    gradients: list[Tensor],
    first_moments: list[Tensor],
    second_moments: list[Tensor],
    rates: Tensor,
    steps: Tensor,
    constants: Constants,
) -> None:
    """Update parameters and moments in place by torch.optim.AdamW's formula.

    A few kernels for each step and two for each parameter, whatever the number of networks. Everything that changes from step to step
    is in tensors, so that the update can be captured.

    Args:
        values: (K, ...) each.
        gradients: of the same shapes, as are both moments.
        first_moments: changed in place.
        second_moments: changed in place.
        rates: (K,) learning rates.
        steps: () number of updates, this one included.
        constants: of the formula.
    """
    beta1, beta2 = constants.beta1, constants.beta2
    torch._foreach_lerp_(first_moments, gradients, 1 - beta1)
    torch._foreach_mul_(second_moments, beta2)
    torch._foreach_addcmul_(second_moments, gradients, gradients, 1 - beta2)
    count, rate = in_float64(steps), in_float64(rates)
    # As in AdamW: lr / (1 - beta1^t) * first / (sqrt(second) / sqrt(1 - beta2^t) + epsilon).
    sizes = -rate / (1 - beta1**count)
    kept = 1 - rate * constants.weight_decay
    correction = (1 - beta2**count).sqrt().to(values[0].dtype).to(values[0].device)
    denominators = torch._foreach_sqrt(second_moments)
    torch._foreach_div_(denominators, correction)
    torch._foreach_add_(denominators, constants.epsilon)
    directions = torch._foreach_div(first_moments, denominators)
    for value, direction in zip(values, directions, strict=True):
        if constants.weight_decay:
            value.mul_(_broadcast(kept, value))
        value.addcmul_(direction, _broadcast(sizes, value))


def _broadcast(of_networks: Tensor, value: Tensor) -> Tensor:
    """(K,) -> (K, 1, ...) of the type and device of ``value``; the type first, since a device may lack float64."""
    return of_networks.to(value.dtype).to(value.device).view(-1, *[1] * (value.dim() - 1))
