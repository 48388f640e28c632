"""Which data a report rests on.

A report is a value, made to be kept and compared; its data are remembered beside it, for as long as it lives, for those who have to
show them to the model once more.
"""

import weakref
from collections.abc import Iterable, Iterator
from typing import Any

from dying_relu.errors import DyingReluError
from dying_relu.probing.report import Report

_LOADERS: dict[int, Iterable[Any]] = {}


def remember(report: Report, loader: Iterable[Any]) -> Report:
    """The report, of which :func:`shown` now knows the loader."""
    _LOADERS[id(report)] = loader
    weakref.finalize(report, _LOADERS.pop, id(report), None)
    return report


def shown(report: Report) -> Iterable[Any]:
    """The loader that the report was made with.

    Raises:
        DyingReluError: it gives its batches only once, or the report comes from elsewhere (a copy, another process).
    """
    loader = _LOADERS.get(id(report))
    if loader is None:
        raise DyingReluError("the data of the report are not known", remedy="pass them with data=")
    require_repeatable(loader, "pass the same batches with data=, or probe a list or a DataLoader")
    return loader


def require_repeatable(loader: Iterable[Any], remedy: str) -> None:
    """Raises :class:`DyingReluError` for what can be gone through only once, such as a generator."""
    # Not iter(loader): a DataLoader would draw a random number for it.
    if isinstance(loader, Iterator):
        raise DyingReluError(
            "the loader gives its batches only once", found=type(loader).__name__, remedy=remedy
        )
