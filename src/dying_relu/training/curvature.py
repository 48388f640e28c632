"""The largest curvature of a stack's networks: the largest eigenvalue of the Hessian of each one's training loss.

The Hessian is never written out. Lanczos's method needs its products with vectors only, and each product is a central difference of
the network's own gradients, so that whatever the engine trains can be measured. Each network is copied and measured by itself in
float64: the difference needs the digits, training is left alone, and the result does not depend on the stack.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from dying_relu.stack.initialisation import random_stream
from dying_relu.stack.loss import LOSSES
from dying_relu.stack.network import Network
from dying_relu.stack.optimisers import Parameter, add_matrix_product
from dying_relu.stack.precision import in_float64
from dying_relu.stack.selection import alone_in_float64, first_twins
from dying_relu.training.measurement import ProbeSet

EXAMPLES = 200
"""Of the training probe set, the first ones; fewer if it has fewer."""

PRODUCTS = 20
"""Of the Hessian with a vector, two gradients each; the tests say how exact the eigenvalue is then."""

STEP = 2.0**-36
"""Of the difference, over the norm of all parameters: so short that hardly ever a unit turns on or off within it, long enough for
float64."""

AGREEMENT = 0.01
"""Largest difference between a step forward and one backward, over the eigenvalue; where a unit turns on or off it is far larger."""


def largest_curvatures(
    network: Network, probe_set: ProbeSet, measured: Tensor, *, loss: str, seed: int
) -> Tensor:
    """Estimate the largest eigenvalue of the Hessian of each network's mean loss, with respect to all its parameters.

    The loss is that of training without weight decay, with all examples as one minibatch: batch normalisation takes their statistics.

    Args:
        network: K networks; they stay as they are.
        probe_set: of which the first ``EXAMPLES`` are used.
        measured: (K,) bool, the networks to measure.
        loss: its name in the configuration.
        seed: the replicate's, from which the first vector follows.

    Returns:
        (K,) float64, on the CPU; NaN where a network was not to be measured, where the gradient jumps within the step, and for
        surrogate gradients, which are those of no loss.
    """
    curvatures = torch.full((len(measured),), torch.nan, dtype=torch.float64)
    if any(hidden.activation.activation.is_surrogate for hidden in network.hidden):
        return curvatures
    twins, measured = first_twins(network).cpu(), measured.cpu()
    examples, labels = (part[:EXAMPLES] for part in probe_set)
    for k in twins[measured].unique().tolist():
        gradient = MeanGradient(alone_in_float64(network, k), in_float64(examples), labels, loss)
        curvatures[measured & (twins == k)] = _largest_eigenvalue(gradient, seed)
    return curvatures


class MeanGradient:
    """The gradient of one network's mean loss on some examples, as a function of all its parameters; an optimiser that only listens.

    Args:
        network: one network, in float64.
        examples: (N, ...) float64, one minibatch.
        labels: (N,) int64.
        loss: its name in the configuration.

    Attributes:
        start: (P,) all parameters as they are.
    """

    def __init__(self, network: Network, examples: Tensor, labels: Tensor, loss: str) -> None:
        self.network, self.examples = network, examples
        self.labels, self.loss = labels.to(examples.device), LOSSES[loss]
        self.parameters = network.parameters()
        self.start = torch.cat([parameter.value.flatten() for parameter in self.parameters])
        self.gradient_scale = self.start.new_ones(1)
        self.gradients: dict[Parameter, Tensor] = {}

    def __call__(self, place: Tensor) -> Tensor:
        """The gradient, (P,), where the parameters are ``place``, (P,)."""
        shapes = [parameter.value.shape for parameter in self.parameters]
        parts = place.split([shape.numel() for shape in shapes])
        with self.network.holding([part.view(shape) for part, shape in zip(parts, shapes, strict=True)]):
            logits = self.network.forward(self.examples)
            self.network.backward(self.loss(logits, self.labels).gradient, self)
        return torch.cat([self.gradients[parameter].flatten() for parameter in self.parameters])

    def add_product(self, parameter: Parameter, left: Tensor, right: Tensor) -> None:
        self.gradients[parameter] = torch.empty_like(parameter.value)
        add_matrix_product(self.gradients[parameter], left, right, beta=0.0)

    def add(self, parameter: Parameter, gradient: Tensor) -> None:
        self.gradients[parameter] = gradient.clone()

    def finish_step(self) -> None: ...

    def set_rates(self, learning_rate: Tensor) -> None: ...

    def forget(self, parameter: Parameter, where: Tensor) -> None: ...

    def state(self, parameters: Sequence[Parameter]) -> list[Tensor]:
        return []


def _largest_eigenvalue(gradient: MeanGradient, seed: int) -> float:
    """Lanczos's method, without orthogonalising again: the largest eigenvalue does not suffer, and no more than two vectors are kept.

    Args:
        gradient: of the loss.
        seed: the replicate's.

    Returns:
        The largest eigenvalue of the Hessian between all vectors that were multiplied with it, at most that of the whole; NaN where
        steps forward and backward disagree.

    Source: Lanczos (1950); Golub and Van Loan (2013), algorithm 10.1.1.
    """
    start, middle = gradient.start, gradient(gradient.start)
    step = STEP * float(start.norm())
    vector = torch.randn(len(start), generator=random_stream(seed, "curvature"), dtype=torch.float64).to(
        start.device
    )
    vector /= vector.norm()
    before, length = torch.zeros_like(vector), 0.0
    diagonal: list[float] = []
    beside: list[float] = []
    disagreement = 0.0
    for _ in range(min(PRODUCTS, len(start))):
        forward, backward = (gradient(start + sign * step * vector) for sign in (1, -1))
        disagreement = max(disagreement, float((forward + backward - 2 * middle).norm()) / step)
        product = (forward - backward) / (2 * step)
        diagonal.append(float(product @ vector))
        product -= diagonal[-1] * vector + length * before
        length = float(product.norm())
        beside.append(length)
        if length == 0:
            break
        before, vector = vector, product / length
    matrix = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    for place, (first, second) in enumerate(pairwise(range(len(diagonal)))):
        matrix[first, second] = matrix[second, first] = beside[place]
    if not matrix.isfinite().all():
        return torch.nan
    eigenvalue = float(torch.linalg.eigvalsh(matrix)[-1])
    return eigenvalue if disagreement <= AGREEMENT * abs(eigenvalue) else torch.nan
