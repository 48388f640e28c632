"""The device for tests of what runs on a GPU: the CPU, unless the environment variable ``DYING_RELU_DEVICE`` names another."""

import os

import pytest
import torch

from dying_relu.stack import precision

DEVICE = torch.device(os.environ.get("DYING_RELU_DEVICE", "cpu"))


def require_device() -> None:
    """Skip if PyTorch does not find the device that was asked for; make its float32 exact."""
    if DEVICE.type == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("DYING_RELU_DEVICE is cuda, and PyTorch finds no CUDA device")
        precision.forbid_tf32()


def require_cuda() -> None:
    """Skip unless tests were asked to run on a CUDA device."""
    if DEVICE.type != "cuda":
        pytest.skip("needs a CUDA device; benchmarks/gpu.sh runs it with DYING_RELU_DEVICE=cuda")
    require_device()
