"""Files that others gave us, read whole, but never further than is sensible: what a file claims to be costs no memory."""

import gzip
from pathlib import Path
from typing import BinaryIO, cast

from dying_relu.errors import DyingReluError


def content(path: Path, most: int) -> bytes:
    """The bytes of the file ``path``.

    Raises:
        DyingReluError: they are more than ``most``. Not by the size that the system tells, since devices and pipes have none.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return _at_most(file, most, path)


def unzipped(path: Path, most: int) -> bytes:
    """The bytes that the gzip file ``path`` holds.

    Raises:
        DyingReluError: unzipped they are more than ``most``.
        OSError, EOFError, zlib.error: it cannot be read, is not gzipped, truncated or damaged.
    """
    with gzip.open(path) as file:
        return _at_most(cast(BinaryIO, file), most, path)


def _at_most(file: BinaryIO, most: int, path: Path) -> bytes:
    found = file.read(most + 1)
    if len(found) > most:
        raise DyingReluError(f"{path} is too large", expected=f"at most {most:,} bytes")
    return found
