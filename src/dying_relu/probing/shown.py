"""Which data a report rests on.

A report is a value, made to be kept and compared; its data are remembered beside it, for as long as it lives, for those who have to
show them to the model once more.
"""

import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dying_relu.errors import DyingReluError
from dying_relu.probing.report import Report


@dataclass(frozen=True)
class _Shown:
    loader: Iterable[Any]
    arguments: frozenset[str]


_SHOWN: dict[int, _Shown] = {}


def remember(report: Report, loader: Iterable[Any], inputs: Any) -> Report:
    """The report, of which :func:`shown` now knows the loader and :func:`arguments` the form of ``inputs``, one batch of it."""
    _SHOWN[id(report)] = _Shown(loader, frozenset(inputs if isinstance(inputs, Mapping) else ()))
    weakref.finalize(report, _SHOWN.pop, id(report), None)
    return report


def arguments(report: Report) -> frozenset[str]:
    """The arguments of the model that the data gave by name."""
    known = _SHOWN.get(id(report))
    return frozenset() if known is None else known.arguments


def shown(report: Report) -> Iterable[Any]:
    """The loader that the report was made with.

    Raises:
        DyingReluError: it gives its batches only once, or the report comes from elsewhere (a copy, another process).
    """
    known = _SHOWN.get(id(report))
    if known is None:
        raise DyingReluError("the data of the report are not known", remedy="pass them with data=")
    require_repeatable(known.loader, "pass the same batches with data=, or probe a list or a DataLoader")
    return known.loader


def require_repeatable(loader: Iterable[Any], remedy: str) -> None:
    """Raises :class:`DyingReluError` for what can be gone through only once, such as a generator."""
    # Not iter(loader): a DataLoader would draw a random number for it.
    if isinstance(loader, Iterator):
        raise DyingReluError(
            "the loader gives its batches only once", found=type(loader).__name__, remedy=remedy
        )
