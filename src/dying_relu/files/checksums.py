"""Checksums beside files: a file that changes after it was made is noticed where it is read.

A file that has to be trusted has its SHA-256 sum in a file of its own beside it (``runs.parquet.sha256``), in the format of the command
``sha256sum``, so that anyone can check a folder: ``sha256sum --check *.sha256``.
"""

import hashlib
from pathlib import Path

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path

SUFFIX = ".sha256"
"""Added to the name of a file, the name of its sum's."""

REMEDY = "delete it and run the study again"


def write_beside(path: Path) -> None:
    """Write the sum of the file ``path`` beside it."""
    with atomic_path(beside(path)) as scratch:
        scratch.write_text(f"{sha256(path)}  {path.name}\n", encoding="utf-8")


def beside(path: Path) -> Path:
    """The place of the sum of the file ``path``.

    >>> beside(Path("results/default/runs.parquet")).name
    'runs.parquet.sha256'
    """
    return path.with_name(path.name + SUFFIX)


def check(path: Path) -> None:
    """Check the file ``path`` against the sum beside it; a file that is missing is its reader's to report.

    Raises:
        DyingReluError: there is no sum, it is damaged or of another file, or the file has another one.
    """
    if not path.is_file():
        return
    expected = _read(beside(path)).get(path.name)
    if expected is None:
        raise DyingReluError(
            f"nobody can tell whether {path} is the file that was made: there is no checksum of it",
            expected=f"{beside(path).name} beside it",
            remedy=REMEDY,
        )
    digest = sha256(path)
    if digest != expected:
        raise DyingReluError(
            f"{path} is not the file that was made: it is damaged or was changed",
            found=f"SHA-256 {digest}",
            expected=expected,
            remedy=REMEDY,
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
        raise DyingReluError(f"{path} is damaged", found=str(error), remedy=REMEDY) from error
