"""A notebook finds the study that is named, or the one that was run last by this version."""

import os
from pathlib import Path

import pytest
from earlier_version import written_by
from small_study import write_small_study

from dying_relu.analysis.latest_study import VARIABLE, NoStudy, latest_study


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without a study, in which a program is started."""
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "Snakefile").touch()
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_study(folder: Path, modified: int) -> None:
    write_small_study(folder, replicates=1, experiments=("anatomy",))
    os.utime(folder / "runs.parquet", (modified, modified))


def test_the_last_one_is_taken_unless_another_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(project / "results" / "late", 2000)
    write_study(project / "results" / "early", 1000)
    assert latest_study().folder == project / "results" / "late"
    monkeypatch.setenv(VARIABLE, str(project / "results" / "early"))
    assert latest_study().folder == project / "results" / "early"


def test_without_one_the_message_says_how_to_run_one(project: Path) -> None:
    with pytest.raises(NoStudy, match=r"no study has been run yet: run one:  snakemake --cores all"):
        latest_study()


def test_tables_of_an_earlier_version_are_passed_over(project: Path) -> None:
    write_study(project / "results" / "old", 1000)
    written_by(project / "results" / "old" / "runs.parquet")
    with pytest.raises(NoStudy, match=r"found only tables of an earlier version, in results/old; run one"):
        latest_study()
    write_study(project / "results" / "new", 1000)
    assert latest_study().folder == project / "results" / "new"


def test_a_damaged_one_is_not_passed_over(project: Path) -> None:
    write_study(project / "results" / "sound", 1000)
    (project / "results" / "damaged").mkdir()
    (project / "results" / "damaged" / "runs.parquet").write_text("damaged", encoding="utf-8")
    with pytest.raises(NoStudy, match=r"results/damaged/runs\.parquet"):
        latest_study()
