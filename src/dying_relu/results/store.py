"""The files of tables, written and read.

Every table is one parquet file. It is checked against its schema (:mod:`dying_relu.results.schemas`) when it is written and again
when it is read, so that a wrong number stops the job that made it and a damaged file stops the job that reads it; a sum beside it
(:mod:`dying_relu.files.checksums`) shows whether it has changed meanwhile. In its metadata, under ``dying_relu``, it says what its
numbers follow from (:mod:`dying_relu.results.origin`).
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
from pyarrow import ArrowException, Table, schema, string
from pyarrow.parquet import ParquetFile, write_table
from pyarrow.types import is_null

from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.files.atomic import atomic_path
from dying_relu.plan.memory import of_machine
from dying_relu.results import origin
from dying_relu.results.columns import narrowed
from dying_relu.results.kept import MAY_BE_MISSING
from dying_relu.results.origin import Origin
from dying_relu.results.schemas import TABLES, VERSION
from dying_relu.results.simulation_schemas import SIMULATIONS

ORIGIN = b"dying_relu"
"""Key of a table's origin in its file's metadata."""

SCHEMA_VERSION = b"dying_relu_schema_version"
"""Key of the schemas' version there; the first version had none."""

COMPRESSION = "zstd"

BYTES_PER_CELL = 8
"""In memory, at least; on disk a column that repeats itself takes next to nothing."""

SHOWN = 3
"""Faults of a table that a message names, at most."""

UNREADABLE = (OSError, ValueError, ArrowException)
"""Errors of reading a file that is not parquet, or no longer."""


def write(name: str, table: pd.DataFrame, path: Path, origin: Origin) -> None:
    """Check a table against its schema, and write it with its checksum.

    Args:
        name: of the schema, a key of ``TABLES`` or ``SIMULATIONS``.
        table: its rows.
        path: file to write.
        origin: what its numbers follow from.

    Raises:
        DyingReluError: the table does not obey its schema, or cannot be written.
    """
    sound = checked(name, table, path)
    with atomic_path(path) as scratch:
        _write(sound, scratch, origin)
    checksums.write_beside(path)


def write_folder(tables: dict[str, pd.DataFrame], folder: Path, origin: Origin) -> None:
    """Write tables and their checksums to a folder: all of them or, if anything fails, none.

    Args:
        tables: name of the schema -> rows.
        folder: to write.
        origin: what the numbers follow from.

    Raises:
        DyingReluError: a table does not obey its schema, or the folder cannot be written.
    """
    sound = {
        f"{name}.parquet": checked(name, table, folder / f"{name}.parquet") for name, table in tables.items()
    }
    with atomic_path(folder) as scratch:
        scratch.mkdir()
        for name, table in sound.items():
            _write(table, scratch / name, origin)
            checksums.write_beside(scratch / name)


def _write(table: pd.DataFrame, path: Path, origin: Origin) -> None:
    write_table(as_stored(table, origin), path, compression=COMPRESSION)


def as_stored(table: pd.DataFrame, origin: Origin) -> Table:
    """The content of a file: the rows and, in its metadata, their origin.

    Args:
        table: rows.
        origin: what their numbers follow from.
    """
    content = Table.from_pandas(table, preserve_index=False)
    # Without rows, nothing says that a column holds text.
    texts = [field.with_type(string()) if is_null(field.type) else field for field in content.schema]
    metadata = content.schema.metadata | {
        ORIGIN: json.dumps(origin).encode(),
        SCHEMA_VERSION: str(VERSION).encode(),
    }
    return content.cast(schema(texts)).replace_schema_metadata(metadata)


