import gzip
import hashlib
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from invented_images import idx, invented

from dying_relu.adapters.torchvision_import import torchvision
from dying_relu.data.decode import Arrays
from dying_relu.data.sources import folder
from dying_relu.errors import DyingReluError

CIFAR10 = torchvision.datasets.CIFAR10


def test_idx_files_are_read_plain_and_gzipped(fashion_root: Path, fashion: Arrays) -> None:
    for read, written in zip(folder.read("fashion_mnist", fashion_root), fashion, strict=True):
        assert np.array_equal(read, written)


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match=r"nowhere is not a folder"):
        folder.read("mnist", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("mnist", "MNIST/raw/train-images-idx3-ubyte, MNIST/raw/train-labels-idx1-ubyte"),
        ("cifar10", "cifar-10-batches-py/data_batch_1, .*cifar-10-batches-py/batches.meta"),
        ("cifar100", "cifar-100-python/train, cifar-100-python/test, cifar-100-python/meta"),
    ],
)
def test_a_folder_with_other_files_is_an_error_that_names_the_missing_ones(
    fashion_root: Path, name: str, file: str
) -> None:
    with pytest.raises(DyingReluError, match=f"{fashion_root} has no {file}"):
        folder.read(name, fashion_root)


def test_a_truncated_file_is_an_error_that_names_it(fashion_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(fashion_root, root)
    path = root / "FashionMNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1_000_000])
    with pytest.raises(DyingReluError, match="t10k-images-idx3-ubyte is truncated"):
        folder.read("fashion_mnist", root)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_of_mnist_that_is_not_the_original_is_an_error_that_names_both_sums(
    tmp_path: Path, zipped: bool
) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file, array in zip(folder.IDX_FILES, invented("mnist"), strict=True):
        content = idx(array)
        (raw / (f"{file}.gz" if zipped else file)).write_bytes(
            gzip.compress(content, 1) if zipped else content
        )
    found = hashlib.sha256(idx(invented("mnist").train_images)).hexdigest()
    with pytest.raises(
        DyingReluError,
        match=f"train-images-idx3-ubyte.* not the original: found SHA-256 {found}; expected ba891046e6505d7a",
    ):
        folder.read("mnist", tmp_path)


@pytest.fixture
def small_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pickles as CIFAR-10 has them, with two images each, which torchvision is told to know."""
    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()

    def written(file: str, content: object) -> str:
        (folder / file).write_bytes(pickle.dumps(content))
        return hashlib.md5((folder / file).read_bytes()).hexdigest()

    def batch(label: int) -> dict[str, object]:
        rows = np.full((2, 3072), label, np.uint8)
        rows[:, 0] = 100  # red, of the first pixel
        return {"data": rows, "labels": [label, label]}

    train = [[f"data_batch_{n}", written(f"data_batch_{n}", batch(n))] for n in range(1, 6)]
    monkeypatch.setattr(CIFAR10, "train_list", train)
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", written("test_batch", batch(9))]])
    names = written("batches.meta", {"label_names": [str(n) for n in range(10)]})
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": names})
    return tmp_path


def test_pickles_become_images_with_channels_last(small_cifar: Path) -> None:
    arrays = folder.read("cifar10", small_cifar)
    assert arrays.train_images.shape == (10, 32, 32, 3)
    assert arrays.train_images[0, 0, 0].tolist() == [100, 1, 1]
    assert arrays.train_labels.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert arrays.test_labels.dtype == np.uint8


class _Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle that nobody knows was read",))


def test_a_pickle_that_is_not_the_original_is_not_read(small_cifar: Path) -> None:
    content, expected = pickle.dumps(_Harmful()), CIFAR10.train_list[2][1]
    (small_cifar / CIFAR10.base_folder / "data_batch_3").write_bytes(content)
    found = hashlib.md5(content).hexdigest()
    with pytest.raises(
        DyingReluError,
        match=rf"cifar-10-batches-py/data_batch_3 in .* not the original: found MD5 {found}; expected MD5 {expected}",
    ):
        folder.read("cifar10", small_cifar)


def test_a_pickle_far_larger_than_the_original_is_not_summed_up(small_cifar: Path) -> None:
    with (small_cifar / CIFAR10.base_folder / "data_batch_3").open("ab") as file:
        file.truncate(5 * 2**40)
    with pytest.raises(
        DyingReluError,
        match=r"data_batch_3 in .* not the original: found 5,497,558,138,880 bytes; expected MD5",
    ):
        folder.read("cifar10", small_cifar)
