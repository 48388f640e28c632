"""The tables a study produces: their schemas, and how they are written and read.

Every table is one parquet file. A table is checked against its schema when it is written and again when it is read,
so that a wrong number stops the job that made it and a damaged file stops the job that reads it.

==================  =====================================================================
table               a row is
==================  =====================================================================
``runs``            a run: its factors and its final metrics
``checkpoints``     a run at a checkpoint: loss, accuracy, divergence
``layers``          a hidden layer of a run at a checkpoint on a probe set: counts of units
``units``           a unit of a run at a checkpoint (experiments with ``record_units``)
``validation``      a published or theoretical probability, and our estimate of it
``born_dead``       random networks of one shape before training: how many are constant
==================  =====================================================================

Every file also says what its numbers follow from (:mod:`dying_relu.origin`), in its metadata under ``dying_relu``.

``units`` and every count come from :mod:`dying_relu.units`.
"""

import glob
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
from pyarrow import ArrowException, Table, schema, string
from pyarrow.parquet import ParquetFile, write_table
from pyarrow.types import is_null

from dying_relu import sums
from dying_relu.errors import DyingReluError
from dying_relu.origin import Origin

_fraction = pa.Check.in_range(0, 1)
_not_negative = pa.Check.ge(0)


def _key() -> pa.Column:
    return pa.Column(str)


def _fraction_or_nan() -> pa.Column:
    return pa.Column(float, _fraction, nullable=True)


def _count() -> pa.Column:
    return pa.Column("int64", _not_negative)


def _real(*, nullable: bool = False) -> pa.Column:
    return pa.Column(float, nullable=nullable)


def _law(name: str, holds: Callable[[pd.DataFrame], pd.Series]) -> pa.Check:
    """Something that is true of every row."""
    # By default pandera looks for rows without any value first, which takes longer than the rest and finds none.
    return pa.Check(holds, name=name, ignore_na=False)


def _at_most(smaller: str, larger: str) -> pa.Check:
    return _law(f"{smaller} <= {larger}", lambda table: table[smaller] <= table[larger])


RUNS = pa.DataFrameSchema(
    {
        "run": _key(),
        "experiment": _key(),
        "shard": _key(),
        "dataset": _key(),
        "architecture": _key(),
        "optimiser": _key(),
        "activation": _key(),
        "slope": _real(nullable=True),
        "initialisation": _key(),
        "initial_bias": _real(),
        "learning_rate": pa.Column(float, pa.Check.gt(0)),
        "replicate": _count(),
        "pixels": pa.Column(str, pa.Check.isin(["standardised", "raw"])),
        "batch_size": _count(),
        "steps": _count(),
        "train_examples": _count(),
        "precision": pa.Column(str, pa.Check.isin(["float32", "bf16"])),
        "stack_size": _count(),
        "hidden_units": _count(),
        "parameters": _count(),
        "diverged": pa.Column(bool),
        "diverged_step": pa.Column("Int64", _not_negative, nullable=True),
        "train_loss": _real(nullable=True),
        "train_accuracy": _fraction_or_nan(),
        "test_loss": _real(nullable=True),
        "test_accuracy": _fraction_or_nan(),
        "dead_fraction": _fraction_or_nan(),
        "dead_fraction_test": _fraction_or_nan(),
        "dead_on_both_fraction": _fraction_or_nan(),
        "inactive_fraction": _fraction_or_nan(),
        "saturated_fraction": _fraction_or_nan(),
        "dormant_0_fraction": _fraction_or_nan(),
        "dormant_0025_fraction": _fraction_or_nan(),
        "dormant_01_fraction": _fraction_or_nan(),
        "born_dead_fraction": _fraction_or_nan(),
        "died_fraction": _fraction_or_nan(),
        "revived_fraction": _fraction_or_nan(),
        "effective_rank": pa.Column(float, _not_negative, nullable=True),
        "pruned_difference": pa.Column(float, _not_negative, nullable=True),
        "pruned_answers": _fraction_or_nan(),
        "mean_slope": _real(nullable=True),
    },
    checks=[
        _law("diverged_step iff diverged", lambda t: t["diverged_step"].notna() == t["diverged"]),
        _law("final metrics iff not diverged", lambda t: t["diverged"] == t["dead_fraction"].isna()),
    ],
    unique=["run"],
    strict=True,
    coerce=True,
    ordered=True,
    name="runs",
)

