"""Dying ReLU: which units die, why, and what helps.

>>> from dying_relu import probe  # imports torch, which ``import dying_relu`` alone does not
"""

from importlib import import_module
from typing import TYPE_CHECKING

from dying_relu.deprecated import install

if TYPE_CHECKING:
    from dying_relu.probing.compare import compare
    from dying_relu.probing.marks import mark_activation
    from dying_relu.probing.monitor import Monitor
    from dying_relu.probing.probe import probe
    from dying_relu.probing.prune import prune_dead
    from dying_relu.probing.report import Report
    from dying_relu.probing.revive import revive
    from dying_relu.probing.suggest import suggest

__all__ = ["Monitor", "Report", "compare", "mark_activation", "probe", "prune_dead", "revive", "suggest"]

install()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("dying_relu.probing"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
