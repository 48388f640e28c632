"""The device on which networks are trained."""

from typing import TYPE_CHECKING

from dying_relu.errors import DyingReluError
from dying_relu.plan.gpu import AUTO

if TYPE_CHECKING:
    import torch


def choose(name: str) -> "torch.device":
    """Choose a device by its name.

    Args:
        name: cpu, cuda, mps, or auto, which is the CPU until all tests have passed on a GPU.

    Returns:
        The device. On CUDA float32 is float32 from now on, TF32 is not used.

    Raises:
        DyingReluError: PyTorch finds no such device.
    """
    import torch

    from dying_relu.stack import precision

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name = AUTO if name == "auto" else name
    if not available[name]:
        raise DyingReluError(
            f"PyTorch finds no {name} device here",
            remedy="set `device: auto` or `device: cpu` in the configuration",
        )
    if name == "cuda":
        precision.forbid_tf32()
    return torch.device(name)