CHECKPOINTS = pa.DataFrameSchema(
    {
        "run": _key(),
        "step": _count(),
        "train_loss": _real(nullable=True),
        "train_accuracy": _fraction_or_nan(),
        "test_loss": _real(nullable=True),
        "test_accuracy": _fraction_or_nan(),
        "diverged": pa.Column(bool),
    },
    unique=["run", "step"],
    strict=True,
    coerce=True,
    ordered=True,
    name="checkpoints",
)

LAYERS = pa.DataFrameSchema(
    {
        "run": _key(),
        "step": _count(),
        "layer": _key(),
        "depth": _count(),
        "probe": pa.Column(str, pa.Check.isin(["train", "test"])),
        "units": _count(),
        "dead": _count(),
        "inactive": _count(),
        "saturated": _count(),
        "dormant_0": _count(),
        "dormant_0025": _count(),
        "dormant_01": _count(),
        "died": _count(),
        "revived": _count(),
        "active_share": pa.Column(float, _fraction),
        "slope": _real(nullable=True),
    },
    checks=[
        _at_most("dead", "inactive"),
        _at_most("dead", "saturated"),
        _at_most("dead", "dormant_0"),
        _at_most("dormant_0", "dormant_0025"),
        _at_most("dormant_0025", "dormant_01"),
        _at_most("inactive", "units"),
        _at_most("dormant_01", "units"),
    ],
    unique=["run", "step", "layer", "probe"],
    strict=True,
    coerce=True,
    ordered=True,
    name="layers",
)

UNITS = pa.DataFrameSchema(
    {
        "run": _key(),
        "step": _count(),
        "layer": _key(),
        "depth": _count(),
        "unit": _count(),
        "dead": pa.Column(bool),
        "inactive": pa.Column(bool),
        "saturated": pa.Column(bool),
        "dormant_0": pa.Column(bool),
        "pre_activation_min": _real(),
        "pre_activation_q05": _real(),
        "pre_activation_q25": _real(),
        "pre_activation_median": _real(),
        "pre_activation_q75": _real(),
        "pre_activation_q95": _real(),
        "pre_activation_max": _real(),
        "mean_abs_activation": pa.Column(float, _not_negative),
        "active_share": pa.Column(float, _fraction),
        "bias": _real(),
        "weight_norm": pa.Column(float, _not_negative),
    },
    checks=[
        _law("dead implies inactive", lambda t: ~t["dead"] | t["inactive"]),
        _at_most("pre_activation_min", "pre_activation_max"),
    ],
    unique=["run", "step", "layer", "unit"],
    strict=True,
    coerce=True,
    ordered=True,
    name="units",
)

TABLES = {"runs": RUNS, "checkpoints": CHECKPOINTS, "layers": LAYERS, "units": UNITS}
"""What training leaves: a file for each shard, and for the study."""

VALIDATION = pa.DataFrameSchema(
    {
        "check": _key(),
        "source": _key(),
        "quantity": _key(),
        "kind": pa.Column(str, pa.Check.isin(["exact", "reported"])),
        "published": _key(),
        "low": pa.Column(float, _fraction),
        "high": pa.Column(float, _fraction),
        "ours": pa.Column(float, _fraction),
        "standard_error": pa.Column(float, _fraction),
        "trials": pa.Column("int64", pa.Check.gt(0)),
        "difference": pa.Column(float, pa.Check.in_range(-1, 1)),
        "agrees": pa.Column(bool),
    },
    checks=[
        _at_most("low", "high"),
        pa.Check(lambda t: (t["low"] == t["high"]) == (t["kind"] == "exact"), name="exact iff one value"),
    ],
    unique=["check"],
    strict=True,
    coerce=True,
    ordered=True,
    name="validation",
)

BORN_DEAD = pa.DataFrameSchema(
    {
        "initialisation": _key(),
        "inputs": _key(),
        "width": _count(),
        "weight_layers": _count(),
        "networks": pa.Column("int64", pa.Check.gt(0)),
        "born_dead": _count(),
    },
    checks=[_at_most("born_dead", "networks")],
    unique=["initialisation", "inputs", "width", "weight_layers"],
    strict=True,
    coerce=True,
    ordered=True,
    name="born_dead",
)

ORIGIN = b"dying_relu"
"""Where a parquet file's metadata say what its numbers follow from."""

COMPRESSION = "zstd"

