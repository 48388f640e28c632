"""JAX's answer: ``jit(vmap(value_and_grad))``, on the CPU. JAX is an extra of the benchmark: ``pip install jax``."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.cases import SEED, Case, Examples
from benchmarks.methods import plain
from benchmarks.methods.base import Method, NotPossible
from dying_relu import configuration
from dying_relu.training.trainer import minibatch_order

Parameters = list[dict[str, Any]]
"""Weight and bias of each affine layer, in all networks: arrays (K, ...)."""
Moments = tuple[Parameters, ...]
"""Adam's first and second; none for SGD."""


class JaxVmap(Method):
    """The networks of :mod:`~benchmarks.methods.plain` in ``jax.numpy``; all networks share the minibatch.

    One compiled function chooses the minibatch, differentiates and updates, in place (its arguments are donated).
    """

    is_slow_to_prepare = True

    @staticmethod
    def require() -> None:
        if find_spec("jax") is None:
            raise NotPossible("JAX is not installed", remedy="pip install jax")

    @staticmethod
    def prepare_process() -> None:
        # One thread, whatever the number of cores; XLA reads both when it is loaded.
        threads = torch.get_num_threads()
        os.environ["NPROC"] = str(threads)
        flags = os.environ.get("XLA_FLAGS", "")
        if threads == 1:
            os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false"
        os.environ["JAX_PLATFORMS"] = "cpu"

    @staticmethod
    def precisions(device: str) -> tuple[str, ...]:
        return ("float32",) if device == "cpu" else ()

    def __init__(
        self, case: Case, networks: range, examples: Examples, precision: str, device: torch.device
    ) -> None:
        import jax
        import jax.numpy as jnp

        self.minibatches = minibatch_order(len(examples.images), case.batch_size, SEED)
        self.images = jnp.asarray(examples.images.numpy())
        self.labels = jnp.asarray(examples.labels.numpy().astype(np.int32))
        network = plain.network(case)
        self.parameters: Parameters = [
            {
                name: jnp.repeat(jnp.asarray(value.detach().numpy())[None], len(networks), 0)
                for name, value in layer.named_parameters()
            }
            for layer in network
            if isinstance(layer, nn.Linear | nn.Conv2d)
        ]
        self.rate = jnp.asarray([case.network(k).learning_rate for k in networks], jnp.float32)
        self.moments: Moments = ()
        if isinstance(case.optimiser, configuration.Adam):
            self.moments = tuple(jax.tree.map(jnp.zeros_like, self.parameters) for _ in range(2))
        self.steps = 0
        self.train = jax.jit(_step(network, case), donate_argnums=(0, 1))

    def step(self) -> Tensor:
        self.steps += 1
        chosen = next(self.minibatches).numpy().astype(np.int32)
        self.parameters, self.moments, losses = self.train(
            self.parameters, self.moments, self.rate, self.steps, self.images, self.labels, chosen
        )
        # JAX returns before it is done; the copy waits.
        return torch.from_numpy(np.array(losses))


def _step(network: nn.Sequential, case: Case) -> Callable[..., Any]:
    """The function that is compiled: one step of all networks on the chosen examples."""
    import jax
    import jax.numpy as jnp

    forward = _forward(network)

    def loss(parameters: Parameters, images: Any, labels: Any) -> Any:
        logits = jax.nn.log_softmax(forward(parameters, images))
        return -jnp.take_along_axis(logits, labels[:, None], 1).mean()

    differentiated = jax.vmap(jax.value_and_grad(loss), in_axes=(0, None, None))
    update = _adam(case.optimiser) if isinstance(case.optimiser, configuration.Adam) else _sgd

    def step(
        parameters: Parameters, moments: Moments, rate: Any, steps: Any, images: Any, labels: Any, chosen: Any
    ) -> Any:
        losses, gradients = differentiated(parameters, images[chosen], labels[chosen])
        return *update(parameters, moments, gradients, rate, steps), losses

    return step


def _forward(network: nn.Sequential) -> Callable[[Parameters, Any], Any]:
    """The function of one network: (parameters of its layers, images (B, C, H, W)) -> logits (B, classes)."""
    import jax
    import jax.numpy as jnp

    activations: dict[type[nn.Module], Callable[[Any], Any]] = {
        nn.ReLU: jax.nn.relu,
        nn.LeakyReLU: jax.nn.leaky_relu,
        nn.GELU: lambda values: jax.nn.gelu(values, approximate=False),
        nn.SiLU: jax.nn.silu,
        nn.Tanh: jnp.tanh,
    }

    def convolved(values: Any, layer: dict[str, Any]) -> Any:
        # What padding="SAME" means for a kernel of 3: one pixel on each side.
        return jax.lax.conv(values, layer["weight"], (1, 1), "SAME") + layer["bias"][:, None, None]

    def pooled(values: Any) -> Any:
        window = (1, 1, 2, 2)
        return jax.lax.reduce_window(values, -jnp.inf, jax.lax.max, window, window, "VALID")

    def forward(parameters: Parameters, values: Any) -> Any:
        layers = iter(parameters)
        for module in network:
            if isinstance(module, nn.Conv2d):
                values = convolved(values, next(layers))
            elif isinstance(module, nn.Linear):
                layer = next(layers)
                values = values @ layer["weight"].T + layer["bias"]
            elif isinstance(module, nn.MaxPool2d):
                values = pooled(values)
            elif isinstance(module, nn.Flatten):
                values = values.reshape(len(values), -1)
            else:
                values = activations[type(module)](values)
        return values

    return forward


def _sgd(
    parameters: Parameters, moments: Moments, gradients: Parameters, rate: Any, steps: Any
) -> tuple[Parameters, Moments]:
    import jax

    def updated(value: Any, gradient: Any) -> Any:
        return value - _alongside(rate, value) * gradient

    return jax.tree.map(updated, parameters, gradients), moments


def _adam(settings: configuration.Adam) -> Callable[..., tuple[Parameters, Moments]]:
    """torch.optim.Adam's formula."""
    import jax
    import jax.numpy as jnp

    beta1, beta2 = settings.beta1, settings.beta2

    def update(
        parameters: Parameters, moments: Moments, gradients: Parameters, rate: Any, steps: Any
    ) -> tuple[Parameters, Moments]:
        first, second = moments
        first = jax.tree.map(lambda old, new: beta1 * old + (1 - beta1) * new, first, gradients)
        second = jax.tree.map(lambda old, new: beta2 * old + (1 - beta2) * new**2, second, gradients)

        def updated(value: Any, mean: Any, square: Any) -> Any:
            denominator = jnp.sqrt(square) / jnp.sqrt(1 - beta2**steps) + settings.epsilon
            return value - _alongside(rate / (1 - beta1**steps), value) * mean / denominator

        return jax.tree.map(updated, parameters, first, second), (first, second)

    return update


def _alongside(rate: Any, value: Any) -> Any:
    """(K,) -> (K, 1, ...), with as many axes as ``value``."""
    return rate.reshape(-1, *[1] * (value.ndim - 1))
