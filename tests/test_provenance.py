"""The record of where numbers come from is true, and a table that is not the recorded one is found."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from small_study import CONFIGURATION, ORIGIN

from dying_relu import cli, provenance, results, schemas, study
from dying_relu.analysis.numbers.provenance import provenance as macros
from dying_relu.errors import DyingReluError


@pytest.fixture
def recorded(small_study: Path, tmp_path: Path) -> Path:
    """A folder with the tables of a study and their record."""
    shutil.copytree(small_study, tmp_path, dirs_exist_ok=True)
    provenance.record(tmp_path, CONFIGURATION, tmp_path / provenance.NAME)
    return tmp_path


def test_the_record_names_what_was_run_and_where(recorded: Path) -> None:
    found = provenance.read(recorded)
    assert found["configuration"] == study.load(CONFIGURATION).fingerprint
    assert found["versions"] == provenance.versions()
    assert set(found["sha256"]) == {f"{name}.parquet" for name in schemas.TABLES | schemas.SIMULATIONS}
    assert found["hardware"]["cores"] >= 1
    provenance.check(recorded)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()])
def test_a_table_that_is_not_the_recorded_one_is_named(recorded: Path, damage) -> None:
    damage(recorded / "layers.parquet")
    with pytest.raises(DyingReluError, match=r"layers\.parquet is not the table that was recorded"):
        provenance.check(recorded)


def test_a_missing_or_damaged_record_is_an_error_in_words(recorded: Path) -> None:
    (recorded / provenance.NAME).write_text("{")
    with pytest.raises(DyingReluError, match="damaged"):
        provenance.read(recorded)
    (recorded / provenance.NAME).unlink()
    with pytest.raises(DyingReluError, match="run the study"):
        provenance.read(recorded)


def test_training_time_is_the_sum_over_jobs(recorded: Path) -> None:
    folder = recorded / "benchmarks" / "train"
    folder.mkdir(parents=True)
    for shard, (seconds, rss) in {"a": (90.0, 512.0), "b": (60.0, 2048.0)}.items():
        text = f"s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:01:00\t{rss}\t-\n"
        (folder / f"{shard}.tsv").write_text(text)
    provenance.record(recorded, CONFIGURATION, recorded / provenance.NAME)
    assert provenance.read(recorded)["training"] == {
        "jobs": 2,
        "seconds": 150.0,
        "largest_memory_mebibytes": 2048.0,
    }


def test_the_paper_does_not_depend_on_how_long_training_took(recorded: Path) -> None:
    before = macros(recorded)
    path = recorded / provenance.NAME
    found = provenance.read(recorded)
    path.write_text(json.dumps(found | {"training": {"jobs": 2, "seconds": 150.0}}))
    assert macros(recorded) == before
    path.write_text(json.dumps(found | {"commit": "0123456789"}))
    assert macros(recorded)["StudyRecord"] != before["StudyRecord"]


def test_the_commit_says_when_files_were_modified(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    (tmp_path / "src" / "dying_relu").mkdir(parents=True)
    source = tmp_path / "src" / "dying_relu" / "x.py"
    source.write_text("x = 1\n")
    table = tmp_path / "results" / "published" / "runs.parquet"
    table.parent.mkdir(parents=True)
    table.write_text("made by a study")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "x")
    clean = provenance.commit(tmp_path)
    assert re.fullmatch("[0-9a-f]{10}", clean)
    table.write_text("made by a study that was repeated")
    assert provenance.commit(tmp_path) == clean
    source.write_text("x = 2\n")
    assert provenance.commit(tmp_path) == f"{clean}, modified"


def test_without_a_repository_or_git_the_commit_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provenance.commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit(CONFIGURATION.parent) == "unknown"


def test_the_command_is_the_one_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    assert provenance.command(Path("config/config.yaml")) == "make paper"
    monkeypatch.chdir(CONFIGURATION.parents[1])
    assert provenance.command(CONFIGURATION) == "snakemake --cores all --configfile config/smoke.yaml"


@pytest.mark.parametrize("part", ["configuration", "code", "data", "libraries"])
def test_tables_that_were_not_made_together_are_not_recorded(part: str, recorded: Path) -> None:
    path = recorded / "layers.parquet"
    results.write("layers", results.read("layers", path), path, ORIGIN | {part: "another"})
    with pytest.raises(
        DyingReluError, match=rf"layers\.parquet was not made with the other tables .*another {part}"
    ):
        provenance.record(recorded, CONFIGURATION, recorded / provenance.NAME)


def test_a_table_is_described_by_what_it_carries_and_by_the_record_that_is_of_it(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.provenance(recorded / "runs.parquet")
    printed = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    assert {part: value.strip() for part, value in printed.items()} == provenance.describe(
        recorded / "runs.parquet"
    )
    assert printed["configuration"].strip() == ORIGIN["configuration"]
    assert printed["commit"].strip() == provenance.read(recorded)["commit"]
    moved = recorded / "elsewhere" / "runs.parquet"
    moved.parent.mkdir()
    shutil.copy(recorded / "runs.parquet", moved)
    assert set(provenance.describe(moved)) == set(ORIGIN)
    shutil.copy(recorded / "layers.parquet", recorded / "runs.parquet")
    assert "commit" not in provenance.describe(recorded / "runs.parquet")


def test_only_tables_are_described(recorded: Path) -> None:
    with pytest.raises(DyingReluError, match=r"expected a \.parquet file"):
        provenance.describe(recorded / provenance.NAME)
    with pytest.raises(DyingReluError, match="no table at"):
        provenance.describe(recorded / "nothing.parquet")
