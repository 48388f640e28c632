"""Checksums beside tables: a table that changes after it was made is noticed where it is read.

They stand in the format of the command ``sha256sum``, so that anyone can check a folder: ``sha256sum --check SHA256SUMS``.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from dying_relu.errors import DyingReluError

NAME = "SHA256SUMS"


def write(folder: Path, names: Iterable[str], out: Path) -> None:
    """Write the sums of the files ``names`` in ``folder`` to the file ``out``."""
    lines = [f"{sha256(folder / name)}  {name}\n" for name in names]
    out.write_text("".join(lines), encoding="utf-8")


def check(path: Path) -> None:
    """Raise an error if there is a sum of the file ``path`` beside it that is not its own."""
    expected = _read(path.parent / NAME).get(path.name)
    if expected is None or not path.is_file():
        return
    found = sha256(path)
    if found != expected:
        raise DyingReluError(
            f"{path} is not the file that was made: it is damaged or was changed",
            found=f"SHA-256 {found}",
            expected=expected,
            remedy="delete it and run the study again",
        )


def sha256(path: Path) -> str:
    """The checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict[str, str]:
    """Name -> sum; nothing if there is no such file."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        return {name: digest for digest, name in (line.split("  ") for line in lines)}
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DyingReluError(
            f"{path} is damaged", found=str(error), remedy="delete it and run the study again"
        ) from error
