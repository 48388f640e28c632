"""The error raised where the library of an adapter is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from dying_relu.errors import missing_package


@contextmanager
def required(library: str) -> Iterator[None]:
    """Raise an error that says how to install ``library`` if it is not found within the block; its extra has the same name.

    >>> with required("nowhere"):
    ...     import nowhere
    Traceback (most recent call last):
    dying_relu.errors.DyingReluError: nowhere is not installed: run `pip install ".[nowhere]"` in a clone, or with a wheel for the dot
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise  # it is there, and misses something itself
        raise missing_package(f"{library} is not installed", library) from error