UNREADABLE = (OSError, ValueError, ArrowException)
"""What reading a file that is not parquet, or no longer, ends with."""

SIMULATIONS = {"validation": VALIDATION, "born_dead": BORN_DEAD}
"""What is simulated without data; see :mod:`dying_relu.validation`."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes the place of ``path`` when the block ends well.

    Works for a file and for a folder (an existing folder is replaced). If the block fails, ``path`` stays as it was and
    nothing is left beside it. A full disk is reported with the path that could not be written.
    """
    scratch = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        written = scratch / path.name
        yield written
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(written, path)
    except OSError as error:
        raise DyingReluError(
            f"cannot write {path}",
            found=error.strerror or str(error),
            remedy="free some space or make the folder writable, then run again",
        ) from error
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def remove_leftovers(path: Path) -> None:
    """Delete what killed processes were writing to take the place of ``path``; for who knows that no other is at it."""
    for scratch in path.parent.glob(f".{glob.escape(path.name)}.*"):
        shutil.rmtree(scratch, ignore_errors=True)


def write(name: str, table: pd.DataFrame, path: Path, origin: Origin) -> None:
    """Check ``table`` against the schema ``name`` (a key of ``TABLES`` or ``SIMULATIONS``) and write it to ``path``, atomically."""
    sound = checked(name, table, path)
    with atomic_path(path) as beside:
        _write(sound, beside, origin)


def write_folder(tables: dict[str, pd.DataFrame], folder: Path, origin: Origin) -> None:
    """Write tables, by name, and their sums to ``folder``: all of them or, if anything fails, none."""
    sound = {
        f"{name}.parquet": checked(name, table, folder / f"{name}.parquet") for name, table in tables.items()
    }
    with atomic_path(folder) as beside:
        beside.mkdir()
        for name, table in sound.items():
            _write(table, beside / name, origin)
        sums.write(beside, sound, beside / sums.NAME)


def _write(table: pd.DataFrame, path: Path, origin: Origin) -> None:
    write_table(as_stored(table, origin), path, compression=COMPRESSION)


def as_stored(table: pd.DataFrame, origin: Origin) -> Table:
    """The content of a file: the rows, and what their numbers follow from."""
    content = Table.from_pandas(table, preserve_index=False)
    # Without rows, nothing says that a column holds text.
    texts = [field.with_type(string()) if is_null(field.type) else field for field in content.schema]
    said = content.schema.metadata | {ORIGIN: json.dumps(origin).encode()}
    return content.cast(schema(texts)).replace_schema_metadata(said)


def read(name: str, path: Path) -> pd.DataFrame:
    """The table ``name`` (a key of ``TABLES`` or ``SIMULATIONS``) stored at ``path``, checked against its sum and its schema."""
    sums.check(path)
    with readable(path) as file:
        table = as_rows(file.read(use_threads=False))
    return checked(name, table, path)


def origin(path: Path) -> Origin:
    """What the numbers of the table stored at ``path`` follow from."""
    with readable(path) as file:
        said = (file.schema_arrow.metadata or {}).get(ORIGIN)
        if said is None:
            raise ValueError("it does not say what its numbers follow from")
        return dict(json.loads(said))


@contextmanager
def readable(path: Path) -> Iterator[ParquetFile]:
    """The file at ``path``; what goes wrong while it is open is its fault."""
    try:
        yield ParquetFile(path)
    except FileNotFoundError as error:
        raise DyingReluError(
            f"no table at {path}", remedy="run the study first: snakemake --cores all"
        ) from error
    except UNREADABLE as error:
        raise DyingReluError(
            f"{path} is not a readable table", found=str(error), remedy="delete it and run the study again"
        ) from error


def as_rows(table: Table) -> pd.DataFrame:
    """What the file says about pandas is left aside: the schema says which types the columns have."""
    return table.to_pandas(ignore_metadata=True)


def checked(name: str, table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """``table`` with the types of the schema ``name``, if it obeys it; ``path`` is where it is from or goes, for the message."""
    try:
        return (TABLES | SIMULATIONS)[name].validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        causes = error.failure_cases
        first = "; ".join(
            f"{case.check} failed for {case.failure_case!r} in {case.column or name}"
            for case in causes.head(3).itertuples()
        )
        raise DyingReluError(
            f"{path} does not hold a valid table of {name}",
            found=first,
            expected="the schema in dying_relu.results",
            remedy="delete the file and run the study again",
        ) from error
