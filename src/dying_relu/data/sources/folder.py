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
from dying_relu.data.originals import ORIGINALS, Original, shapes
from dying_relu.errors import DyingReluError

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
    """Read the data set ``name`` from the folder ``root``.

    Raises:
        DyingReluError: a file is missing, truncated, damaged or not the original.
        OSError: a file cannot be read.
    """
    if not root.is_dir():
        raise DyingReluError(f"{root} is not a folder")
    original = ORIGINALS[name]
    return _read_idx_files(name, root) if original.format == "idx" else _read_pickles(original, root)


def _read_idx_files(name: str, root: Path) -> Arrays:
    original = ORIGINALS[name]
    plain_files = [root / original.torchvision / "raw" / file for file in IDX_FILES]
    files = [plain if plain.is_file() else plain.with_name(f"{plain.name}.gz") for plain in plain_files]
    _require([path.with_suffix("") for path in files if not path.is_file()], root)
    known = original.sha256 if original.sha256 and original.with_header else [None] * len(files)
    return Arrays(*map(read_idx, files, shapes(name), known))


def _read_pickles(original: Original, root: Path) -> Arrays:
    """Read CIFAR's pickles through torchvision: a pickle can run code, and torchvision reads none whose MD5 it doesn't know."""
    from dying_relu.adapters.torchvision_import import torchvision

    kind = getattr(torchvision.datasets, original.torchvision)
    known = [*kind.train_list, *kind.test_list, (kind.meta["filename"], kind.meta["md5"])]
    paths = {root / kind.base_folder / file: md5 for file, md5 in known}
    _require([path for path in paths if not path.is_file()], root)
    for path, expected in paths.items():
        size = path.stat().st_size
        found = (
            f"{size:,} bytes"
            if size > LARGEST_PICKLE
            else f"MD5 {torchvision.datasets.utils.calculate_md5(path)}"
        )
        if found != f"MD5 {expected}":
            raise DyingReluError(
                f"{path.relative_to(root)} in {root} is truncated, damaged or not the original",
                found=found,
                expected=f"MD5 {expected}",
            )
    splits = [kind(str(root), train=train) for train in (True, False)]
    return Arrays(*(np.asarray(part, np.uint8) for split in splits for part in (split.data, split.targets)))


def _require(missing: list[Path], root: Path) -> None:
    if missing:
        raise DyingReluError(f"{root} has no {', '.join(str(path.relative_to(root)) for path in missing)}")
