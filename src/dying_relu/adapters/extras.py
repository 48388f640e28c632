"""The error raised where the library of an adapter is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from dying_relu.errors import missing_package


@contextmanager
def required(library: str) -> Iterator[None]:
    """Raise an error that says how to install ``library`` if it is not found within the block; its extra has the same name.

    >>> with required("no_such_library"):
    ...     import no_such_library
    Traceback (most recent call last):
    dying_relu.errors.DyingReluError: no_such_library is not installed: run `pip install ".[no_such_library]"` in a clone of this project
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise  # it is there, and misses something itself
        raise missing_package(f"{library} is not installed", library) from error
