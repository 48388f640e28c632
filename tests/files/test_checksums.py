"""A table that is not the one that was made is found, however well it looks."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from small_study import ORIGIN

from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.results import schemas, store


@pytest.fixture
def folder(small_study: Path, tmp_path: Path) -> Path:
    """The tables of a shard, as training writes them."""
    tables = {name: store.read(name, small_study / f"{name}.parquet") for name in schemas.TABLES}
    store.write_folder(tables, tmp_path / "shard", ORIGIN)
    return tmp_path / "shard"


def test_the_usual_command_checks_them(folder: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("there is no sha256sum")
    done = subprocess.run(
        ["sha256sum", "--strict", "--check", *sorted(folder.glob("*.sha256"))],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == sorted(f"{name}.parquet: OK" for name in schemas.TABLES)


def test_a_number_that_was_changed_is_never_read(folder: Path) -> None:
    path = folder / "runs.parquet"
    runs = pd.read_parquet(path)
    schemas.RUNS.validate(runs.assign(test_accuracy=runs["test_accuracy"] * 0.5)).to_parquet(
        path, index=False
    )
    complaint = r"shard/runs\.parquet is not the file that was made.*found SHA-256 .* delete it and run"
    with pytest.raises(DyingReluError, match=complaint):
        store.read("runs", path)
    store.read("layers", folder / "layers.parquet")


@pytest.mark.parametrize("position", [0.01, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", schemas.TABLES)
def test_a_flipped_bit_is_found_wherever_it_is(name: str, position: float, folder: Path) -> None:
    path = folder / f"{name}.parquet"
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(DyingReluError, match=rf"{name}\.parquet is not the file that was made"):
        store.read(name, path)


def test_a_file_without_a_sum_is_not_read(folder: Path) -> None:
    path = folder / "runs.parquet"
    checksums.beside(path).unlink()
    with pytest.raises(
        DyingReluError, match=r"nobody can tell whether .*runs\.parquet is the file that was made"
    ):
        store.read("runs", path)
    checksums.write_beside(path)
    store.read("runs", path)
    path.write_bytes((folder / "layers.parquet").read_bytes())
    with pytest.raises(DyingReluError, match=r"runs\.parquet is not the file that was made"):
        store.read("runs", path)


@pytest.mark.parametrize("content", ["", f"{'0' * 64}  layers.parquet\n"])
def test_a_sum_that_does_not_name_the_file_says_nothing_of_it(folder: Path, content: str) -> None:
    checksums.beside(folder / "runs.parquet").write_text(content)
    with pytest.raises(DyingReluError, match="there is no checksum of it"):
        store.read("runs", folder / "runs.parquet")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"one word\n", b"a  b  c\n"])
def test_damaged_sums_are_named(folder: Path, content: bytes) -> None:
    checksums.beside(folder / "runs.parquet").write_bytes(content)
    with pytest.raises(DyingReluError, match=r"runs\.parquet\.sha256 is damaged"):
        store.read("runs", folder / "runs.parquet")
