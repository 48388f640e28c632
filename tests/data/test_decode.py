import gzip
import hashlib
import io
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from invented_images import idx
from PIL import Image

from dying_relu.data.decode import json_labels, png_sheet, read_idx
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
        for sha256 in (None, hashlib.sha256(idx(array)).hexdigest()):
            read = read_idx(folder / name, array.shape, sha256)
            assert read.dtype == np.uint8
            assert np.array_equal(read, array)


@given(small_arrays, st.booleans(), st.booleans(), st.data())
def test_an_idx_file_cut_anywhere_is_an_error(
    folder: Path, array: np.ndarray, zipped: bool, known: bool, data: st.DataObject
) -> None:
    whole = gzip.compress(idx(array)) if zipped else idx(array)
    path = folder / ("cut.gz" if zipped else "cut")
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    sha256 = hashlib.sha256(idx(array)).hexdigest() if known else None
    with pytest.raises(DyingReluError, match=path.name):
        read_idx(path, array.shape, sha256)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not an IDX file"),
        (b"<html>", "not an IDX file"),
        (
            b"\x00\x00\x0d\x01\x00\x00\x00\x03abc",
            "not an IDX file of 3 unsigned bytes: found a header 00000d01",
        ),
        (idx(np.zeros(4, np.uint8))[:-1], r"not an IDX file of 3 unsigned bytes"),
        (idx(np.zeros(3, np.uint8))[:-1], r"truncated or damaged: found 2 bytes of data; expected 3"),
        (idx(np.zeros(3, np.uint8)) + b"more", r"too large: expected at most 11 bytes"),
    ],
)
def test_what_is_not_the_expected_idx_file_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DyingReluError, match=f"train-images-idx3-ubyte.*{complaint}"):
        read_idx(path, (3,))


def test_a_file_with_another_sum_is_not_used(tmp_path: Path) -> None:
    path, array = tmp_path / "labels", np.arange(3, dtype=np.uint8)
    path.write_bytes(idx(array))
    found = hashlib.sha256(idx(array)).hexdigest()
    with pytest.raises(
        DyingReluError,
        match=f"labels is truncated, damaged or not the original: found SHA-256 {found}; expected 12ab",
    ):
        read_idx(path, (3,), "12ab")


def test_a_file_larger_than_the_data_sets_is_refused_before_it_is_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    with path.open("wb") as file:
        file.truncate(50 * 2**30)  # a hole, which takes no room on the disk
    tracemalloc.start()
    with pytest.raises(
        DyingReluError, match="train-images-idx3-ubyte is too large: expected at most 47,040,016"
    ):
        read_idx(path, (60_000, 28, 28))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300 * 2**20


def test_a_file_that_unzips_to_more_than_the_data_sets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(300):
            file.write(bytes(2**20))
    tracemalloc.start()
    with pytest.raises(DyingReluError, match=r"labels\.gz is too large: expected at most 60,008 bytes"):
        read_idx(path, (60_000,))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 2**20


def test_a_damaged_gzip_file_is_an_error(tmp_path: Path) -> None:
    path, array = tmp_path / "labels.gz", np.resize(np.arange(256, dtype=np.uint8), 2048)
    zipped = bytearray(gzip.compress(idx(array)))
    zipped[len(zipped) // 2] ^= 0xFF
    path.write_bytes(zipped)
    with pytest.raises(DyingReluError, match=r"labels\.gz is truncated or damaged"):
        read_idx(path, array.shape)


def test_each_row_of_a_sheet_is_an_image() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(images.reshape(3, 1024, 3)).save(buffer, "PNG")
    assert np.array_equal(png_sheet(buffer.getvalue()), images)


def test_labels_are_bytes() -> None:
    labels = json_labels(json.dumps([3, 0, 9]).encode())
    assert labels.dtype == np.uint8
    assert labels.tolist() == [3, 0, 9]
