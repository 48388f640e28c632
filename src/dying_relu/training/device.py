"""Where networks are trained."""

from typing import TYPE_CHECKING

from dying_relu.errors import DyingReluError

if TYPE_CHECKING:
    import torch


def choose(name: str) -> "torch.device":
    """The device called ``name`` (auto, cpu, cuda or mps); auto is a GPU if PyTorch finds one, else the CPU."""
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, is_there in available.items() if is_there)
    if not available[name]:
        raise DyingReluError(
            f"PyTorch finds no {name} device here",
            remedy="set `device: auto` or `device: cpu` in the configuration",
        )
    return torch.device(name)
