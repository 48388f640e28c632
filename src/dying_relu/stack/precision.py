"""Precision of matrix products while networks train.

With ``bf16`` the operands of every product are rounded to bfloat16 on their way into the matrix unit, which is one switch of
PyTorch's. Convolutions get and give bfloat16, gradients included, for as long as nothing but pooling and a rectifier lies between them,
because the switch would convert images again at every convolution. Weights, moments, the loss and all measurements stay float32. It
works where the processor multiplies bfloat16 matrices in hardware.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dying_relu.errors import DyingReluError


@contextmanager
def products_in(precision: str) -> Iterator[None]:
    """Within the block, products of float32 matrices are computed in ``precision``, ``float32`` or ``bf16``."""
    if precision == "float32":
        yield
        return
    switches = torch.backends.mkldnn.matmul, torch.backends.mkldnn.conv  # type: ignore[attr-defined]
    before = [switch.fp32_precision for switch in switches]
    try:
        for switch in switches:
            switch.fp32_precision = precision
        yield
    finally:
        for switch, setting in zip(switches, before, strict=True):
            switch.fp32_precision = setting


def forbid_tf32() -> None:
    """Make CUDA devices multiply float32 as float32, in this process from now on: by default cuDNN's convolutions round to TF32."""
    for products in (torch.backends.cuda.matmul, torch.backends.cudnn.conv):  # type: ignore[attr-defined]
        products.fp32_precision = "ieee"


def convolves_brain_floats() -> bool:
    """Tell if this is within :func:`products_in` with ``bf16``."""
    return bool(torch.backends.mkldnn.conv.fp32_precision == "bf16")  # type: ignore[attr-defined]


def in_float64(values: torch.Tensor) -> torch.Tensor:
    """Convert to float64; on the CPU if the values' own device, Apple's GPU, has no float64.

    Args:
        values: of any shape.

    Returns:
        float64, the same shape.
    """
    return (values.cpu() if values.device.type == "mps" else values).double()


def require(precision: str, device: torch.device) -> None:
    """Raise an error if matrices cannot be multiplied in ``precision`` on ``device``.

    Args:
        precision: ``float32`` or ``bf16``.
        device: of the networks.

    Raises:
        DyingReluError: they cannot.
    """
    if not is_possible(precision, device):
        raise DyingReluError(
            f"precision: {precision} is not possible on this machine's {device.type}",
            expected="a processor that multiplies bfloat16 matrices in hardware (such as one with AMX)",
            remedy="set `precision: float32` in the configuration",
        )


def is_possible(precision: str, device: torch.device) -> bool:
    """Tell if ``precision`` has an effect on ``device``: PyTorch ignores the switch where it would be slow.

    Args:
        precision: ``float32`` or ``bf16``.
        device: of the networks.
    """
    return precision == "float32" or (device.type == "cpu" and _rounds_to_bf16())


def _rounds_to_bf16() -> bool:
    odd = torch.full((64, 64), 1 + 2**-12)
    with products_in("bf16"):
        return bool((odd @ odd != (odd.double() @ odd.double()).float()).any())
