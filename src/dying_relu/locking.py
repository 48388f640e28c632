"""Files that say that a process is at work, and that the system takes back when it ends, however it ends."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` within the block; if another process holds it, wait until that is done or dead.

    A job may meet its own predecessor: where Snakemake was killed, the jobs that it had started live on.
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


def _wait_for(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("another process is at work on %s; waiting until it is done", path.with_suffix(""))
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
