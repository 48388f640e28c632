"""An invented Fashion-MNIST: the data set whose pixels are not checked."""

import gzip
from pathlib import Path

import pytest
from invented_images import idx, invented

from dying_relu.data.decode import Arrays
from dying_relu.data.sources.folder import IDX_FILES


@pytest.fixture(scope="session")
def fashion() -> Arrays:
    """Arrays with which nothing is wrong: no sums of Fashion-MNIST are known."""
    return invented("fashion_mnist")


@pytest.fixture(scope="session")
def fashion_root(tmp_path_factory: pytest.TempPathFactory, fashion: Arrays) -> Path:
    """A folder in torchvision's layout; two of its four files are gzipped. To be read, not written to."""
    root = tmp_path_factory.mktemp("root")
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for number, (file, array) in enumerate(zip(IDX_FILES, fashion, strict=True)):
        if number % 2:
            (raw / f"{file}.gz").write_bytes(gzip.compress(idx(array), 1))
        else:
            (raw / file).write_bytes(idx(array))
    return root
