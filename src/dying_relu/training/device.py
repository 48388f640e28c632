"""The device on which networks are trained."""

from typing import TYPE_CHECKING

from dying_relu.errors import DyingReluError

if TYPE_CHECKING:
    import torch


def choose(name: str) -> "torch.device":
    """Choose a device by its name: cpu, cuda, mps, or auto, which is a GPU if PyTorch finds one, else the CPU.

    Raises:
        DyingReluError: PyTorch finds no such device.
    """
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, is_available in available.items() if is_available)
    if not available[name]:
        raise DyingReluError(
            f"PyTorch finds no {name} device here",
            remedy="set `device: auto` or `device: cpu` in the configuration",
        )
    return torch.device(name)
