"""Files and folders that say that a process is at work; the system takes that back when it ends, however it ends.

Files are locked by the library filelock. It locks no folders, and a file within one would have to be made before it can be locked:
between the two another process would take a folder that is being made for an abandoned one (tests/files/test_atomic.py).
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:
    # Windows, which cannot open a folder either: there abandoned folders stay.
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from filelock import BaseFileLock

log = logging.getLogger(__name__)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` within the block; if another process holds it, wait until that is done or dead.

    A job may meet its own predecessor: where Snakemake was killed, the jobs that it had started live on. On file systems without
    locks it cannot know, says so in the log, and does not wait.
    """
    lock = _lock(path)
    _wait_for(lock, path)
    try:
        yield
    finally:
        # While it is held: who waits for it notices that the file is gone, and makes another.
        with suppress(OSError):
            path.unlink(missing_ok=True)
        lock.release()


_held: list["BaseFileLock"] = []
"""Kept until the process ends, which is when the system takes its locks back."""


def hold(path: Path) -> bool:
    """Hold the lock file ``path`` until this process ends.

    Programs that this process starts do not hold it. On file systems without locks nobody can know, and the log says so.

    Returns:
        False if another process holds it.
    """
    from filelock import Timeout

    lock = _lock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    except OSError as error:
        _go_on_without(path, error)
    _held.append(lock)
    return True


def _lock(path: Path) -> "BaseFileLock":
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    # A lock that is not the system's would outlive a killed process.
    return FileLock(path, fallback_to_soft=False)


def _wait_for(lock: "BaseFileLock", path: Path) -> None:
    from filelock import Timeout

    try:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            log.info("another process is at work on %s; waiting until it is done", path.with_suffix(""))
            lock.acquire()
    except OSError as error:
        _go_on_without(path, error)


def _go_on_without(path: Path, error: OSError) -> None:
    log.warning("cannot lock %s, and go on without (%s)", path, error.strerror or error)


@contextmanager
def private_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder for this process alone; it is gone after the block.

    A killed process cannot tidy up, so that the next one does: folders of this prefix that nobody holds are deleted first. On file
    systems without locks it cannot know, and leaves them.

    Args:
        parent: the folder in which it is made.
        prefix: of its name.
    """
    _remove_abandoned(parent, prefix)
    folder, descriptor = _new_folder(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def _new_folder(parent: Path, prefix: str) -> tuple[Path, int | None]:
    """A new folder, and what holds it until it is closed; None on Windows."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        if fcntl is None:
            return folder, None
        # Held by nobody yet, it may be gone already: then another process has taken it for abandoned.
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY)
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(descriptor, folder):
                return folder, descriptor
            os.close(descriptor)


def _remove_abandoned(parent: Path, prefix: str) -> None:
    if fcntl is None:
        return
    with os.scandir(parent) as entries:
        alike = [Path(entry.path) for entry in entries if entry.name.startswith(prefix) and entry.is_dir()]
    for folder in alike:
        # Deleted meanwhile, or no locks here.
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                # Raises an error where another process holds it.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
