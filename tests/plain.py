"""The oracle: the same networks, one at a time, in plain ``torch.nn``, ``torch.optim`` and autograd."""

import torch
from torch import Tensor, nn

from dying_relu.configuration import CNN, SGD, Adam, Architecture, Optimiser
from dying_relu.plan.shard import Run
from dying_relu.stack.convolution import Convolution
from dying_relu.stack.layers import Linear
from dying_relu.stack.network import Network


class Surrogate(nn.Module):
    """ReLU with the gradient of another function, by the trick of Horuz et al. (2025): add what has no gradient."""

    def __init__(self, other) -> None:
        super().__init__()
        self.other = other

    def forward(self, z: Tensor) -> Tensor:
        surrogate = self.other(z)
        return surrogate + (z.relu() - surrogate).detach()


def activation(run: Run) -> nn.Module:
    slope = run.slope
    modules = {
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(slope),
        "prelu": lambda: nn.PReLU(init=slope),
        "elu": nn.ELU,
        "selu": nn.SELU,
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "tanh": nn.Tanh,
        "relu_b_silu": lambda: Surrogate(lambda z: (z + 1.67) * z.sigmoid() - 1.67 / 2),
        "relu_nelu": lambda: Surrogate(lambda z: torch.where(z > 0, z, -0.05 / (1 + z.square()))),
    }
    return modules[run.activation]()


class FlattenByPosition(nn.Module):
    """``nn.Flatten`` in a stack's order after convolutions: position by position, not channel by channel."""

    def forward(self, images: Tensor) -> Tensor:
        return images.permute(0, 2, 3, 1).flatten(1)


CONVOLVED = {
    "none": lambda channels: [],
    "batch": lambda channels: [nn.BatchNorm2d(channels)],
    "layer": lambda channels: [nn.GroupNorm(1, channels)],
}
LINEAR = {
    "none": lambda units: [],
    "batch": lambda units: [nn.BatchNorm1d(units)],
    "layer": lambda units: [nn.LayerNorm(units)],
}


def network(architecture: Architecture, run: Run, image: torch.Size, classes: int) -> nn.Sequential:
    """The architecture as anyone would write it; its parameters are PyTorch's own until they are copied."""
    inputs, height, width = image
    layers: list[nn.Module] = []
    for channels in architecture.channels if isinstance(architecture, CNN) else ():
        layers.append(nn.Conv2d(inputs, channels, 3, padding=1))
        layers += CONVOLVED[architecture.normalisation](channels)
        layers += [activation(run), nn.MaxPool2d(2)]
        inputs, height, width = channels, height // 2, width // 2
    layers.append(FlattenByPosition() if layers else nn.Flatten())
    features = inputs * height * width
    for units in architecture.widths:
        layers += [nn.Linear(features, units), *LINEAR[architecture.normalisation](units), activation(run)]
        features = units
    return nn.Sequential(*layers, nn.Linear(features, classes))


def copy_parameters(stack: Network, k: int, plain: nn.Sequential) -> None:
    """Give ``plain`` the weights and biases that network ``k`` of the stack has now."""
    affine = [layer for layer in stack.layers if isinstance(layer, Linear | Convolution)]
    with torch.no_grad():
        modules = [module for module in plain if isinstance(module, nn.Linear | nn.Conv2d)]
        for layer, module in zip(affine, modules, strict=True):
            module.weight.copy_(layer.weight.value[k])
            module.bias.copy_(layer.bias.value[k])


def optimiser(settings: Optimiser, run: Run, parameters) -> torch.optim.Optimizer:
    rate = torch.tensor(run.learning_rate).item()  # rounded to float32, as in a stack
    match settings:
        case Adam():
            betas = settings.beta1, settings.beta2
            return torch.optim.AdamW(parameters, rate, betas, settings.epsilon, settings.weight_decay)
        case SGD():
            return torch.optim.SGD(parameters, rate, settings.momentum, weight_decay=settings.weight_decay)


def train(
    plain: nn.Sequential,
    optimiser: torch.optim.Optimizer,
    batches: list[tuple[Tensor, Tensor]],
    settings: Optimiser | None = None,
) -> list[float]:
    """The usual loop, with the clipping and the warm-up of ``settings``; returns the loss of every minibatch."""
    clip_norm = settings.clip_norm if settings else None
    warm_up = settings.warm_up_steps if settings else 0
    (group,) = optimiser.param_groups
    rate, losses = group["lr"], []
    for step, (x, y) in enumerate(batches, start=1):
        if warm_up:
            group["lr"] = rate * min(1.0, step / warm_up)
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(plain(x), y)
        loss.backward()
        if clip_norm:
            nn.utils.clip_grad_norm_(plain.parameters(), clip_norm)
        optimiser.step()
        losses.append(loss.item())
    return losses
