"""The error raised where the library of an adapter is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from dying_relu.errors import DyingReluError


@contextmanager
def required(library: str) -> Iterator[None]:
    """Raise an error that says how to install ``library`` if it is not found within the block; its extra has the same name.

    >>> with required("no_such_library"):
    ...     import no_such_library
    Traceback (most recent call last):
    dying_relu.errors.DyingReluError: no_such_library is not installed: pip install dying-relu[no_such_library]
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise  # it is there, and misses something itself
        raise DyingReluError(
            f"{library} is not installed", remedy=f"pip install dying-relu[{library}]"
        ) from error
