"""Tables are read once, by column where that is enough, and checked as far as they are read."""

import shutil
from pathlib import Path

import pytest

from dying_relu.analysis.claims.evidence import OF_UNITS
from dying_relu.analysis.study_results import StudyResults
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.results import schemas, store


def test_a_table_is_read_once_and_again_only_for_more_columns(
    small_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    monkeypatch.setattr(
        store, "read", lambda name, *_, read=read, real=store.read: (read.append(name), real(name, *_))[1]
    )
    study = StudyResults(small_study)
    few = study.table("units", ("run", "dead"))
    assert list(few) == ["run", "dead"]
    assert study.table("units", ("dead",)) is few
    more = study.table("units", ("step",))
    assert list(more) == ["run", "step", "dead"]
    everything = study.table("units")
    assert list(everything) == list(schemas.UNITS.columns)
    assert study.table("units", OF_UNITS) is study.table("units") is everything
    assert read == ["units"] * 3


@pytest.mark.parametrize(
    ("columns", "changes", "broken"),
    [
        (("active_share",), {"active_share": 2.0}, r"in_range\(0, 1\)"),
        (("dead", "inactive"), {"dead": True, "inactive": False}, "dead implies inactive"),
        (("run", "step", "layer", "unit"), {"unit": 0}, "not_field_unique|unique"),
    ],
)
def test_columns_are_checked_by_what_the_schema_says_of_them(
    columns: tuple[str, ...], changes: dict[str, object], broken: str, small_study: Path, tmp_path: Path
) -> None:
    """Two rows of many are wrong: pandera is slow to list thousands."""
    folder = shutil.copytree(small_study, tmp_path / "study")
    path = folder / "units.parquet"
    units = store.read("units", path)
    units.loc[:1, list(changes)] = list(changes.values())
    store._write(units, path, store.origin_of(path))
    with pytest.raises(DyingReluError, match="is not the file that was made"):
        StudyResults(folder).table("units", columns)
    checksums.write_beside(path)
    with pytest.raises(DyingReluError, match=broken):
        StudyResults(folder).table("units", columns)


def test_a_column_that_is_missing_is_named(small_study: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_study, tmp_path / "study")
    path = folder / "units.parquet"
    store._write(store.read("units", path).drop(columns="bias"), path, store.origin_of(path))
    checksums.write_beside(path)
    with pytest.raises(DyingReluError, match="bias"):
        StudyResults(folder).table("units", ("run", "bias"))
