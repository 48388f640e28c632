"""Whether jobs will run on a GPU, as far as planning can tell."""

import platform
import sys
from importlib import metadata
from pathlib import Path


def is_likely_gpu(name: str) -> bool:
    """Whether ``choose(name)`` will probably be a GPU, judged without importing torch."""
    if name == "auto":
        has_nvidia = Path("/dev/nvidiactl").exists() and not metadata.version("torch").endswith("+cpu")
        return has_nvidia or (sys.platform == "darwin" and platform.machine() == "arm64")
    return name != "cpu"
