"""Optimisers for a stack: one learning rate a network, PyTorch's update rules.

A layer does not hand its gradient over as a tensor, it says which two matrices it is the product of. SGD can then add the
product straight to the weights (one pass over memory instead of three), because the gradient of the loss was multiplied by
minus the learning rate before it was sent back through the network, and everything a layer does to it is linear. Where an
optimiser needs the gradient itself (Adam), ``gradient_scale`` is 1, the product is written out, and the update follows when the
backward pass is done.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from dying_relu.stack.adam_together import Constants, update_together
from dying_relu.stack.execution import by_operators
from dying_relu.stack.precision import in_float64


class Parameter:
    """A tensor that is learned: (K, ...), the same shape for each of the K networks."""

    def __init__(self, value: Tensor) -> None:
        self.value = value.contiguous()


class Optimiser(Protocol):
    """Updates parameters while a network goes backward through its layers."""

    gradient_scale: Tensor
    """(K,): the factor by which the gradient of each network's loss is multiplied before it is sent back."""

    def add_product(self, parameter: Parameter, left: Tensor, right: Tensor) -> None:
        """Take the scaled gradient ``left @ right``.

        Args:
            parameter: (K, m, p).
            left: (K, m, n).
            right: (K, n, p), or (n, p) shared by all networks.
        """

    def add(self, parameter: Parameter, gradient: Tensor) -> None:
        """Take the scaled gradient.

        Args:
            parameter: (K, ...).
            gradient: of its shape.
        """

    def finish_step(self) -> None:
        """End the backward pass of a minibatch."""

    def set_rates(self, learning_rate: Tensor) -> None:
        """Overwrite the learning rates, in place: a captured step reads the same tensors.

        Args:
            learning_rate: (K,), from the next step on.
        """

    def forget(self, parameter: Parameter, where: Tensor) -> None:
        """Set the moments of a parameter to 0 where the parameter is new.

        Args:
            parameter: (K, ...).
            where: bool, of its shape.
        """

    def state(self, parameters: Sequence[Parameter]) -> list[Tensor]:
        """List the moments and counts that are kept from step to step.

        Args:
            parameters: (K, ...) each.

        Returns:
            Tensors that every step changes in place: moments of the parameters' shapes, and a count of steps where the rule has one.
        """


def add_matrix_product(target: Tensor, left: Tensor, right: Tensor, beta: float = 1.0) -> None:
    """Compute target = beta * target + left @ right, in place.

    Args:
        target: (K, m, p).
        left: (K, m, n).
        right: (K, n, p), or (n, p) shared by all networks.
        beta: 0 overwrites the target.
    """
    if right.dim() == 2:
        target.view(-1, target.shape[-1]).addmm_(left.flatten(0, 1), right, beta=beta)
    else:
        target.baddbmm_(left, right, beta=beta)


def per_network(values: Tensor, parameter: Parameter) -> Tensor:
    """Shape one value a network so that it multiplies every number of a parameter.

    Args:
        values: (K,).
        parameter: (K, ...).

    Returns:
        (K, 1, ...) of the parameter's type and device.
    """
    # The type first: the device may lack that of ``values``.
    return (
        values.to(parameter.value.dtype)
        .to(parameter.value.device)
        .view(-1, *[1] * (parameter.value.dim() - 1))
    )


class SGD:
    """Stochastic gradient descent: w <- w - learning_rate * (gradient + weight_decay * w), torch.optim.SGD's formula."""

    def __init__(self, learning_rate: Tensor, weight_decay: float = 0.0) -> None:
        self.weight_decay = weight_decay
        self.gradient_scale = -learning_rate
        self.kept = 1 - in_float64(learning_rate) * self.weight_decay

    def set_rates(self, learning_rate: Tensor) -> None:
        self.gradient_scale.copy_(-learning_rate)
        self.kept.copy_(1 - in_float64(learning_rate) * self.weight_decay)

    def add_product(self, parameter: Parameter, left: Tensor, right: Tensor) -> None:
        add_matrix_product(self._decayed(parameter), left, right)

    def add(self, parameter: Parameter, gradient: Tensor) -> None:
        self._decayed(parameter).add_(gradient)

    def finish_step(self) -> None: ...

    def forget(self, parameter: Parameter, where: Tensor) -> None: ...

    def state(self, parameters: Sequence[Parameter]) -> list[Tensor]:
        return []

    def _decayed(self, parameter: Parameter) -> Tensor:
        return (
            parameter.value.mul_(per_network(self.kept, parameter)) if self.weight_decay else parameter.value
        )


