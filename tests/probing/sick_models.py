"""Small networks in which units are dead for a known reason."""

import torch
from torch import Tensor, nn

EXAMPLES = 64


def model(seed: int = 0) -> nn.Sequential:
    """Two hidden layers of 20 units, all alive on :func:`batches`."""
    torch.manual_seed(seed)
    made = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 3))
    with torch.no_grad():
        made[0].bias.fill_(1.0)
        made[2].bias.fill_(1.0)
    return made


def batches(scale: float = 1.0, mean: float = 0.0) -> list[tuple[Tensor, Tensor]]:
    """Inputs and labels."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(EXAMPLES, 6, generator=generator) * scale + mean
    labels = torch.randint(3, (EXAMPLES,), generator=generator)
    return list(zip(inputs.split(16), labels.split(16), strict=True))
