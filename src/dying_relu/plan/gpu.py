"""A guess at the device of jobs, made without PyTorch."""

import platform
import sys
from importlib import metadata
from pathlib import Path


def is_likely_gpu(name: str) -> bool:
    """Tell if the device called ``name`` in a study will probably be a GPU, without importing torch."""
    if name == "auto":
        has_nvidia = Path("/dev/nvidiactl").exists() and not metadata.version("torch").endswith("+cpu")
        return has_nvidia or (sys.platform == "darwin" and platform.machine() == "arm64")
    return name != "cpu"
