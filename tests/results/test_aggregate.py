"""A study's tables are those of its shards, one after the other; shards that do not belong together are refused and named."""

import shutil
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_study import write_small_study

from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.plan import study
from dying_relu.results import aggregate as aggregation
from dying_relu.results import schemas, store
from dying_relu.results.kept import kept

Change = Callable[[pd.DataFrame], pd.DataFrame]
SMOKE = Path(__file__).parents[2] / "config" / "smoke.yaml"
ORIGIN = {"code": "5eed", "data": {"mnist": "a", "cifar10": "b"}, "libraries": {"torch": "2.13.0"}}


class Shards:
    """The tables of three shards of a study; the first has recorded no units."""

    def __init__(self, folder: Path) -> None:
        write_small_study(folder / "whole", replicates=1, experiments=("recovery",))
        tables = {name: store.read(name, folder / "whole" / f"{name}.parquet") for name in schemas.TABLES}
        tables["activity"] = activity_of(tables["units"])
        runs = list(tables["runs"]["run"])
        planned = study.load(SMOKE)
        self.folder, self.out = folder, folder / "out"
        self.study = study.Study(
            planned.configuration,
            tuple(
                replace(
                    shard,
                    name=f"shard{number}",
                    record_units=number > 0,
                    activity_counts=True,
                    runs=tuple(replace(shard.runs[0], id=run) for run in runs[number::3]),
                )
                for number, shard in enumerate(planned.shards[:3])
            ),
        )
        for number, shard in enumerate(self.study.shards):
            for name, table in tables.items():
                mine = table[table["run"].isin(runs[number::3]) & ((name != "units") | (number > 0))]
                origin = {"configuration": shard.fingerprint, **ORIGIN}
                store.write(name, mine, self.path(number, name), origin)

    def path(self, number: int, name: str) -> Path:
        return self.folder / f"shard{number}" / f"{name}.parquet"

    def of(self, *numbers: int) -> study.Study:
        return replace(self.study, shards=tuple(self.study.shards[number] for number in numbers))

    def put_together(self, *numbers: int) -> None:
        aggregation.aggregate(self.of(*numbers or (0, 1, 2)), self.folder, self.out)

    def change(self, number: int, name: str, change: Change) -> None:
        """Rewrite a table without a look at its schema."""
        path = self.path(number, name)
        origin = store.origin_of(path)
        store.write_table(store.as_stored(change(pd.read_parquet(path)), origin), path)
        checksums.write_beside(path)

    def remake(self, number: int, **origin: Any) -> None:
        """As if a shard had been made in another way."""
        for name in schemas.TABLES:
            path = self.path(number, name)
            store.write(name, store.read(name, path), path, store.origin_of(path) | origin)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    """Made once; each test gets a copy."""
    return Shards(tmp_path_factory.mktemp("made"))


def activity_of(units: pd.DataFrame) -> pd.DataFrame:
    """A row of the table of activity for each unit."""
    first = units.groupby(["run", "layer", "unit"], as_index=False, sort=False).first()
    counted = first.assign(examples=500, active=1, born_dead=False)
    return counted[list(schemas.ACTIVITY.columns)]


@pytest.fixture
def shards(made: Shards, tmp_path: Path) -> Shards:
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    shards = copy(made)
    shards.folder, shards.out = tmp_path, tmp_path / "out"
    return shards


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [1_000_000, 100, 1])
def test_the_whole_is_the_shards_one_after_the_other(
    rows: int, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aggregation, "ROWS", rows)
    shards.put_together(2, 1, 0)
    for name in schemas.TABLES:
        parts = [
            kept(name, *(store.read(table, shards.path(number, table)) for table in (name, "runs")))
            for number in (2, 1, 0)
        ]
        expected = pd.concat([part for part in parts if len(part)], ignore_index=True)
        pd.testing.assert_frame_equal(store.read(name, shards.out / f"{name}.parquet"), expected)


