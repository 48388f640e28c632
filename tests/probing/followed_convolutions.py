"""Convolutional networks, each with three dead units that can be followed."""

from typing import Any

import torch
from followed_case import DEAD, Case, kill
from torch import Tensor, nn
from torch.nn import functional
from written_models import Written


def generator() -> Case:
    """Noise becomes an image, as in DCGAN: a channel of the first layer is fed by 4 x 4 rows."""
    model = nn.Sequential(
        *(nn.Linear(6, 8 * 16), nn.Unflatten(1, (8, 4, 4)), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.ConvTranspose2d(8, 12, 4, 2, 1), nn.BatchNorm2d(12), nn.ReLU()),
        *(nn.ConvTranspose2d(12, 3, 4, 2, 1), nn.Tanh()),
    )
    kill(model[2].bias, DEAD)
    kill(model[5].bias, DEAD)
    return model, torch.randn(4, 6), "6"


def first_of_generator() -> Case:
    return *generator()[:2], "3"


def transposed_1d() -> Case:
    model = nn.Sequential(
        nn.ConvTranspose1d(3, 12, 4, 2), nn.ReLU(), nn.ConvTranspose1d(12, 3, 4, 2, groups=1), nn.Flatten()
    )
    kill(model[0].bias, DEAD)
    return model, torch.randn(4, 3, 9), "1"


def depthwise() -> Case:
    model = nn.Sequential(
        *(nn.Conv2d(3, 12, 1), nn.BatchNorm2d(12), nn.ReLU6()),
        *(nn.Conv2d(12, 12, 3, groups=12), nn.BatchNorm2d(12), nn.ReLU6(), nn.Conv2d(12, 4, 1)),
    )
    kill(model[1].bias, DEAD)
    with torch.no_grad():
        model[1].bias.clamp_(max=1.0)
    return model, torch.randn(4, 3, 8, 8), "2"


def u_net() -> Case:
    """A skip connection, pooling, reflection at the border and upsampling."""
    parts = {
        "down": nn.Conv2d(1, 12, 3, padding=1),
        "deep": nn.Conv2d(12, 6, 3, padding=1, padding_mode="reflect"),
        "up": nn.ConvTranspose2d(6, 4, 2, 2),
        "out": nn.Conv2d(16 + 6, 1, 1),
    }
    kill(parts["down"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        skipped = torch.relu(m.down(x))
        deep = torch.tanh(m.deep(functional.max_pool2d(skipped, 2)))
        spread = functional.interpolate(deep, scale_factor=2, mode="bilinear")
        return m.out(torch.cat([skipped, m.up(deep), spread], 1))

    return Written(forward, **parts), torch.randn(2, 1, 16, 16), "relu"


def shared_head() -> Case:
    """One head for several scales, as in detectors."""
    parts = {"a": nn.Conv2d(3, 12, 3, padding=1), "b": nn.Conv2d(12, 2, 1)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> list[Tensor]:
        scales = (x, functional.avg_pool2d(x, 2), functional.avg_pool2d(x, 4))
        return [m.b(torch.relu(m.a(one))) for one in scales]

    return Written(forward, **parts), torch.randn(2, 3, 16, 16), "relu"
