"""What to say where the library of an adapter is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from dying_relu.errors import DyingReluError


@contextmanager
def required(extra: str) -> Iterator[None]:
    """A module that is not found within the block becomes an error that says how to install it.

    >>> with required("lightning"):
    ...     import no_such_library
    Traceback (most recent call last):
    dying_relu.errors.DyingReluError: no_such_library is not installed: pip install dying-relu[lightning]
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise DyingReluError(
            f"{str(error.name).split('.')[0]} is not installed", remedy=f"pip install dying-relu[{extra}]"
        ) from error
