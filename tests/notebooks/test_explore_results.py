"""The notebook runs top to bottom on whatever study there is, and says kindly when there is none."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from earlier_version import written_by
from executed_notebook import executed
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from notebook_page import opened
from small_study import write_small_study

from dying_relu.analysis import entries, figures

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore_results.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project folder, and the folder in it where the notebook is opened."""
    (tmp_path / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """The notebook with what it shows of the newer of two studies."""
    project = tmp_path_factory.mktemp("project")
    (project / "Snakefile").touch()
    (project / "notebooks").mkdir()
    write_small_study(project / "results" / "old")
    write_small_study(project / "results" / "new", replicates=1)
    return executed(NOTEBOOK, project / "notebooks")


def outputs(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"][kind] for output in shown if kind in output.get("data", {})]


@pytest.mark.slow
def test_it_shows_the_study_run_last(notebook: nbformat.NotebookNode) -> None:
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert re.fullmatch(r"These are the \d+ networks of the study new\.\n", first.outputs[0]["text"])
    assert len(first.source.splitlines()) <= 5


@pytest.mark.slow
def test_all_figures_are_shown_with_their_captions(notebook: nbformat.NotebookNode) -> None:
    assert len(outputs(notebook, "image/png")) == len(figures.NAMES)
    captions = " ".join(outputs(notebook, "text/markdown"))
    assert [name for name in figures.NAMES if entries.FIGURES.constant(name, "CAPTION") not in captions] == []


@pytest.fixture
def page(notebook: nbformat.NotebookNode, tmp_path: Path) -> Iterator[Any]:
    """The notebook in a window of 1,100 pixels."""
    with opened(notebook, tmp_path, width=1100) as page:
        yield page


@pytest.mark.slow
def test_no_table_is_cut(page: Any) -> None:
    """Neither by the page, nor by pandas, which leaves columns out."""
    tables = page.locator(".jp-RenderedHTMLCommon table").all()
    assert len(tables) >= 6
    boxes = [table.bounding_box() for table in tables]
    assert max(box["x"] + box["width"] for box in boxes) <= 1100
    assert not any("..." in table.locator("thead").inner_text() for table in tables)


@pytest.mark.slow
def test_the_chart_can_be_filtered_and_tells_of_its_points(page: Any) -> None:
    points = page.locator("[id^=chart-] .role-mark.mark-symbol path")
    points.first.wait_for()
    everything = points.count()
    choice = page.locator("[id^=chart-] select")
    assert choice.locator("option").first.inner_text() == "all"
    choice.select_option(label="anatomy")
    page.wait_for_function(
        "(all) => document.querySelectorAll('[id^=chart-] .role-mark.mark-symbol path').length < all",
        arg=everything,
    )
    assert points.count() > 0
    points.first.hover()
    assert "anatomy" in page.locator(".vg-tooltip").inner_text()


def first_code_cell(folder: Path) -> nbformat.NotebookNode:
    """What the first cell with code prints, without the rest of the notebook."""
    notebook = jupytext.read(NOTEBOOK)
    first = next(place for place, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells = notebook.cells[: first + 1]
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": folder}}).execute()
    return notebook.cells[first].outputs[0]


@pytest.mark.slow
def test_a_study_may_have_a_single_experiment(project: Path) -> None:
    write_small_study(project / "results" / "partial", experiments=("anatomy",))
    executed(NOTEBOOK, project / "notebooks")


@pytest.mark.slow
def test_another_study_can_be_named(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setenv("DYING_RELU_RESULTS", str(elsewhere))
    with pytest.raises(CellExecutionError, match=r"has no runs\.parquet"):
        first_code_cell(project / "notebooks")
    write_small_study(elsewhere, replicates=1)
    assert f"the study {elsewhere.name}." in first_code_cell(project / "notebooks")["text"]


@pytest.mark.slow
def test_without_a_study_it_says_how_to_run_one(project: Path) -> None:
    with pytest.raises(
        CellExecutionError, match=r"no study has been run yet: run one:  snakemake"
    ) as stopped:
        executed(NOTEBOOK, project / "notebooks")
    assert "Traceback" not in stopped.value.traceback


@pytest.mark.slow
def test_tables_of_an_earlier_version_are_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = project / "results" / "old"
    write_small_study(old, replicates=1, experiments=("anatomy",))
    written_by(old / "runs.parquet")
    with pytest.raises(
        CellExecutionError, match=r"only tables of an earlier version, in results/old; run one"
    ):
        first_code_cell(project / "notebooks")
    monkeypatch.setenv("DYING_RELU_RESULTS", str(old))
    with pytest.raises(CellExecutionError, match=r"was made by another version of this program"):
        first_code_cell(project / "notebooks")
    monkeypatch.delenv("DYING_RELU_RESULTS")
    write_small_study(project / "results" / "new", replicates=1)
    assert "the study new." in first_code_cell(project / "notebooks")["text"]
