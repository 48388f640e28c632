"""Files and folders that are there whole or not at all."""

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dying_relu.errors import DyingReluError, cannot_write
from dying_relu.files.locks import private_folder


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes the place of ``path`` when the block ends well.

    Works for a file and for a folder: an existing file is replaced by a file, an existing folder by a folder, and neither by the other,
    since somebody's folder is no place for a file. If the block fails, ``path`` stays as it was and nothing is left beside it; what a
    killed process has left there is deleted by the next one that writes to ``path``. A full disk is reported with the path that could
    not be written.

    Raises:
        DyingReluError: it cannot be written, or is a folder where a file was written, or the other way round.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with private_folder(path.parent, f".{path.name}.") as scratch:
            written = scratch / path.name
            yield written
            _require_same_kind(path, written)
            if path.is_dir():
                shutil.rmtree(path)
            os.replace(written, path)
    except OSError as error:
        raise cannot_write(path, error) from error


def _require_same_kind(path: Path, written: Path) -> None:
    if path.exists() and path.is_dir() != written.is_dir():
        kinds = ("a file", "a folder")
        raise DyingReluError(
            f"cannot write {path}",
            found=f"{path} is {kinds[path.is_dir()]}",
            expected=f"to replace {kinds[written.is_dir()]}",
            remedy="choose another name",
        )


def remove_leftovers(path: Path) -> None:
    """Delete what killed processes were writing to take the place of ``path``; for who knows that no other is at it."""
    for scratch in path.parent.glob(f".{glob.escape(path.name)}.*"):
        shutil.rmtree(scratch, ignore_errors=True)
