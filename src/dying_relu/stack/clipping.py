"""Gradient clipping by the norm of a network's whole gradient."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dying_relu.stack.execution import by_operators
from dying_relu.stack.optimisers import Optimiser, Parameter, add_matrix_product, per_network

SAFE = 1e-6
"""Added to the norm before dividing by it, as torch.nn.utils.clip_grad_norm_ does."""


class Clipped:
    """An optimiser that gets each network's gradient scaled down to a norm of at most ``largest_norm``.

    The norm is known only when the backward pass is done, so the gradients are kept until then: a pass over memory more than
    the optimiser would take by itself.

    Source: Pascanu, Mikolov and Bengio (2013), algorithm 1; PyTorch's ``clip_grad_norm_``, network by network.
    """

    def __init__(self, optimiser: Optimiser, largest_norm: float) -> None:
        self.optimiser, self.largest_norm = optimiser, largest_norm
        self.gradient_scale = torch.ones_like(optimiser.gradient_scale)
        self.gradients: dict[Parameter, Tensor] = {}

    def add_product(self, parameter: Parameter, left: Tensor, right: Tensor) -> None:
        add_matrix_product(self._gradient(parameter), left, right, beta=0.0)

    def add(self, parameter: Parameter, gradient: Tensor) -> None:
        self._gradient(parameter).copy_(gradient)

    def finish_step(self) -> None:
        scale = (self.largest_norm / (self._norms() + SAFE)).clamp(max=1.0) * self.optimiser.gradient_scale
        for parameter, gradient in self.gradients.items():
            self.optimiser.add(parameter, gradient * per_network(scale, parameter))
        self.optimiser.finish_step()

    def _norms(self) -> Tensor:
        """(K,) norm of each network's whole gradient."""
        gradients = list(self.gradients.values())
        if by_operators(gradients[0].device):
            rows = [gradient.reshape(len(gradient), -1) for gradient in gradients]
            of_parameters = [torch.linalg.vector_norm(numbers, dim=1) for numbers in rows]
            return torch.linalg.vector_norm(torch.stack(of_parameters), dim=0)
        # Network by network: how PyTorch sums the rows of a matrix may depend on how many there are.
        of_each = zip(*(gradient.unbind() for gradient in gradients), strict=True)
        return torch.stack([torch.stack([part.norm() for part in parts]).norm() for parts in of_each])

    def set_rates(self, learning_rate: Tensor) -> None:
        self.optimiser.set_rates(learning_rate)

    def forget(self, parameter: Parameter, where: Tensor) -> None:
        self.optimiser.forget(parameter, where)

    def state(self, parameters: Sequence[Parameter]) -> list[Tensor]:
        return self.optimiser.state(parameters)

    def _gradient(self, parameter: Parameter) -> Tensor:
        if parameter not in self.gradients:
            self.gradients[parameter] = torch.zeros_like(parameter.value)
        return self.gradients[parameter]
