"""Files that others gave us, read whole, but never further than is sensible: a file that claims to be huge costs no memory."""

import gzip
from pathlib import Path

from dying_relu.errors import DyingReluError


def content(path: Path, most: int) -> bytes:
    """Read the bytes of the file ``path``; of one whose name ends in ``.gz``, those that it holds.

    Args:
        path: file, device or pipe; its size is found by reading, since only files tell theirs.
        most: largest number of bytes.

    Raises:
        DyingReluError: there are more than ``most``.
        OSError: it cannot be read, or is not gzipped where its name says so.
        EOFError, zlib.error: it is gzipped, but truncated or damaged.
    """
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise DyingReluError(f"{path} is too large", expected=f"at most {most:,} bytes")
    return found
