"""The notebook runs top to bottom on whatever study there is, and says kindly when there is none."""

from pathlib import Path

import jupytext
import nbformat
import pytest
from executed_notebook import executed
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from small_study import write_small_study

from dying_relu.analysis import figures

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore_results.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project folder, and the folder in it where the notebook is opened."""
    (tmp_path / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()
    return tmp_path


@pytest.mark.slow
def test_it_shows_the_study_run_last_and_all_figures(project: Path) -> None:
    write_small_study(project / "results" / "old")
    write_small_study(project / "results" / "new", replicates=1)
    notebook = executed(NOTEBOOK, project / "notebooks")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs[0]["text"] == "These are the results of the study new.\n"
    assert sum("image/png" in output.get("data", {}) for output in outputs) == len(figures.NAMES)


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
    (elsewhere / "runs.parquet").touch()
    assert f"the study {elsewhere.name}." in first_code_cell(project / "notebooks")["text"]


@pytest.mark.slow
def test_without_a_study_it_says_how_to_run_one(project: Path) -> None:
    with pytest.raises(CellExecutionError, match=r"No study has been run yet\. Run one first:  snakemake"):
        executed(NOTEBOOK, project / "notebooks")
