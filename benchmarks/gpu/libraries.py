"""A stand-in for numba, whose loops run on CPUs only, so that a machine with a GPU can do without it.

As a plugin of pytest it is in place before any test is imported.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def replace_numba() -> None:
    """Where numba is not installed, put a module in its place whose compiled functions refuse to run."""
    if "numba" not in sys.modules and find_spec("numba") is None:
        print("numba is not installed: the CPU's compiled loops cannot run, those of other devices do without")
        module = ModuleType("numba")
        vars(module).update(njit=_njit, prange=range)
        sys.modules["numba"] = module


def _njit(*functions: Callable[..., Any], **options: object) -> Any:
    """As numba's decorator, with or without options."""
    if not functions:
        return _refusing
    return _refusing(functions[0])


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*arguments: object) -> None:
        raise RuntimeError(f"{function.__name__} runs on a CPU only, and needs numba")

    return refuse


replace_numba()
