"""PyTorch's own answer: its tutorial on ensembles, with the gradient of each network by ``vmap`` over ``grad``."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn import functional

from benchmarks.cases import SEED, Case, Examples
from benchmarks.methods import plain
from benchmarks.methods.base import Method, autocast
from dying_relu import configuration
from dying_relu.training.trainer import minibatch_order

State = dict[str, Tensor]
"""Name of a parameter -> its values in all networks, (K, ...)."""


class TorchFunc(Method):
    """``stack_module_state``, ``functional_call``, ``grad`` and ``vmap``; all networks share the minibatch."""

    def __init__(
        self, case: Case, networks: range, examples: Examples, precision: str, device: torch.device
    ) -> None:
        self.device = device
        self.precision = precision
        self.images, self.labels = (tensor.to(device) for tensor in examples)
        self.minibatches = minibatch_order(len(self.images), case.batch_size, SEED)
        stacked, _ = stack_module_state([plain.network(case) for _ in networks])
        self.parameters = {name: value.detach().to(device) for name, value in stacked.items()}
        self.gradients_and_losses = vmap(grad_and_value(_loss_of(case)), in_dims=(0, None, None))
        rate = torch.tensor([case.network(k).learning_rate for k in networks], device=device)
        settings = case.optimiser
        self.update = (
            Adam(settings, rate, self.parameters) if isinstance(settings, configuration.Adam) else SGD(rate)
        )

    def step(self) -> Tensor:
        images, labels = self._next_minibatch()
        self.update.begin_step()
        with autocast(self.precision, self.device):
            gradients, losses = self.gradients_and_losses(self.parameters, images, labels)
        self.update(self.parameters, gradients)
        return losses

    def _next_minibatch(self) -> tuple[Tensor, Tensor]:
        chosen = next(self.minibatches).to(self.device)
        return self.images[chosen], self.labels[chosen]


def _loss_of(case: Case) -> Callable[[State, Tensor, Tensor], Tensor]:
    skeleton = plain.network(case).to("meta")

    def loss(parameters: State, images: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(functional_call(skeleton, parameters, (images,)), labels)

    return loss


class SGD:
    """Written out, as is :class:`Adam`: no optimiser of PyTorch's has a learning rate for each network of a stack."""

    def __init__(self, rate: Tensor) -> None:
        self.rate = rate

    def __call__(self, parameters: State, gradients: State) -> None:
        for name, value in parameters.items():
            value.sub_(gradients[name].mul_(_alongside(self.rate, value)))

    def begin_step(self) -> None:
        """Count a step; there is nothing to count."""


class Adam:
    """torch.optim.Adam's formula. What changes from step to step is in tensors, which a compiled step can read."""

    def __init__(self, settings: configuration.Adam, rate: Tensor, parameters: State) -> None:
        self.settings = settings
        self.rate = rate
        self.steps = 0
        self.corrected_rate = rate.clone()
        self.correction = torch.ones((), device=rate.device)
        self.first = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.second = {name: torch.zeros_like(value) for name, value in parameters.items()}

    def __call__(self, parameters: State, gradients: State) -> None:
        beta1, beta2 = self.settings.beta1, self.settings.beta2
        for name, value in parameters.items():
            gradient = gradients[name]
            first = self.first[name].lerp_(gradient, 1 - beta1)
            second = self.second[name].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            denominator = second.sqrt().div_(self.correction).add_(self.settings.epsilon)
            value.sub_(first.div(denominator).mul_(_alongside(self.corrected_rate, value)))

    def begin_step(self) -> None:
        """Count a step, and correct the moments for having started at zero."""
        self.steps += 1
        torch.div(self.rate, 1 - self.settings.beta1**self.steps, out=self.corrected_rate)
        self.correction.fill_((1 - self.settings.beta2**self.steps) ** 0.5)


def _alongside(rate: Tensor, value: Tensor) -> Tensor:
    """(K,) -> (K, 1, ...), with as many axes as ``value``."""
    return rate.view(-1, *[1] * (value.dim() - 1))
