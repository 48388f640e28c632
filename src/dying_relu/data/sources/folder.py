"""Source ``root``: files that are already there, in torchvision's layout.

==============  ====================================================================================
data set        files
==============  ====================================================================================
mnist           ``MNIST/raw/{train,t10k}-images-idx3-ubyte``, ``...-labels-idx1-ubyte``, or all ``.gz``
fashion_mnist   the same in ``FashionMNIST/raw``
cifar10         ``cifar-10-batches-py/{data_batch_1..5,test_batch,batches.meta}``
cifar100        ``cifar-100-python/{train,test,meta}``
==============  ====================================================================================
"""

from pathlib import Path

import numpy as np

from dying_relu.data.decode import Arrays, read_idx
from dying_relu.errors import DyingReluError

CLASSES = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "cifar10": "CIFAR10", "cifar100": "CIFAR100"}
"""torchvision's names of the data sets."""

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""In the order of :class:`~dying_relu.data.decode.Arrays`."""

LARGEST_PICKLE = 2**28
"""Bytes: nearly twice the largest file of CIFAR-100. The sum of a larger one is not worth the time."""


def read(name: str, root: Path) -> Arrays:
    """The data set ``name`` in the folder ``root``.

    Raises:
        DyingReluError: a file is missing, truncated or damaged.
        OSError: a file cannot be read.
    """
    if not root.is_dir():
        raise DyingReluError(f"{root} is not a folder")
    if name in ("mnist", "fashion_mnist"):
        return _read_idx_files(root / CLASSES[name] / "raw", root)
    return _read_pickles(name, root)


def _read_idx_files(folder: Path, root: Path) -> Arrays:
    files = [
        plain if plain.is_file() else plain.with_name(f"{plain.name}.gz")
        for plain in (folder / file for file in IDX_FILES)
    ]
    _require([path.with_suffix("") for path in files if not path.is_file()], root)
    return Arrays(*map(read_idx, files))


def _read_pickles(name: str, root: Path) -> Arrays:
    """CIFAR's pickles, through torchvision: a pickle can run code, and torchvision reads none whose MD5 it doesn't know."""
    from dying_relu.adapters.torchvision_import import torchvision

    kind = getattr(torchvision.datasets, CLASSES[name])
    known = [*kind.train_list, *kind.test_list, (kind.meta["filename"], kind.meta["md5"])]
    paths = {root / kind.base_folder / file: md5 for file, md5 in known}
    _require([path for path in paths if not path.is_file()], root)
    damaged = [
        path
        for path, md5 in paths.items()
        if path.stat().st_size > LARGEST_PICKLE or not torchvision.datasets.utils.check_integrity(path, md5)
    ]
    if damaged:
        raise DyingReluError(
            f"{_listed(damaged, root)} in {root}: truncated, damaged or not the original (the MD5 sum differs)"
        )
    splits = [kind(str(root), train=train) for train in (True, False)]
    return Arrays(*(np.asarray(part, np.uint8) for split in splits for part in (split.data, split.targets)))


def _require(missing: list[Path], root: Path) -> None:
    if missing:
        raise DyingReluError(f"{root} has no {_listed(missing, root)}")


def _listed(paths: list[Path], root: Path) -> str:
    return ", ".join(str(path.relative_to(root)) for path in paths)
