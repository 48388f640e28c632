"""Files and folders that say that a process is at work; the system takes that back when it ends, however it ends."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

try:
    import fcntl
except ImportError:
    # Windows, which cannot open a folder either: there abandoned folders stay.
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` within the block; if another process holds it, wait until that is done or dead.

    A job may meet its own predecessor: where Snakemake was killed, the jobs that it had started live on. On file systems without
    locks it cannot know, says so in the log, and does not wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a") as file:
            _wait_for(file.fileno(), path)
            # Who held it has deleted it, and a third process may have made it anew.
            if _is_at(file.fileno(), path):
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return


_announced: list[TextIO] = []
"""Kept open until the process ends, which is when the system takes its locks back."""


def announce(path: Path) -> bool:
    """Say in the lock file ``path``, until this process ends, that it is alive; returns whether it is the only one that does.

    Where that cannot be known, as on file systems without locks, the answer is no. Programs that this process starts do not count.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a", encoding="utf-8")
    _announced.append(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = True
    except OSError:
        alone = False
    try:
        # Shared, so that all who are alive can say so.
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        return False
    return alone


@contextmanager
def private_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in ``parent`` for this process alone, whose name begins with ``prefix``; it is gone after the block.

    A killed process cannot tidy up, so that the next one does: folders of this prefix that nobody holds are deleted first. On file
    systems without locks it cannot know, and leaves them.
    """
    if fcntl is None:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    _remove_abandoned(parent, prefix)
    descriptor = None
    while descriptor is None:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        descriptor = _held(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _held(folder: Path) -> int | None:
    """What holds the new ``folder`` until it is closed; None if another process has just deleted it, as it was held by nobody yet."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    if _is_at(descriptor, folder):
        return descriptor
    os.close(descriptor)
    return None


def _remove_abandoned(parent: Path, prefix: str) -> None:
    with os.scandir(parent) as entries:
        alike = [Path(entry.path) for entry in entries if entry.name.startswith(prefix) and entry.is_dir()]
    for folder in alike:
        # Deleted meanwhile, or no locks here.
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                if _taken(descriptor):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def _wait_for(descriptor: int, path: Path) -> None:
    try:
        if not _taken(descriptor):
            log.info("another process is at work on %s; waiting until it is done", path.with_suffix(""))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        log.warning("cannot lock %s, and go on without (%s)", path, error.strerror or error)


def _taken(descriptor: int) -> bool:
    """Whether the lock was free, and is now ours."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
