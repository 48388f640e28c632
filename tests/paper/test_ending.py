"""The words at the end of a run."""

from pathlib import Path

import pytest

from dying_relu.paper import ending

ALL = {"shard", "settle", "explorer", "typeset"}


@pytest.fixture
def folder(small_paper: Path, tmp_path: Path) -> Path:
    """A study's results with its verdicts, paper and explorer."""
    for name in ("claims.csv", "claims.csv.sha256"):
        (tmp_path / name).write_bytes((small_paper / "results" / name).read_bytes())
    for name in ("paper.pdf", "explorer.html"):
        (tmp_path / name).touch()
    return tmp_path


def test_it_names_the_paper_the_verdicts_and_what_to_do_next(folder: Path) -> None:
    text = ending.summary(folder, ALL, "--configfile config/smoke.yaml")
    lines = text.splitlines()
    assert lines[0].endswith(str(folder / "paper.pdf"))
    assert lines[1].startswith("Verdicts:  Of thirteen claims, ")
    assert lines[2].endswith(f"open {folder / 'explorer.html'} in a browser")
    assert "snakemake --report report.html --configfile config/smoke.yaml" in lines[3]
    # The target stands before the option, which would take it for another file.
    assert "snakemake verify --configfile config/smoke.yaml" in lines[4]


def test_the_default_study_needs_no_option(folder: Path) -> None:
    assert "snakemake verify (" in ending.summary(folder, ALL)


def test_it_is_silent_about_what_was_not_asked_for(folder: Path) -> None:
    assert ending.summary(folder, {"shard", "aggregate"}) == ""
    text = ending.summary(folder, {"settle"})
    assert "paper.pdf" not in text
    assert "explorer.html" not in text


def test_it_is_silent_about_what_lies_elsewhere(tmp_path: Path) -> None:
    assert ending.summary(tmp_path, ALL) == ""


def test_a_damaged_file_does_not_fail_a_run_that_is_over(folder: Path) -> None:
    (folder / "claims.csv").write_text("claim\n", encoding="utf-8")
    assert f"not readable ({folder / 'claims.csv'})" in ending.summary(folder, ALL)
