"""Tables are checked when they are written and read, and say what their numbers follow from."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from earlier_version import written_by
from small_study import ORIGIN

from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.results import schemas, store

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda runs: runs.assign(overflow_step=3), "overflow_step iff overflowed"),
        (lambda runs: runs.assign(dead_fraction=float("nan")), "final metrics iff not overflowed"),
    ],
)
def test_a_row_with_missing_values_has_its_laws_too(
    change: Change, broken: str, small_study: Path, tmp_path: Path
) -> None:
    runs = store.read("runs", small_study / "runs.parquet")
    sound = runs[~runs["overflowed"]]
    with pytest.raises(DyingReluError, match=broken):
        store.write("runs", change(sound), tmp_path / "runs.parquet", ORIGIN)


def test_a_broken_law_is_named_once_and_no_cell_is_blamed(small_study: Path, tmp_path: Path) -> None:
    runs = store.read("runs", small_study / "runs.parquet").assign(overflow_step=3, saturated_fraction=2.0)
    with pytest.raises(DyingReluError) as error:
        store.write("runs", runs, tmp_path / "runs.parquet", ORIGIN)
    assert "; overflow_step iff overflowed failed; " in f"; {str(error.value).partition('found ')[2]}"
    assert "in_range(0, 1) failed for 2.0 in saturated_fraction" in str(error.value)


def test_a_table_says_what_its_numbers_follow_from(small_study: Path, tmp_path: Path) -> None:
    origin = {"configuration": "c0ffee", "code": "5eed", "data": {"mnist": "5"}, "libraries": {"torch": "2"}}
    runs = store.read("runs", small_study / "runs.parquet")
    store.write("runs", runs, tmp_path / "runs.parquet", origin)
    assert store.origin_of(tmp_path / "runs.parquet") == origin
    pd.testing.assert_frame_equal(store.read("runs", tmp_path / "runs.parquet"), runs)


def test_a_table_that_does_not_say_it_is_named(small_study: Path, tmp_path: Path) -> None:
    pd.read_parquet(small_study / "runs.parquet").to_parquet(tmp_path / "runs.parquet", index=False)
    with pytest.raises(DyingReluError, match=r"runs\.parquet .*does not say what its numbers follow from"):
        store.origin_of(tmp_path / "runs.parquet")


@pytest.mark.parametrize(
    "said", [b"[]", b"{", b"[" * 100_000, b'{"configuration": 1, "code": "", "data": {}, "libraries": {}}']
)
def test_a_table_that_says_nonsense_of_itself_is_named(
    small_study: Path, tmp_path: Path, said: bytes
) -> None:
    stored = pq.read_table(small_study / "runs.parquet")
    pq.write_table(stored.replace_schema_metadata({store.ORIGIN: said}), tmp_path / "runs.parquet")
    with pytest.raises(DyingReluError, match=r"runs\.parquet is not a readable table"):
        store.origin_of(tmp_path / "runs.parquet")


def test_a_table_may_lack_a_column_that_was_added_later(small_study: Path, tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.parquet"
    whole = store.read("checkpoints", small_study / "checkpoints.parquet")
    assert list(whole) == list(schemas.TABLES["checkpoints"].columns)
    before = whole.drop(columns="largest_curvature")
    store.write("checkpoints", before, path, ORIGIN)
    pd.testing.assert_frame_equal(store.read("checkpoints", path), before)
    columns = ["run", "step", "largest_curvature"]
    assert list(store.read("checkpoints", path, columns)) == columns[:2]
    assert list(store.read("checkpoints", small_study / "checkpoints.parquet", columns)) == columns


@pytest.mark.parametrize("part", ["code", "data", "libraries"])
def test_tables_of_two_studies_in_one_folder_are_told_apart(
    part: str, small_study: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_study, tmp_path, dirs_exist_ok=True)
    assert store.origin_of_study(tmp_path) == ORIGIN
    other = {"other": "c0ffee"} if isinstance(ORIGIN[part], dict) else "c0ffee"
    path = tmp_path / "units.parquet"
    store.write("units", store.read("units", path), path, ORIGIN | {part: other})
    complaint = rf"units\.parquet was not made with the other tables .* its {part} differ: found .*c0ffee"
    with pytest.raises(DyingReluError, match=complaint):
        store.origin_of_study(tmp_path)


def test_a_table_too_large_for_the_machine_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are all alike take no room in a file."""
    path = tmp_path / "runs.parquet"
    pq.write_table(pa.table({name: pa.nulls(2**20) for name in "abcdefgh"}), path)
    assert path.stat().st_size < 2**17
    checksums.write_beside(path)
    monkeypatch.setattr(store, "of_machine", lambda: 2**25)
    with pytest.raises(DyingReluError, match=r"does not fit .* found 1048576 rows of 8 columns"):
        store.read("runs", path)


def test_a_lack_of_memory_is_not_the_files_fault(small_study: Path) -> None:
    with pytest.raises(MemoryError), store.readable(small_study / "runs.parquet"):
        raise pa.ArrowMemoryError("malloc of size 64 failed")


def test_a_file_that_may_not_be_read_is_not_called_damaged(small_study: Path) -> None:
    with (
        pytest.raises(DyingReluError, match=r"cannot read .*runs\.parquet: found Permission denied"),
        store.readable(small_study / "runs.parquet"),
    ):
        raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize(
    ("version", "said"), [(None, "1"), (b"1000", "1000"), (b"\xff", "\N{REPLACEMENT CHARACTER}")]
)
def test_tables_of_another_version_are_refused_and_their_origin_is_read(
    version: bytes | None, said: str, small_study: Path, tmp_path: Path
) -> None:
    path = tmp_path / "layers.parquet"
    shutil.copy(small_study / "layers.parquet", path)
    written_by(path, version)
    with pytest.raises(DyingReluError, match=r"provenance\.json") as error:
        store.read("layers", path)
    assert f"{path} was made by another version of this program: found tables of version {said};" in str(
        error.value
    )
    assert store.origin_of(path) == ORIGIN
