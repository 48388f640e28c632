"""Interventions on weights and biases: layers with rates of their own, frozen ones, and new labels."""

from typing import TypeVar

import torch
from torch import Tensor

from dying_relu.configuration.interventions import Freeze, LayerRates, OfParameters, Relabel
from dying_relu.stack.initialisation import random_stream
from dying_relu.stack.optimisers import Parameter
from dying_relu.training.interventions.act import Act, acts
from dying_relu.training.renewal import affine_layers

Settings = TypeVar("Settings", bound=OfParameters)


class OnParameters(Act[Settings]):
    """Compares some parameters after a step with what they were before it, whatever the optimiser."""

    def chosen(self) -> list[Parameter]:
        """The parameters that are meant; those of a normalisation count as weights and biases, too."""
        network, settings = self.trainer.network, self.settings
        layers = affine_layers(network)
        depths = settings.layers or range(1, len(network.hidden) + 1)
        weights, biases = (
            [getattr(layers[depth - 1], kind) for depth in depths] for kind in ("weight", "bias")
        )
        for hidden in network.hidden:
            if hidden.normalisation and hidden.depth in depths:
                weights.append(hidden.normalisation.scale)
                biases.append(hidden.normalisation.shift)
        return {"all": weights + biases, "weights": weights, "biases": biases}[settings.parameters]

    def before_step(self) -> None:
        self.before = [parameter.value.clone() for parameter in self.chosen()]

    def keep(self, share: float) -> None:
        """Keep a share of the last change of the parameters.

        Args:
            share: 0 leaves them as they were before the step; may be above 1.
        """
        for parameter, old in zip(self.chosen(), self.before, strict=True):
            parameter.value.copy_(old.lerp(parameter.value, share))


@acts(LayerRates)
class Slowing(OnParameters[LayerRates]):
    """Multiplies the rate of some parameters: every rule of updates is proportional to it."""

    def after_step(self, losses: Tensor) -> None:
        self.keep(self.settings.factor)


@acts(Freeze)
class Freezing(OnParameters[Freeze]):
    """Leaves parameters as they are during some steps; the optimiser's moments go on."""

    def after_step(self, losses: Tensor) -> None:
        made = self.trainer.steps - 1
        if made >= self.settings.start and (self.settings.until is None or made < self.settings.until):
            for parameter, old in zip(self.chosen(), self.before, strict=True):
                parameter.value.copy_(old)


@acts(Relabel)
class Relabelling(Act[Relabel]):
    """Permutes the rows of the output layer, with the optimiser's moments.

    Let class y be called p(y) from now on. The loss of a network with output rows W on the labels p(y) is that of the rows W[p] on the
    labels y, and so are its gradients. So the labels stay, and every measurement is on the new ones.
    """

    def before_step(self) -> None:
        trainer, output = self.trainer, self.trainer.network.output
        if trainer.steps != self.settings.step:
            return
        order = derangement(output.bias.value.shape[1], trainer.seed).to(trainer.device)
        for parameter in output.parameters():
            moments = trainer.optimiser.state([parameter])
            for tensor in (parameter.value, *moments):
                if tensor.shape == parameter.value.shape:
                    tensor.copy_(tensor[:, order])


def derangement(classes: int, seed: int) -> Tensor:
    """Draw a permutation that leaves no class in its place.

    Args:
        classes: number of classes, at least 2.
        seed: the replicate's.

    Returns:
        (classes,) int64.
    """
    stream, places = random_stream(seed, "labels"), torch.arange(classes)
    while True:
        order = torch.randperm(classes, generator=stream)
        if not (order == places).any():
            return order
