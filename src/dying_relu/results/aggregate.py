"""The aggregation of shards' tables to those of a study, in memory that does not grow with the study."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from pyarrow import concat_tables
from pyarrow.parquet import ParquetWriter

from dying_relu.errors import DyingReluError
from dying_relu.files import atomic, checksums
from dying_relu.plan.shard import Shard
from dying_relu.plan.study import Study
from dying_relu.results import schemas, store
from dying_relu.results.kept import kept, stored
from dying_relu.results.origin import of_study

ROWS = 1_000_000
"""Rows that are in memory at once, at most, unless a shard has more."""


def aggregate(study: Study, shards: Path, out: Path) -> None:
    """Put the tables of a study's shards together and write what the study keeps of them, with checksums.

    Args:
        study: what was planned.
        shards: folder that holds a folder of tables for each shard.
        out: folder of the study's tables.

    Raises:
        DyingReluError: a shard's table is missing, damaged, or not one of the planned runs; shards were not made alike
            (:func:`dying_relu.results.origin.of_study`). The message names the file.
    """
    for name in schemas.TABLES:
        _aggregate(name, study, shards, out / f"{name}.parquet")


def _aggregate(name: str, study: Study, shards: Path, path: Path) -> None:
    files = {shard.name: shards / shard.name / f"{name}.parquet" for shard in study.shards}
    for file in files.values():
        checksums.check(file)
    origin = of_study(study, {shard: store.origin_of(file) for shard, file in files.items()})
    writer = None
    with atomic.atomic_path(path) as scratch:
        try:
            for batch in _batches(study.shards, files):
                whole = _read(name, batch, files, path)
                rows = store.as_stored(kept(name, whole, _runs(batch, shards)), origin)
                writer = writer or ParquetWriter(scratch, rows.schema, **stored(name, rows.schema))
                writer.write_table(rows)
        finally:
            if writer is not None:
                writer.close()
    checksums.write_beside(path)


def _batches(shards: tuple[Shard, ...], files: dict[str, Path]) -> Iterator[list[Shard]]:
    """Shards in their order, as many together as have ``ROWS`` rows."""
    batch: list[Shard] = []
    total = 0
    for shard in shards:
        with store.readable(files[shard.name]) as file:
            rows = file.metadata.num_rows
        if batch and total + rows > ROWS:
            yield batch
            batch, total = [], 0
        batch.append(shard)
        total += rows
    yield batch


def _read(name: str, shards: list[Shard], files: dict[str, Path], path: Path) -> pd.DataFrame:
    """Read the rows of ``shards``, one after the other; checked as a whole, at a small part of the cost of shard by shard."""
    paths = [files[shard.name] for shard in shards]
    try:
        table = store.checked(name, _unchecked(paths), path)
    except (DyingReluError, *store.UNREADABLE):
        # Slower, but it names the file at fault.
        table = store.checked(
            name, pd.concat([store.read(name, file) for file in paths], ignore_index=True), path
        )
    _require_planned_runs(name, table, shards, path)
    return table


def _runs(batch: list[Shard], shards: Path) -> pd.DataFrame:
    return _unchecked([shards / shard.name / "runs.parquet" for shard in batch])


def _unchecked(files: list[Path]) -> pd.DataFrame:
    """The rows of ``files``, which must agree in their columns, one after the other."""
    tables = []
    for path in files:
        with store.readable(path) as file:
            tables.append(file.read(use_threads=False).replace_schema_metadata())
    # A file without rows does not know the types of its columns.
    filled = [table for table in tables if table.num_rows] or tables[:1]
    return store.as_rows(concat_tables(filled))


def _require_planned_runs(name: str, table: pd.DataFrame, shards: list[Shard], path: Path) -> None:
    """Raise an error unless the rows are of the runs of ``shards``, of each of them; then no run can be in two of them.

    Every run has rows in every table, since no network has overflowed before its first step; in the table of units, those whose
    units are recorded. Activity is counted after training, so runs that overflowed have none.
    """
    asks = {"units": lambda shard: shard.record_units, "activity": lambda shard: shard.activity_counts}
    has_rows = asks.get(name, lambda shard: True)
    planned = [run.id for shard in shards if has_rows(shard) for run in shard.runs]
    runs = table["run"].unique()
    differing = sorted(set(runs) - set(planned) if name == "activity" else set(runs) ^ set(planned))
    if not differing and (name != "runs" or list(runs) == planned):
        return
    raise DyingReluError(
        f"{path} would not hold the runs that are planned for {shards[0].name} to {shards[-1].name}",
        found=f"{len(differing)} missing or too many, such as {differing[0]}"
        if differing
        else "another order",
        remedy="delete the folders of these shards and run snakemake again",
    )
