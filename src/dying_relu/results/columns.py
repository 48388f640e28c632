"""The columns of tables: their kinds, the laws between them, and schemas made of both."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandas.api.types import infer_dtype
from pandera.dtypes import DataType
from pandera.engines.pandas_engine import NpString

FRACTION = pa.Check.in_range(0, 1)
NOT_NEGATIVE = pa.Check.ge(0)
POSITIVE = pa.Check.gt(0)


class Text(NpString):
    """Pandera's ``str``, checked a column at a time: in a table of a million rows it asks every cell by itself."""

    def check(self, pandera_dtype: DataType, data_container: Any = None) -> bool | Iterable[bool]:
        """Find the cells that are text or missing: True for all of them, or what pandera says of each."""
        if data_container is not None and infer_dtype(data_container, skipna=True) == "string":
            return True
        return super().check(pandera_dtype, data_container)


def text(description: str, *, one_of: Sequence[str] = ()) -> pa.Column:
    """Text, one of ``one_of`` if that is given.

    Args:
        description: its meaning, a sentence.
        one_of: the values that it may have; empty: any.
    """
    # Pandera's classes of types take no arguments, though their annotations say otherwise.
    kind = Text()  # type: ignore[call-arg]
    return pa.Column(kind, [pa.Check.isin(list(one_of))] if one_of else [], description=description)


def flag(description: str, *, missing: str = "") -> pa.Column:
    """True or false, neither in those rows that ``missing`` names.

    Args:
        description: its meaning, a sentence.
        missing: the rows without a value, in words; empty: there is none.
    """
    kind = "boolean" if missing else "bool"
    return pa.Column(kind, nullable=bool(missing), description=_with_missing(description, missing, "missing"))


def count(description: str, check: pa.Check = NOT_NEGATIVE, *, missing: str = "") -> pa.Column:
    """A whole number, none in those rows that ``missing`` names.

    Args:
        description: its meaning, a sentence.
        check: what every number obeys.
        missing: the rows without a value, in words; empty: there is none.
    """
    kind = "Int64" if missing else "int64"
    description = _with_missing(description, missing, "missing")
    return pa.Column(kind, check, nullable=bool(missing), description=description)


def real(description: str, *checks: pa.Check, missing: str = "") -> pa.Column:
    """A number, not a number in those rows that ``missing`` names.

    Args:
        description: its meaning, a sentence.
        checks: what every number obeys.
        missing: the rows without a value, in words; empty: there is none.
    """
    return pa.Column(
        float, list(checks), nullable=bool(missing), description=_with_missing(description, missing)
    )


def share(description: str, *, missing: str = "") -> pa.Column:
    """A number from 0 to 1, not a number in those rows that ``missing`` names.

    Args:
        description: its meaning, a sentence.
        missing: the rows without a value, in words; empty: there is none.
    """
    return real(description, FRACTION, missing=missing)


def measured(description: str, *checks: pa.Check, missing: str = "") -> pa.Column:
    """A number as the networks have it, in single precision; for long tables.

    Args:
        description: its meaning, a sentence.
        checks: what every number obeys.
        missing: the rows without a value, in words; empty: there is none.
    """
    return pa.Column(
        "float32", list(checks), nullable=bool(missing), description=_with_missing(description, missing)
    )


def added_later(column: pa.Column) -> pa.Column:
    """Make a column one that tables may lack, because some were written before there was such a column.

    Args:
        column: as tables have it that are written now.
    """
    column.required = False
    return column


def _with_missing(description: str, missing: str, value: str = "NaN") -> str:
    return f"{description.removesuffix('.')}; {value} {missing}." if missing else description


def law(name: str, holds: Callable[[pd.DataFrame], pd.Series]) -> pa.Check:
    """A condition that every row of a table fulfils.

    Args:
        name: the law in words, for messages.
        holds: (rows,) bool of a table; a missing value breaks no law.
    """
    # By default pandera looks for rows without any value first, which takes longer than the rest and finds none.
    return pa.Check(holds, name=name, ignore_na=False)


def at_most(smaller: str, larger: str) -> pa.Check:
    """The law that one column is at most another, in rows where both are known.

    Args:
        smaller: its name.
        larger: the other's name.
    """

    def holds(table: pd.DataFrame) -> pd.Series:
        return ~(table[smaller] > table[larger]).fillna(False).astype(bool)

    return law(f"{smaller} <= {larger}", holds)


def table(
    columns: dict[str, pa.Column],
    *,
    name: str,
    row: str,
    unique: list[str],
    checks: Sequence[pa.Check] = (),
) -> pa.DataFrameSchema:
    """A table with just these columns, in this order.

    Args:
        columns: by name.
        name: of the table.
        row: the meaning of a row, in words.
        unique: columns that no two rows have in common, the table's key.
        checks: laws.
    """
    return pa.DataFrameSchema(
        columns,
        checks=list(checks),
        unique=unique,
        strict=True,
        coerce=True,
        ordered=True,
        name=name,
        description=row,
    )


def narrowed(schema: pa.DataFrameSchema, columns: Sequence[str]) -> pa.DataFrameSchema:
    """The part of a schema that concerns some of its columns.

    Args:
        schema: of a whole table.
        columns: the names to keep; others are ignored.

    Returns:
        A schema of these columns, with the table's key if all of it is among them, and the laws that are about no other column.
    """
    kept = {name: column for name, column in schema.columns.items() if name in columns}
    nothing = pd.DataFrame({name: pd.Series(dtype=str(column.dtype)) for name, column in kept.items()})
    return table(
        kept,
        name=schema.name,
        row=schema.description,
        unique=list(schema.unique) if set(schema.unique) <= set(kept) else [],
        checks=[check for check in schema.checks if _is_about(check, nothing)],
    )


def _is_about(check: pa.Check, rows: pd.DataFrame) -> bool:
    try:
        check(rows)
    except KeyError:
        return False
    return True
