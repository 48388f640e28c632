"""Tables are checked when they are written, read and put together, and a file at fault is named."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small_study import write_small_study

from dying_relu import results
from dying_relu.errors import DyingReluError

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    """Folders with the tables of three shards; the first has recorded no units."""
    whole = tmp_path / "whole"
    write_small_study(whole, replicates=1, experiments=("recovery",))
    tables = {name: results.read(name, whole / f"{name}.parquet") for name in results.TABLES}
    runs = tables["runs"]["run"]
    folders = []
    for number in range(3):
        folder = tmp_path / f"shard{number}"
        for name, table in tables.items():
            mine = table[table["run"].isin(runs[number::3]) & ((name != "units") | (number > 0))]
            results.write(name, mine, folder / f"{name}.parquet")
        folders.append(folder)
    return folders


def changed(path: Path, change: Change) -> None:
    """Rewrite a file without a look at its schema."""
    change(pd.read_parquet(path)).to_parquet(path, index=False)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", results.TABLES)
def test_the_whole_is_the_shards_one_after_the_other(name: str, shards: list[Path], tmp_path: Path) -> None:
    results.aggregate(name, shards[::-1], tmp_path / "out.parquet")
    parts = [results.read(name, shard / f"{name}.parquet") for shard in shards[::-1]]
    expected = pd.concat([part for part in parts if len(part)], ignore_index=True)
    pd.testing.assert_frame_equal(results.read(name, tmp_path / "out.parquet"), expected)


def test_a_study_that_recorded_no_units_has_a_table_without_rows(shards: list[Path], tmp_path: Path) -> None:
    results.aggregate("units", shards[:1], tmp_path / "out.parquet")
    units = results.read("units", tmp_path / "out.parquet")
    assert units.empty
    assert list(units.columns) == list(results.UNITS.columns)


def test_shards_without_a_fault_are_not_checked_one_by_one(
    shards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "read", None)
    results.aggregate("layers", shards, tmp_path / "out.parquet")
    assert (tmp_path / "out.parquet").is_file()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["layers", "units"])
def test_numbers_stored_as_another_type_are_put_together(
    name: str, shards: list[Path], tmp_path: Path
) -> None:
    results.aggregate(name, shards, tmp_path / "expected.parquet")
    changed(shards[1] / f"{name}.parquet", lambda table: table.astype({"step": float}))
    results.aggregate(name, shards, tmp_path / "out.parquet")
    expected = results.read(name, tmp_path / "expected.parquet")
    pd.testing.assert_frame_equal(results.read(name, tmp_path / "out.parquet"), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda table: table.assign(dead=table["units"] + 1),
            "valid table of layers: found dead <= inactive",
        ),
        (lambda table: table.assign(active_share=2.0), "valid table of layers: found in_range"),
        (lambda table: table.drop(columns="slope"), "valid table of layers: found column_in_dataframe"),
        (lambda table: table.assign(more=1), "valid table of layers: found column_in_schema"),
        (
            lambda table: pd.concat([table, table.head(1)]),
            "valid table of layers: found multiple_fields_uniqueness",
        ),
        (lambda table: table.assign(units="many"), "valid table of layers: found "),
    ],
)
def test_the_shard_at_fault_is_named(
    change: Change, message: str, shards: list[Path], tmp_path: Path
) -> None:
    changed(shards[1] / "layers.parquet", change)
    with pytest.raises(DyingReluError, match=rf"shard1/layers\.parquet does not hold a {message}"):
        results.aggregate("layers", shards, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_a_damaged_shard_is_named(shards: list[Path], tmp_path: Path) -> None:
    path = shards[2] / "runs.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DyingReluError, match=r"shard2/runs\.parquet is not a readable parquet file"):
        results.aggregate("runs", shards, tmp_path / "out.parquet")


def test_a_missing_shard_is_named(shards: list[Path], tmp_path: Path) -> None:
    (shards[2] / "runs.parquet").unlink()
    with pytest.raises(DyingReluError, match=r"no table of runs at .*shard2/runs\.parquet"):
        results.aggregate("runs", shards, tmp_path / "out.parquet")


@pytest.mark.parametrize("name", results.TABLES)
def test_a_run_in_two_shards_is_an_error(name: str, shards: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match=rf"out\.parquet does not hold a valid table of {name}"):
        results.aggregate(name, [*shards, shards[1]], tmp_path / "out.parquet")


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda runs: runs.assign(diverged_step=3), "diverged_step iff diverged"),
        (lambda runs: runs.assign(dead_fraction=float("nan")), "final metrics iff not diverged"),
    ],
)
def test_a_row_with_missing_values_has_its_laws_too(
    change: Change, broken: str, small_study: Path, tmp_path: Path
) -> None:
    runs = results.read("runs", small_study / "runs.parquet")
    sound = runs[~runs["diverged"]]
    with pytest.raises(DyingReluError, match=broken):
        results.write("runs", change(sound), tmp_path / "runs.parquet")
