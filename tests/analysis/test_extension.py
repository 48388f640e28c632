"""A made-up figure, table, number, claim and remedy, each added by one entry outside of the project, are found everywhere."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import small_study
from project_copy import Project
from small_study import CONFIGURATION, write_small_study

from dying_relu.analysis import claims, figures, numbers, tables
from dying_relu.analysis.claims.verdict import CLAIMS
from dying_relu.analysis.entries import FIGURES, TABLES
from dying_relu.analysis.study_results import StudyResults
from dying_relu.errors import DyingReluError
from dying_relu.extensions import VARIABLE
from dying_relu.results import provenance

EXTENSION = '''
"""A made-up figure, table, group of numbers and claim."""

from dying_relu.analysis.claims import SUPPORTED, Finding
from dying_relu.analysis.claims.verdict import claim
from dying_relu.analysis.figures import style
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.numbers.macro import macro

CAPTION = "A made-up caption."
TABLES = ("runs",)


@style.paper
def figure(runs):
    return style.note(f"{len(runs)} runs")


def table(study):
    return f"{len(study.table('runs'))} runs\\n"


def numbers(study):
    return {"MadeUpRuns": macro(len(study.table("runs")), "number")}


@claim(
    "C14", "It is made up", experiment="causes", measure="1", rule="always", details={"Runs": "number"}
)
def made_up(evidence):
    return Finding(SUPPORTED, Interval(1.0, 1.0, 1.0, 3), 1, details={"Runs": len(evidence.runs)})
'''
REMEDY = {"optimiser": ("sgd_made_up",), "learning_rate": (0.01, 1.0)}


@pytest.fixture
def extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the extension's module ``made_up``, which is importable and named in the environment."""
    folder = tmp_path / "extensions"
    folder.mkdir()
    (folder / "made_up.py").write_text(EXTENSION, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv(VARIABLE, "made_up")
    yield folder
    CLAIMS.pop("C14", None)
    sys.modules.pop("made_up", None)


@pytest.fixture
def results(small_study: Path, tmp_path: Path) -> Path:
    folder = shutil.copytree(small_study, tmp_path / "results")
    provenance.record(folder, CONFIGURATION, folder / provenance.NAME)
    return folder


def test_a_figure_is_listed_captioned_and_drawn(extension: Path, results: Path, tmp_path: Path) -> None:
    assert figures.names() == (*figures.NAMES, "made_up")
    assert FIGURES.constant("made_up", "CAPTION") == "A made-up caption."
    figures.draw("made_up", results, tmp_path / "made_up.pdf")
    assert (tmp_path / "made_up.png").is_file()


def test_claim_table_and_number_are_in_what_is_written(
    extension: Path, results: Path, tmp_path: Path
) -> None:
    claims.write(claims.settle(results), results / "claims.csv")
    verdicts = claims.read(results / "claims.csv").set_index("claim")
    assert verdicts.loc["C14", ["statement", "verdict"]].tolist() == ["It is made up", claims.SUPPORTED]
    tables.write(results, CONFIGURATION, tmp_path / "tables")
    runs = verdicts.loc["C14", "details"]["Runs"]
    assert (tmp_path / "tables" / "made_up.tex").read_text() == f"{runs} runs\n"
    assert "\nC14 & It is made up." in (tmp_path / "tables" / "verdicts.tex").read_text()
    numbers.write(results, CONFIGURATION, tmp_path / "numbers.json", tmp_path / "numbers.tex")
    values = json.loads((tmp_path / "numbers.json").read_text())
    assert values["MadeUpRuns"] == values["ClaimFourteenRuns"] == runs
    assert rf"\newcommand\MadeUpRuns{{\num{{{runs}}}}}" in (tmp_path / "numbers.tex").read_text()


def test_the_code_of_an_extension_is_part_of_the_digest(
    extension: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, ours = (FIGURES.digest("made_up"), TABLES.digest()), FIGURES.digest("capacity")
    with (extension / "made_up.py").open("a") as file:
        file.write("\nEDITED = 1\n")
    after = (FIGURES.digest("made_up"), TABLES.digest())
    assert all(one != other for one, other in zip(before, after, strict=True))
    monkeypatch.delenv(VARIABLE)
    assert FIGURES.digest("capacity") == ours
    assert TABLES.digest() not in before


def test_an_extension_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "not_there")
    with pytest.raises(DyingReluError, match="no extension not_there"):
        figures.names()


def test_a_remedy_is_an_entry_of_the_configuration(tmp_path: Path) -> None:
    """An experiment whose name begins with ``remedies`` and an optimiser whose name says the remedy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(small_study.GRIDS, "remedies_made_up", small_study.GRIDS["remedies_training"] | REMEDY)
        write_small_study(tmp_path, experiments=("remedies", "remedies_made_up"))
    text = TABLES.load("remedies").table(StudyResults(tmp_path))
    assert "\nmade up & " in text


@pytest.mark.slow
def test_the_workflow_has_rules_for_them(extension: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    shutil.copy(extension / "made_up.py", project.folder / "src" / "made_up.py")
    jobs = project.would_run()
    assert any(job.rule == "figure_made_up" for job in jobs)
    assert any(job.rule == "tables" for job in project.would_run("paper/generated/smoke/tables/made_up.tex"))
    caption = project.folder / ".snakemake" / "captions" / "made_up.rst"
    assert caption.read_text() == "A made-up caption.\n"