def read(name: str, path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table, checked against its checksum and its schema.

    Args:
        name: of the schema, a key of ``TABLES`` or ``SIMULATIONS``.
        path: its file.
        columns: those to read and to check; None: all of them.

    Raises:
        DyingReluError: there is no such file, it is damaged or was changed, or does not obey the schema.
    """
    checksums.check(path)
    with readable(path) as file:
        _require_version(file, path)
        # In the file's order; what it lacks, the schema misses.
        wanted = [column for column in file.schema_arrow.names if columns is None or column in columns]
        table = as_rows(file.read(wanted, use_threads=False))
    return checked(name, table, path, columns, MAY_BE_MISSING.get(name, ()))


def origin_of(path: Path) -> Origin:
    """Read the origin of a stored table."""
    with readable(path) as file:
        text = (file.schema_arrow.metadata or {}).get(ORIGIN)
        if text is None:
            raise ValueError("it does not say what its numbers follow from")
        return origin.parsed(text)


def origin_of_study(folder: Path) -> Origin:
    """Read the one origin of all the tables of a study.

    Raises:
        DyingReluError: they were not made together.
    """
    made_of = {name: origin_of(folder / f"{name}.parquet") for name in TABLES}
    first, *others = made_of
    for name in others:
        origin.require_same(folder / f"{name}.parquet", made_of[name], made_of[first])
    return made_of[first]


@contextmanager
def readable(path: Path) -> Iterator[ParquetFile]:
    """Open a table's file; errors while it is open are put down to it, but for a lack of memory."""
    try:
        file = ParquetFile(path)
        _require_memory(file, path)
        yield file
    except MemoryError:
        # Arrow's is one of its own exceptions, too.
        raise
    except FileNotFoundError as error:
        raise DyingReluError(
            f"no table at {path}", remedy="run the study first: snakemake --cores all"
        ) from error
    except PermissionError as error:
        raise DyingReluError(
            f"cannot read {path}",
            found=error.strerror or str(error),
            remedy="make it readable, then run again",
        ) from error
    except UNREADABLE as error:
        raise DyingReluError(
            f"{path} is not a readable table", found=str(error), remedy="delete it and run the study again"
        ) from error


def _require_version(file: ParquetFile, path: Path) -> None:
    """Raise an error if the file was made by a version of this program whose tables had other columns."""
    version = (file.schema_arrow.metadata or {}).get(SCHEMA_VERSION, b"1").decode(errors="replace")
    if version != str(VERSION):
        raise DyingReluError(
            f"{path} was made by another version of this program",
            found=f"tables of version {version}",
            expected=f"version {VERSION}",
            remedy="the commit in provenance.json beside it reads it; or run the study again",
        )


def _require_memory(file: ParquetFile, path: Path) -> None:
    """Raise an error if the file says of itself that it does not fit into this machine's memory."""
    rows, columns = file.metadata.num_rows, file.metadata.num_columns
    needed, memory = rows * columns * BYTES_PER_CELL, of_machine()
    if memory is not None and needed > memory:
        raise DyingReluError(
            f"{path} does not fit into this machine's memory",
            found=f"{rows} rows of {columns} columns, at least {needed / 2**30:.0f} GiB",
            expected=f"at most {memory / 2**30:.0f} GiB",
            remedy="delete it and run the study again if no study of yours is as large, or else read it on a larger machine",
        )


def as_rows(table: Table) -> pd.DataFrame:
    """Convert a file's content to a data frame.

    Args:
        table: its metadata about pandas is ignored, since the schema says which types the columns have.

    Returns:
        The same rows and columns.
    """
    return table.to_pandas(ignore_metadata=True)


def checked(
    name: str,
    table: pd.DataFrame,
    path: Path,
    columns: Sequence[str] | None = None,
    not_kept: Sequence[str] = (),
) -> pd.DataFrame:
    """Check a table against its schema.

    Args:
        name: of the schema, a key of ``TABLES`` or ``SIMULATIONS``.
        table: rows.
        path: from where it is or to where it goes, for the message.
        columns: those that the table has; None: all of them.
        not_kept: those that may lack numbers in a study's table, which its shards' tables have.

    Returns:
        The table with the schema's types.

    Raises:
        DyingReluError: it does not obey the schema.
    """
    schema = (TABLES | SIMULATIONS)[name]
    if columns is not None:
        schema = narrowed(schema, columns)
    lacking = [column for column in not_kept if column in schema.columns]
    if lacking:
        schema = schema.update_columns({column: {"nullable": True} for column in lacking})
    try:
        return schema.validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        raise DyingReluError(
            f"{path} does not hold a valid table of {name}",
            found="; ".join(_broken(name, schema, error.failure_cases)[:SHOWN]),
            expected="the schema in dying_relu.results.schemas",
            remedy="delete the file and run the study again",
        ) from error


def _broken(name: str, schema: pa.DataFrameSchema, causes: pd.DataFrame) -> list[str]:
    """Name the faults, each once. Of a law of whole rows pandera lists a row's every cell, the wrong one or not."""
    laws = {check.name for check in schema.checks}
    faults = (
        f"{check} failed" if check in laws else f"{check} failed for {cell!r} in {column or name}"
        for check, cell, column in zip(
            causes["check"].astype(str), causes["failure_case"], causes["column"], strict=True
        )
    )
    return list(dict.fromkeys(faults))