def test_a_study_that_recorded_no_units_has_a_table_without_rows(shards: Shards) -> None:
    shards.put_together(0)
    units = store.read("units", shards.out / "units.parquet")
    assert units.empty
    assert list(units.columns) == list(schemas.UNITS.columns)


def test_shards_without_a_fault_are_not_checked_one_by_one(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "read", None)
    shards.put_together()
    assert (shards.out / "layers.parquet").is_file()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["layers", "units"])
def test_numbers_stored_as_another_type_are_put_together(name: str, shards: Shards) -> None:
    shards.put_together()
    expected = store.read(name, shards.out / f"{name}.parquet")
    shards.change(1, name, lambda table: table.astype({"step": float}))
    shards.put_together()
    pd.testing.assert_frame_equal(store.read(name, shards.out / f"{name}.parquet"), expected)


@pytest.mark.parametrize("rows", [1_000_000, 1])
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
    change: Change, message: str, rows: int, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aggregation, "ROWS", rows)
    shards.change(1, "layers", change)
    with pytest.raises(DyingReluError, match=rf"shard1/layers\.parquet does not hold a {message}"):
        shards.put_together()
    assert not (shards.out / "layers.parquet").exists()


def test_a_damaged_shard_is_named(shards: Shards) -> None:
    path = shards.path(2, "runs")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DyingReluError, match=r"shard2/runs\.parquet is not the file that was made"):
        shards.put_together()


def test_a_missing_shard_is_named(shards: Shards) -> None:
    shards.path(2, "runs").unlink()
    with pytest.raises(DyingReluError, match=r"no table at .*shard2/runs\.parquet"):
        shards.put_together()


@pytest.mark.parametrize("name", schemas.TABLES)
@pytest.mark.parametrize("rows", [1_000_000, 1])
def test_a_run_of_another_shard_is_an_error(
    name: str, rows: int, shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aggregation, "ROWS", rows)
    other = store.read(name, shards.path(1, name))
    shards.change(2, name, lambda table: pd.concat([table, other.head(1)]))
    with pytest.raises(
        DyingReluError, match=rf"{name}\.parquet (does not hold a valid|would not hold the runs)"
    ):
        shards.put_together()


def test_a_run_that_is_missing_is_an_error(shards: Shards) -> None:
    lost = shards.study.shards[1].runs[0].id
    shards.change(1, "runs", lambda table: table[table["run"] != lost])
    with pytest.raises(DyingReluError, match=f"1 missing or too many, such as {lost}"):
        shards.put_together()


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ({"code": "0dd"}, r"differ in their code: found 5eed in shard0, shard2; 0dd in shard1"),
        (
            {"libraries": {"torch": "2.12.0"}},
            r"libraries: found torch 2\.13\.0 in shard0, shard2; torch 2\.12\.0 in shard1",
        ),
        ({"data": ORIGIN["data"] | {"mnist": "c"}}, r"data of mnist: found a in shard0, shard2; c in shard1"),
        ({"configuration": "0dd"}, r"trained with another configuration: found shard1"),
    ],
)
def test_shards_that_were_not_made_alike_are_refused(
    origin: dict[str, Any], message: str, shards: Shards
) -> None:
    shards.remake(1, **origin)
    with pytest.raises(DyingReluError, match=message):
        shards.put_together()
    assert not list(shards.out.glob("*"))


def test_the_whole_says_what_all_its_shards_follow_from(shards: Shards) -> None:
    shards.put_together()
    found = store.origin_of(shards.out / "layers.parquet")
    data = {name: ORIGIN["data"][name] for name in shards.study.datasets}
    assert found == {"configuration": shards.study.fingerprint, **ORIGIN, "data": data}


def test_the_whole_has_sums_too(shards: Shards) -> None:
    shards.put_together()
    path = shards.out / "layers.parquet"
    assert checksums.beside(path).read_text(encoding="ascii") == f"{checksums.sha256(path)}  layers.parquet\n"
    path.write_bytes((shards.out / "runs.parquet").read_bytes())
    with pytest.raises(DyingReluError, match=r"layers\.parquet is not the file that was made"):
        store.read("layers", path)
