"""Loaders that can be gone through again."""

from collections.abc import Iterable, Iterator
from typing import Any

from dying_relu.errors import DyingReluError


def require_repeatable(loader: Iterable[Any], remedy: str) -> Iterable[Any]:
    """The loader; raises :class:`DyingReluError` for what can be gone through only once, such as a generator."""
    # Not iter(loader): a DataLoader would draw a random number for it.
    if isinstance(loader, Iterator):
        raise DyingReluError(
            "the loader gives its batches only once", found=type(loader).__name__, remedy=remedy
        )
    return loader
