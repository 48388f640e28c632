"""The architectures under study, built as stacks.

To add one, write a function that returns its layers and an entry in ``ARCHITECTURES``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dying_relu.configuration import CNN, MLP, Architecture
from dying_relu.plan.shard import Run
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.convolution import Convolution
from dying_relu.stack.initialisation import SCHEMES, random_stream
from dying_relu.stack.layers import ElementWise, Flatten, Layer, Linear
from dying_relu.stack.network import Hidden, Network
from dying_relu.stack.normalisation import NORMALISATIONS
from dying_relu.stack.pooling import MaxPooling

KERNEL = 3


@dataclass
class Builder:
    """Draws the initial parameters of a stack, layer by layer, in the order in which the layers are added.

    All runs share the activation and the replicate's seed; initialisation, initial bias and slope may differ.
    """

    runs: Sequence[Run]
    normalisation: str
    seed: int
    device: torch.device

    def __post_init__(self) -> None:
        schemes = {run.initialisation for run in self.runs}
        self.streams = {scheme: random_stream(self.seed, "weights") for scheme in schemes}
        self.layers: list[Layer] = []
        self.hidden: list[Hidden] = []

    def add_hidden(self, affine: Linear | Convolution, kind: str) -> ElementWise:
        """Add ``affine`` and its normalisation as a hidden layer with a name; returns its activation, not yet added."""
        self.layers.append(affine)
        normalisation = None
        if self.normalisation != "none":
            networks, units = affine.bias.value.shape
            normalisation = NORMALISATIONS[self.normalisation](networks, units, self.device)
            self.layers.append(normalisation)
        slopes = [run.slope if run.slope is not None else 0.0 for run in self.runs]
        activation = ElementWise(ACTIVATIONS[self.runs[0].activation], self._tensor(slopes))
        of_kind = sum(hidden.name.startswith(kind) for hidden in self.hidden) + 1
        name = f"{kind}{of_kind}"
        self.hidden.append(Hidden(name, len(self.hidden) + 1, affine, activation, normalisation))
        return activation

    def parameters(self, shape: tuple[int, ...], *, hidden: bool) -> tuple[Tensor, Tensor]:
        """Initial weight (K, *shape) and bias (K, shape[0]); hidden biases are shifted by each run's initial bias."""
        drawn = {scheme: SCHEMES[scheme](shape, stream) for scheme, stream in self.streams.items()}
        weight = torch.stack([drawn[run.initialisation][0] for run in self.runs])
        bias = torch.stack([drawn[run.initialisation][1] for run in self.runs])
        if hidden:
            bias += torch.tensor([run.initial_bias for run in self.runs])[:, None]
        return weight.to(self.device), bias.to(self.device)

    def never_decreases(self) -> bool:
        """Whether the activation is monotone, and stays so, in every network; then it commutes with max-pooling."""
        monotone = ACTIVATIONS[self.runs[0].activation].monotone
        return monotone and all((run.slope or 0.0) >= 0 for run in self.runs)

    def network(self) -> Network:
        """The layers added so far."""
        return Network(self.layers, self.hidden)

    def _tensor(self, values: list[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device)


def add_linear_layers(builder: Builder, inputs: int, widths: Sequence[int], classes: int) -> None:
    """Fully connected hidden layers of the given widths, then the output layer."""
    for width in widths:
        linear = Linear(*builder.parameters((width, inputs), hidden=True))
        builder.layers.append(builder.add_hidden(linear, "linear"))
        inputs = width
    builder.layers.append(Linear(*builder.parameters((classes, inputs), hidden=False)))


def mlp(builder: Builder, architecture: MLP, image: torch.Size, classes: int) -> None:
    """A multi-layer perceptron on the image's pixels."""
    add_linear_layers(builder, image.numel(), architecture.widths, classes)


def cnn(builder: Builder, architecture: CNN, image: torch.Size, classes: int) -> None:
    """Blocks of a 3 x 3 convolution, the activation and 2 x 2 max-pooling; then fully connected layers.

    A monotone activation is applied after the pooling: the same function and gradient at a quarter of the work.
    """
    inputs, height, width = image
    for channels in architecture.channels:
        convolution = Convolution(*builder.parameters((channels, inputs, KERNEL, KERNEL), hidden=True))
        activation = builder.add_hidden(convolution, "conv")
        if not builder.never_decreases():
            builder.layers += [activation, MaxPooling()]
        else:
            pooling = MaxPooling(activation if activation.activation.rectifies else None)
            builder.layers += [pooling] if activation.activation.rectifies else [pooling, activation]
            convolution.pooling = pooling if builder.normalisation == "none" else None
        inputs, height, width = channels, height // 2, width // 2
    builder.layers.append(Flatten())
    add_linear_layers(builder, inputs * height * width, architecture.widths, classes)


ARCHITECTURES: dict[str, Callable[..., None]] = {
    "mlp": mlp,
    "cnn": cnn,
}


def as_inputs(architecture: Architecture, images: Tensor) -> Tensor:
    """Images (N, C, H, W) in the layout in which the architecture's first layer takes a minibatch of them.

    Returns:
        (N, C * H * W) for fully connected networks, (N, H, W, C) for convolutional ones.
    """
    if architecture.kind == "mlp":
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
    """A stack of one network a run, all of one architecture and activation.

    Args:
        architecture: its kind and its sizes.
        runs: the networks; they share the activation and may differ in slope, initialisation and initial bias.
        image: (C, H, W) of one example.
        classes: number of classes.
        seed: the replicate's seed.
        device: where the parameters live.
    """
    builder = Builder(runs, architecture.normalisation, seed, device)
    ARCHITECTURES[architecture.kind](builder, architecture, image, classes)
    return builder.network()
