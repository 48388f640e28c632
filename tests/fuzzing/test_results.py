"""Any bytes as tables, checksums, records of studies, verdicts and measurements of jobs are read or refused."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from any_input import damaged, quick, refused_or_read, structures
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from small_study import ORIGIN

from dying_relu.analysis import claims
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.plan import resources
from dying_relu.results import provenance, schemas, store


@pytest.fixture(scope="module")
def table(small_study: Path) -> bytes:
    """A small table, as it is stored."""
    few = store.read("runs", small_study / "runs.parquet").head(3)
    buffer = io.BytesIO()
    pq.write_table(store.as_stored(few, ORIGIN), buffer, compression="zstd")
    return buffer.getvalue()


@given(st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_to_a_table(tmp_path: Path, table: bytes, data: st.DataObject) -> None:
    path = tmp_path / "runs.parquet"
    path.write_bytes(data.draw(damaged(table) | st.binary(max_size=100)))
    # With a sum that is right, so that the rest is read.
    checksums.write_beside(path)
    refused_or_read(lambda path: store.read("runs", path), path)
    refused_or_read(store.origin_of, path)


@given(structures)
@quick
def test_a_table_that_says_anything_of_itself(tmp_path: Path, table: bytes, said: object) -> None:
    stored = pq.read_table(io.BytesIO(table))
    metadata = {store.ORIGIN: json.dumps(said, default=str).encode()}
    pq.write_table(stored.replace_schema_metadata(metadata), tmp_path / "runs.parquet")
    refused_or_read(store.origin_of, tmp_path / "runs.parquet")


@given(structures.map(lambda said: json.dumps(said, default=str).encode()) | st.binary(max_size=300))
@quick
def test_anything_as_the_record_of_a_study(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / provenance.NAME
    path.write_bytes(content)
    checksums.write_beside(path)
    refused_or_read(provenance.read, tmp_path)


@given(st.binary(max_size=300))
@quick
def test_any_bytes_as_verdicts_and_as_measurements_of_jobs(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "claims.csv"
    path.write_bytes(content)
    checksums.write_beside(path)
    for read in (claims.read, provenance.describe, resources.usage):
        refused_or_read(read, path)


@given(st.sampled_from(list(schemas.RUNS.columns)), structures)
@quick
def test_a_table_with_another_column(tmp_path: Path, table: bytes, column: str, value: object) -> None:
    changed = pd.read_parquet(io.BytesIO(table))
    try:
        changed[column] = pd.Series([value] * len(changed), dtype=object)
        changed.to_parquet(tmp_path / "runs.parquet", index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, ValueError):
        assume(False)  # no parquet file holds this
    checksums.write_beside(tmp_path / "runs.parquet")
    refused_or_read(lambda path: store.read("runs", path), tmp_path / "runs.parquet")


def test_other_parquet_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.parquet"
    for other in (
        pa.table({"x": pa.array([[1]], pa.list_(pa.int8()))}),
        pa.table({"run": pa.array([Decimal("1.5")], pa.decimal128(5, 2))}),
        pa.table({}),
        pa.table({"run": ["a"]}).replace_schema_metadata({b"pandas": b"not JSON"}),
        pa.table({"run": ["a"]}).replace_schema_metadata({b"pandas": b"[]"}),
        pa.table({"run": ["a"]}).replace_schema_metadata({b"pandas": b'{"index_columns": 3}'}),
    ):
        pq.write_table(other, path)
        checksums.write_beside(path)
        with pytest.raises(DyingReluError, match=r"runs\.parquet"):
            store.read("runs", path)


@given(st.binary(max_size=300))
@quick
def test_any_bytes_as_sums(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "runs.parquet"
    path.write_bytes(b"x")
    checksums.beside(path).write_bytes(content)
    refused_or_read(checksums.check, path)
