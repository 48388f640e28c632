"""Where networks are trained."""

import platform
import sys
from importlib import metadata
from pathlib import Path
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


def is_likely_gpu(name: str) -> bool:
    """Whether ``choose(name)`` will probably be a GPU, judged without importing torch."""
    if name == "auto":
        has_nvidia = Path("/dev/nvidiactl").exists() and not metadata.version("torch").endswith("+cpu")
        return has_nvidia or (sys.platform == "darwin" and platform.machine() == "arm64")
    return name != "cpu"
