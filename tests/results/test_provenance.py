"""The record of where numbers come from is true, and a table that is not the recorded one is found."""

import json
import shutil
from pathlib import Path

import pytest
from small_study import CONFIGURATION, ORIGIN

from dying_relu.analysis import claims, numbers
from dying_relu.analysis.numbers.provenance import numbers as macros
from dying_relu.analysis.study_results import StudyResults
from dying_relu.commands import study as commands
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.plan import study
from dying_relu.results import provenance, schemas, store
from dying_relu.results.simulation_schemas import SIMULATIONS


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
    assert set(found["sha256"]) == {f"{name}.parquet" for name in schemas.TABLES | SIMULATIONS}
    assert found["hardware"]["cores"] >= 1
    provenance.check(recorded)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()])
def test_a_table_that_is_not_the_recorded_one_is_named(recorded: Path, damage) -> None:
    damage(recorded / "layers.parquet")
    with pytest.raises(DyingReluError, match=r"layers\.parquet is not the table that was recorded"):
        provenance.check(recorded)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"commit": 1}', "[" * 100_000, "\0"])
def test_a_missing_or_damaged_record_is_an_error_in_words(recorded: Path, content: str) -> None:
    path = recorded / provenance.NAME
    path.write_text(content)
    with pytest.raises(DyingReluError, match=r"provenance\.json is not the file that was made"):
        provenance.read(recorded)
    checksums.write_beside(path)
    with pytest.raises(DyingReluError, match="damaged"):
        provenance.read(recorded)
    path.unlink()
    with pytest.raises(DyingReluError, match="run the study"):
        provenance.read(recorded)


def test_of_the_paper_only_the_cost_depends_on_how_long_training_took(recorded: Path) -> None:
    cost = ("TrainingJobs", "TrainingHours")
    before = macros(StudyResults(recorded))
    path = recorded / provenance.NAME
    found = provenance.read(recorded)
    path.write_text(json.dumps(found | {"training": {"jobs": 2, "seconds": 150.0}}))
    checksums.write_beside(path)
    after = macros(StudyResults(recorded))
    assert after | {name: before[name] for name in cost} == before
    assert (after["TrainingJobs"].value, after["TrainingHours"].value) == (2, 150)
    path.write_text(json.dumps(found | {"commit": "0123456789"}))
    checksums.write_beside(path)
    assert macros(StudyResults(recorded))["StudyRecord"] != before["StudyRecord"]


def test_the_command_is_the_one_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    assert provenance.command(Path("config/config.yaml")) == "make paper"
    monkeypatch.chdir(CONFIGURATION.parents[1])
    assert provenance.command(CONFIGURATION) == "snakemake --cores all --configfile config/smoke.yaml"


@pytest.mark.parametrize("part", ["configuration", "code", "data", "libraries"])
def test_tables_that_were_not_made_together_are_not_recorded(part: str, recorded: Path) -> None:
    path = recorded / "layers.parquet"
    another = {"another": "one"} if isinstance(ORIGIN[part], dict) else "another"
    store.write("layers", store.read("layers", path), path, ORIGIN | {part: another})
    with pytest.raises(DyingReluError, match=rf"was not made with the other tables .*its {part} differ"):
        provenance.record(recorded, CONFIGURATION, recorded / provenance.NAME)


@pytest.mark.parametrize("name", ["units", "validation", "born_dead"])
def test_a_table_that_was_changed_or_made_with_other_libraries_is_not_recorded(
    name: str, recorded: Path
) -> None:
    path = recorded / f"{name}.parquet"
    store.write(name, store.read(name, path), path, ORIGIN | {"libraries": {"torch": "1.0"}})
    with pytest.raises(DyingReluError, match=r"its libraries differ: found .*torch 1\.0"):
        provenance.record(recorded, CONFIGURATION, recorded / provenance.NAME)
    path.write_bytes((recorded / "runs.parquet").read_bytes())
    with pytest.raises(
        DyingReluError, match=rf"{name}\.parquet is not the file that was made|was not made with"
    ):
        provenance.record(recorded, CONFIGURATION, recorded / provenance.NAME)


def test_a_study_of_another_configuration_is_not_recorded(recorded: Path) -> None:
    with pytest.raises(DyingReluError, match=r"its configuration differ: found .* expected "):
        provenance.record(recorded, CONFIGURATION.with_name("config.yaml"), recorded / provenance.NAME)


def test_numbers_that_were_changed_do_not_reach_the_paper(recorded: Path) -> None:
    """Not even if somebody has written a new checksum."""
    claims.write(claims.settle(recorded), recorded / "claims.csv")
    numbers.write(recorded, CONFIGURATION, recorded / "numbers.json")
    path = recorded / "runs.parquet"
    runs = store.read("runs", path)
    store.write("runs", runs.assign(test_loss=runs["test_loss"] / 2), path, ORIGIN)
    with pytest.raises(DyingReluError, match=r"runs\.parquet is not the table that was recorded"):
        numbers.write(recorded, CONFIGURATION, recorded / "numbers.json")


def test_verdicts_say_what_they_follow_from(recorded: Path) -> None:
    claims.write(claims.settle(recorded), recorded / "claims.csv")
    said = provenance.describe(recorded / "claims.csv")
    assert set(said) == set(ORIGIN)
    assert said["configuration"] == ORIGIN["configuration"]
    (recorded / "some.csv").write_text("claim\n1\n")
    checksums.write_beside(recorded / "some.csv")
    with pytest.raises(DyingReluError, match=r"some\.csv does not say what its numbers follow from"):
        provenance.describe(recorded / "some.csv")


def test_a_table_is_described_by_what_it_carries_and_by_the_record_that_is_of_it(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.provenance(recorded / "runs.parquet")
    printed = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    assert {part: value.strip() for part, value in printed.items()} == provenance.describe(
        recorded / "runs.parquet"
    )
    assert printed["configuration"].strip() == ORIGIN["configuration"]
    assert printed["commit"].strip() == provenance.read(recorded)["commit"]
    moved = recorded / "elsewhere" / "runs.parquet"
    moved.parent.mkdir()
    shutil.copy(recorded / "runs.parquet", moved)
    checksums.write_beside(moved)
    assert set(provenance.describe(moved)) == set(ORIGIN)
    shutil.copy(recorded / "layers.parquet", recorded / "runs.parquet")
    checksums.write_beside(recorded / "runs.parquet")
    assert "commit" not in provenance.describe(recorded / "runs.parquet")


def test_only_tables_are_described(recorded: Path) -> None:
    with pytest.raises(DyingReluError, match=r"expected a \.parquet file"):
        provenance.describe(recorded / provenance.NAME)
    with pytest.raises(DyingReluError, match="no table at"):
        provenance.describe(recorded / "nothing.parquet")
