"""A stand-in for numba, whose loops run on CPUs only, so that a machine with a GPU can do without it.

As a plugin of pytest it is in place before any test is imported.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


def _can_import(name: str) -> bool:
    """Tell if a package is installed and works with the others."""
    try:
        import_module(name)
    except ImportError as error:
        print(f"{name}: {error}")
        return False
    return True


HAS_NUMBA = _can_import("numba")


def replace_numba() -> None:
    """Put a module in numba's place whose compiled functions refuse to run; reductions fall back to PyTorch's operators."""
    module = ModuleType("numba")
    vars(module).update(njit=_njit, prange=range)
    sys.modules["numba"] = module
    # As if it were not installed.
    sys.modules["dying_relu.units.compiled"] = None  # type: ignore[assignment]


def _njit(*functions: Callable[..., Any], **options: object) -> Any:
    """As numba's decorator, with or without options."""
    if not functions:
        return _refusing
    return _refusing(functions[0])


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*arguments: object) -> None:
        raise RuntimeError(f"{function.__name__} runs on a CPU only, and needs numba")

    return refuse


if not HAS_NUMBA:
    print("without numba: what it compiles for CPUs is left out")
    replace_numba()