class Momentum:
    """SGD with momentum, torch.optim.SGD's convention: v <- momentum * v + gradient + weight_decay * w; w <- w - learning_rate * v.

    The velocity kept here is -learning_rate * v, and is scaled when the rate changes.
    """

    def __init__(self, learning_rate: Tensor, momentum: float, weight_decay: float = 0.0) -> None:
        self.momentum, self.weight_decay = momentum, weight_decay
        self.velocity: dict[Parameter, Tensor] = {}
        self.gradient_scale = -learning_rate
        self.decay = in_float64(self.gradient_scale) * self.weight_decay

    def set_rates(self, learning_rate: Tensor) -> None:
        change = in_float64(learning_rate) / -in_float64(self.gradient_scale)
        for parameter, velocity in self.velocity.items():
            velocity.mul_(per_network(change, parameter))
        self.gradient_scale.copy_(-learning_rate)
        self.decay.copy_(in_float64(self.gradient_scale) * self.weight_decay)

    def add_product(self, parameter: Parameter, left: Tensor, right: Tensor) -> None:
        if self.weight_decay:
            velocity = self._slowed(parameter)
            add_matrix_product(velocity, left, right)
        else:
            velocity = self._velocity(parameter)
            add_matrix_product(velocity, left, right, beta=self.momentum)
        parameter.value.add_(velocity)

    def add(self, parameter: Parameter, gradient: Tensor) -> None:
        parameter.value.add_(self._slowed(parameter).add_(gradient))

    def finish_step(self) -> None: ...

    def forget(self, parameter: Parameter, where: Tensor) -> None:
        self._velocity(parameter).masked_fill_(where, 0.0)

    def state(self, parameters: Sequence[Parameter]) -> list[Tensor]:
        return [self._velocity(parameter) for parameter in parameters]

    def _slowed(self, parameter: Parameter) -> Tensor:
        velocity = self._velocity(parameter).mul_(self.momentum)
        if self.weight_decay:
            velocity.addcmul_(parameter.value, per_network(self.decay, parameter))
        return velocity

    def _velocity(self, parameter: Parameter) -> Tensor:
        if parameter not in self.velocity:
            self.velocity[parameter] = torch.zeros_like(parameter.value)
        return self.velocity[parameter]


class Adam:
    """Adam with bias correction (Kingma & Ba, 2015) and decoupled weight decay (Loshchilov & Hutter, 2019): torch.optim.AdamW's formula.

    On a CPU the networks take turns: PyTorch's fused kernel passes over the weights once, where the formula written in tensor
    operations passes nine times, but it has one learning rate a call. On other devices they are updated together.
    """

    def __init__(
        self, learning_rate: Tensor, beta1: float, beta2: float, epsilon: float, weight_decay: float = 0.0
    ) -> None:
        self.gradient_scale = torch.ones_like(learning_rate)
        self.rates = learning_rate.clone()
        self.constants = Constants(beta1, beta2, epsilon, weight_decay)
        self.steps = learning_rate.new_zeros(())
        self.states: dict[Parameter, AdamState] = {}
        self.turns: list[list[list[Tensor]]] = []

    def set_rates(self, learning_rate: Tensor) -> None:
        self.rates.copy_(learning_rate)

    def add_product(self, parameter: Parameter, left: Tensor, right: Tensor) -> None:
        add_matrix_product(self._state(parameter).gradient, left, right, beta=0.0)

    def add(self, parameter: Parameter, gradient: Tensor) -> None:
        self._state(parameter).gradient.copy_(gradient)

    def finish_step(self) -> None:
        self.steps += 1
        if by_operators(self.steps.device):
            update_together(*self._tensors(), self.rates, self.steps, self.constants)
        else:
            self._take_turns()

    def forget(self, parameter: Parameter, where: Tensor) -> None:
        for moment in self._state(parameter)[1:]:
            moment.masked_fill_(where, 0.0)

    def state(self, parameters: Sequence[Parameter]) -> list[Tensor]:
        return [self.steps, *(moment for parameter in parameters for moment in self._state(parameter)[1:])]

    def _take_turns(self) -> None:
        self.turns = self.turns or self._turns()
        steps, constants = [self.steps] * len(self.states), self.constants
        for rate, turn in zip(self.rates.tolist(), self.turns, strict=True):
            values, gradients, first_moments, second_moments = turn
            torch._fused_adamw_(
                values, gradients, first_moments, second_moments, [], steps,
                lr=rate, beta1=constants.beta1, beta2=constants.beta2, eps=constants.epsilon,
                weight_decay=constants.weight_decay, amsgrad=False, maximize=False,
            )  # fmt: skip

    def _turns(self) -> list[list[list[Tensor]]]:
        """For each network what :meth:`_tensors` has of the stack, as views."""
        kinds = self._tensors()
        return [[[tensor[k] for tensor in kind] for kind in kinds] for k in range(len(self.rates))]

    def _tensors(self) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
        """The parameters that have had a gradient, their gradients, first and second moments."""
        states = self.states.values()
        return (
            [parameter.value for parameter in self.states],
            [state.gradient for state in states],
            [state.first_moment for state in states],
            [state.second_moment for state in states],
        )

    def _state(self, parameter: Parameter) -> "AdamState":
        if parameter not in self.states:
            self.states[parameter] = AdamState(*(torch.zeros_like(parameter.value) for _ in range(3)))
        return self.states[parameter]


class AdamState(NamedTuple):
    """Numbers that Adam keeps for a parameter, each of its shape."""

    gradient: Tensor
    first_moment: Tensor
    second_moment: Tensor
