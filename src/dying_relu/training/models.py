"""Networks built as stacks, layer by layer, in the order that an architecture says."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.configuration import Architecture
from dying_relu.plan.shard import Run
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.centring import CENTRINGS
from dying_relu.stack.convolution import Convolution
from dying_relu.stack.initialisation import SCHEMES, random_stream, scale_to_unit_variance
from dying_relu.stack.layers import ElementWise, Flatten, Layer, Linear
from dying_relu.stack.network import Hidden, Network
from dying_relu.stack.normalisation import NORMALISATIONS
from dying_relu.stack.pooling import MaxPooling

KERNEL = 3


@dataclass
class Builder:
    """Layers of a stack, whose initial parameters are drawn in the order in which the layers are added.

    All runs share the activation and the replicate's seed; initialisation, initial bias and slope may differ.

    Attributes:
        runs: a network each.
        shape: (C, H, W) or (U,) of what the last layer puts out, at first of an image.
        architecture: says how hidden layers are normalised and centred.
        seed: the replicate's.
        device: where the parameters live.
    """

    runs: Sequence[Run]
    shape: torch.Size
    architecture: Architecture
    seed: int
    device: torch.device

    def __post_init__(self) -> None:
        schemes = {run.initialisation for run in self.runs}
        self.streams = {scheme: random_stream(self.seed, "weights") for scheme in schemes}
        self.layers: list[Layer] = []
        self.hidden: list[Hidden] = []

    def linear(self, units: int) -> None:
        """Add a fully connected hidden layer."""
        affine = Linear(*self.parameters((units, self._inputs()), hidden=True))
        activation = self.hidden_layer(affine, "linear")
        affine.activation = activation if self.architecture.normalisation == "none" else None
        self.layers.append(activation)
        self._centre(units)
        self.shape = torch.Size((units,))

    def convolution(self, channels: int) -> None:
        """Add a 3 x 3 convolution as hidden layer, and 2 x 2 max-pooling.

        A monotone activation is applied after the pooling: the same function and gradient at a quarter of the work.
        """
        inputs, height, width = self.shape
        affine = Convolution(*self.parameters((channels, inputs, KERNEL, KERNEL), hidden=True))
        activation = self.hidden_layer(affine, "conv")
        if not self.never_decreases():
            self.layers += [activation, MaxPooling()]
        else:
            rectifies = activation.activation.rectifies
            pooling = MaxPooling(activation if rectifies else None)
            self.layers += [pooling] if rectifies else [pooling, activation]
            affine.pooling = pooling if self.architecture.normalisation == "none" else None
        self._centre(channels)
        self.shape = torch.Size((channels, height // 2, width // 2))

    def network(self, classes: int) -> Network:
        """Add the output layer, and put all layers in a row."""
        self.layers.append(Linear(*self.parameters((classes, self._inputs()), hidden=False)))
        return Network(self.layers, self.hidden)

    def hidden_layer(self, affine: Linear | Convolution, kind: str) -> ElementWise:
        """Add ``affine`` and its normalisation as a hidden layer.

        Args:
            affine: weights and biases.
            kind: beginning of the layer's name.

        Returns:
            Its activation, not yet added.
        """
        self.layers.append(affine)
        normalisation = None
        if self.architecture.normalisation != "none":
            networks, units = affine.bias.value.shape
            normalisation = NORMALISATIONS[self.architecture.normalisation](networks, units, self.device)
            self.layers.append(normalisation)
        slopes = [run.slope if run.slope is not None else 0.0 for run in self.runs]
        activation = ElementWise(ACTIVATIONS[self.runs[0].activation], self._tensor(slopes))
        of_kind = sum(hidden.name.startswith(kind) for hidden in self.hidden) + 1
        name = f"{kind}{of_kind}"
        self.hidden.append(Hidden(name, len(self.hidden) + 1, affine, activation, normalisation))
        return activation

    def parameters(self, shape: tuple[int, ...], *, hidden: bool) -> tuple[Tensor, Tensor]:
        """Draw the initial weight and bias of a layer.

        Args:
            shape: (outputs, inputs, ...) of one network's weight.
            hidden: whether biases are shifted by each run's initial bias.

        Returns:
            weight (K, *shape), bias (K, shape[0]).
        """
        drawn = {scheme: SCHEMES[scheme](shape, stream) for scheme, stream in self.streams.items()}
        weight = torch.stack([drawn[run.initialisation][0] for run in self.runs])
        bias = torch.stack([drawn[run.initialisation][1] for run in self.runs])
        if hidden:
            bias += torch.tensor([run.initial_bias for run in self.runs])[:, None]
        return weight.to(self.device), bias.to(self.device)

    def never_decreases(self) -> bool:
        """Tell if the activation is monotone, and stays so, in every network; then it commutes with max-pooling."""
        activation = ACTIVATIONS[self.runs[0].activation]
        commutes = activation.monotone and not activation.is_surrogate
        return commutes and all((run.slope or 0.0) >= 0 for run in self.runs)

    def _centre(self, units: int) -> None:
        kind = self.architecture.centring
        if kind != "none":
            share = self.architecture.centring_share
            self.layers.append(CENTRINGS[kind](len(self.runs), units, share, self.device))

    def _inputs(self) -> int:
        """Count what a fully connected layer gets next, and make vectors of images."""
        if self.layers and len(self.shape) > 1:
            if isinstance(self.layers[-1], MaxPooling):
                self.layers[-1].is_last = True
            self.layers.append(Flatten())
        return self.shape.numel()

    def _tensor(self, values: list[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device)


def as_inputs(architecture: Architecture, images: Tensor) -> Tensor:
    """Lay images out as the architecture's first layer takes a minibatch of them.

    Args:
        architecture: kind and widths.
        images: (N, C, H, W).

    Returns:
        (N, C * H * W) for fully connected networks, (N, H, W, C) for convolutional ones.
    """
    if not architecture.is_convolutional:
        return images.flatten(1)
    # Not contiguous(): for a single channel it would return the same strides, and convolutions would take them for (N, C, H, W).
    return images.permute(0, 2, 3, 1).clone(memory_format=torch.contiguous_format)


def build(
    architecture: Architecture,
    runs: Sequence[Run],
    image: torch.Size,
    classes: int,
    seed: int,
    device: torch.device,
) -> Network:
    """Build a stack of one network a run, all of one architecture and activation.

    Args:
        architecture: kind and widths.
        runs: the networks; they share the activation and may differ in slope, initialisation and initial bias.
        image: (C, H, W) of one example.
        classes: number of classes.
        seed: the replicate's seed.
        device: where the parameters live.
    """
    builder = Builder(runs, image, architecture, seed, device)
    architecture.build(builder)
    return builder.network(classes)


def prepare(network: Network, runs: Sequence[Run], examples: Tensor) -> None:
    """Finish what initialisation does by examples: LSUV's scales, and fixed shifts of hidden activations.

    Args:
        network: K networks, just built.
        runs: (K,) theirs.
        examples: (N, ...) all training examples.
    """
    scaled = [run.initialisation == "lsuv" for run in runs]
    if any(scaled):
        scale_to_unit_variance(network, scaled, examples)
    network.settle_means(examples, initially=True)
