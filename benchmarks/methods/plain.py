"""The networks of a case as anyone would write them in PyTorch."""

import torch
from torch import nn

from benchmarks.cases import SEED, Case
from dying_relu.configuration import CNN, IMAGE_SETS, MLP, SGD, Adam
from dying_relu.stack.initialisation import he, random_stream


def activation(case: Case) -> nn.Module:
    """The module of the case's activation."""
    modules = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}
    return modules[case.activation.name]()


def network(case: Case) -> nn.Sequential:
    """A network, with the weights with which our engine starts too."""
    architecture, images = case.setting.architecture, IMAGE_SETS[case.setting.dataset]
    assert isinstance(architecture, MLP | CNN)
    layers: list[nn.Module] = []
    inputs, side = images.channels, images.side
    for channels in architecture.channels if isinstance(architecture, CNN) else ():
        layers += [nn.Conv2d(inputs, channels, 3, padding=1), activation(case), nn.MaxPool2d(2)]
        inputs, side = channels, side // 2
    layers.append(nn.Flatten())
    image = (inputs, side, side)
    features = inputs * side**2
    for width in architecture.widths:
        layers += [nn.Linear(features, width), activation(case)]
        features = width
    made = nn.Sequential(*layers, nn.Linear(features, images.classes))
    _initialise(made, image)
    return made


def optimiser(case: Case, k: int, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """PyTorch's optimiser with its defaults, and the learning rate of the case's k-th network."""
    settings, rate = case.optimiser, case.network(k).learning_rate
    if isinstance(settings, Adam):
        return torch.optim.Adam(parameters, rate, (settings.beta1, settings.beta2), settings.epsilon)
    assert isinstance(settings, SGD)
    return torch.optim.SGD(parameters, rate, settings.momentum)


def _initialise(made: nn.Sequential, image: tuple[int, int, int]) -> None:
    """The engine's weights; ``image`` is the (C, H, W) that is flattened, which the engine does position by position."""
    stream = random_stream(SEED, "weights")
    after_convolutions = False
    for module in made:
        if isinstance(module, nn.Linear | nn.Conv2d):
            weight, bias = he(tuple(module.weight.shape), stream)
            if after_convolutions and isinstance(module, nn.Linear):
                channels, height, width = image
                weight = weight.unflatten(1, (height, width, channels)).permute(0, 3, 1, 2).flatten(1)
            module.load_state_dict({"weight": weight, "bias": bias})
            after_convolutions = isinstance(module, nn.Conv2d)
