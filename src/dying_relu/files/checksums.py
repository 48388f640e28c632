"""Checksums beside files: a table that changes after it was made is noticed where it is read.

A file has its sum in a file of its own beside it (``runs.parquet.sha256``), or in a list of its folder's (``SHA256SUMS``), where the
folder is written as a whole. Both are in the format of the command ``sha256sum``, so that anyone can check a folder:
``sha256sum --check *.sha256`` or ``sha256sum --check SHA256SUMS``.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path

NAME = "SHA256SUMS"
"""The list of a folder."""
SUFFIX = ".sha256"
"""What the name of a file's own sum adds to the file's."""


def write(folder: Path, names: Iterable[str], out: Path) -> None:
    """Write the sums of the files ``names`` in ``folder`` to the file ``out``."""
    out.write_text("".join(_line(folder / name) for name in names), encoding="utf-8")


def write_beside(path: Path) -> None:
    """Write the sum of the file ``path`` beside it."""
    with atomic_path(beside(path)) as scratch:
        scratch.write_text(_line(path), encoding="utf-8")


def beside(path: Path) -> Path:
    """Where the sum of the file ``path`` stands, if it has one of its own.

    >>> beside(Path("results/default/runs.parquet")).name
    'runs.parquet.sha256'
    """
    return path.with_name(path.name + SUFFIX)


def check(path: Path) -> None:
    """Raise an error unless the file ``path`` is the one whose sum stands beside it; a file that is missing is its reader's to report."""
    if not path.is_file():
        return
    expected = (_read(beside(path)) or _read(path.parent / NAME)).get(path.name)
    if expected is None:
        raise DyingReluError(
            f"nobody can tell whether {path} is the file that was made: there is no checksum of it",
            expected=f"{beside(path).name} beside it, or a line in {NAME}",
            remedy="delete it and run the study again",
        )
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


def _line(path: Path) -> str:
    return f"{sha256(path)}  {path.name}\n"


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
