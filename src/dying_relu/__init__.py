"""Dying ReLU: which units die, why, and what helps.

>>> from dying_relu import probe  # imports torch, which ``import dying_relu`` alone does not
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dying_relu.probing import Monitor, Report, probe, prune_dead, revive

__all__ = ["Monitor", "Report", "probe", "prune_dead", "revive"]

# By name: with an import statement mypy takes the functions probe and revive for the modules of their names.
import_module("dying_relu.deprecated").install()


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("dying_relu.probing"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
