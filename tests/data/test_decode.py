import gzip
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from invented_images import idx
from PIL import Image

from dying_relu.data.decode import read_idx, read_json_labels, read_png_sheet
from dying_relu.errors import DyingReluError

small_arrays = arrays(np.uint8, array_shapes(max_dims=3, max_side=5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@given(small_arrays)
def test_an_idx_file_gives_back_its_array_plain_or_gzipped(folder: Path, array: np.ndarray) -> None:
    (folder / "plain").write_bytes(idx(array))
    (folder / "zipped.gz").write_bytes(gzip.compress(idx(array)))
    for name in ("plain", "zipped.gz"):
        read = read_idx(folder / name)
        assert read.dtype == np.uint8
        assert np.array_equal(read, array)


@given(small_arrays, st.booleans(), st.data())
def test_an_idx_file_cut_anywhere_is_an_error(
    folder: Path, array: np.ndarray, zipped: bool, data: st.DataObject
) -> None:
    whole = gzip.compress(idx(array)) if zipped else idx(array)
    path = folder / ("cut.gz" if zipped else "cut")
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(DyingReluError, match=path.name):
        read_idx(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not an IDX file"),
        (b"<html><body>Please log in to this network</body></html>", "not an IDX file"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01\x00\x00\x00\x00", "not an IDX file of unsigned bytes"),
        (idx(np.zeros(3, np.uint8)) + b"more", r"found 7 bytes of data; expected 3, as its header says"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "truncated or damaged"),
    ],
)
def test_what_is_not_idx_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DyingReluError, match=f"train-images-idx3-ubyte.*{complaint}"):
        read_idx(path)


@pytest.mark.parametrize(
    ("read", "name"),
    [(read_idx, "train-images-idx3-ubyte"), (read_png_sheet, "sheet.png"), (read_json_labels, "labels.json")],
)
def test_a_file_larger_than_any_data_sets_is_refused_before_it_is_in_memory(
    tmp_path: Path, read: Callable[[Path], np.ndarray], name: str
) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(50 * 2**30)  # a hole, which takes no room on the disk
    tracemalloc.start()
    with pytest.raises(DyingReluError, match=f"{name} is too large: expected at most"):
        read(tmp_path / name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300 * 2**20


def test_a_file_that_unzips_to_more_than_any_data_sets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(300):
            file.write(bytes(2**20))
    with pytest.raises(DyingReluError, match=r"labels\.gz is too large: expected at most 268,435,456 bytes"):
        read_idx(path)


def test_a_sheet_of_more_images_than_a_data_set_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    Image.new("RGB", (1024, 50_001)).save(path)
    with pytest.raises(DyingReluError, match=r"sheet\.png is too large: found 50,001 images"):
        read_png_sheet(path)


def test_a_damaged_gzip_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"
    zipped = bytearray(gzip.compress(bytes(range(256)) * 8))
    zipped[len(zipped) // 2] ^= 0xFF
    path.write_bytes(zipped)
    with pytest.raises(DyingReluError, match=r"labels\.gz is truncated or damaged"):
        read_idx(path)


@pytest.fixture
def sheet(tmp_path: Path) -> tuple[Path, np.ndarray]:
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    path = tmp_path / "test_batch.png"
    Image.fromarray(images.reshape(3, 1024, 3)).save(path)
    return path, images


def test_each_row_of_a_sheet_is_an_image(sheet: tuple[Path, np.ndarray]) -> None:
    path, images = sheet
    assert np.array_equal(read_png_sheet(path), images)


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.95])
def test_a_truncated_sheet_is_an_error(sheet: tuple[Path, np.ndarray], kept: float) -> None:
    path, _ = sheet
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(DyingReluError, match=r"test_batch\.png is truncated"):
        read_png_sheet(path)


@pytest.mark.parametrize("picture", [Image.new("RGB", (32, 32)), Image.new("L", (1024, 2))])
def test_another_picture_is_an_error(tmp_path: Path, picture: Image.Image) -> None:
    picture.save(tmp_path / "cat.png")
    with pytest.raises(DyingReluError, match=r"cat\.png is not a sheet .* expected rows of 1024 RGB pixels"):
        read_png_sheet(tmp_path / "cat.png")


def test_labels_are_bytes(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps([3, 0, 9]))
    labels = read_json_labels(path)
    assert labels.dtype == np.uint8
    assert labels.tolist() == [3, 0, 9]


@pytest.mark.parametrize(
    "text", ["[1, 2", "", "{}", '["1"]', "[true]", "[-1]", "[256]", "[1.5]", "[" * 100_000]
)
def test_other_json_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(DyingReluError, match=r"labels\.json"):
        read_json_labels(path)
