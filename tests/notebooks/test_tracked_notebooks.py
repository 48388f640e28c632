"""The notebooks that need no study run top to bottom on real data; all are tracked with what they show, and show what they say."""

from pathlib import Path

import jupytext
import nbformat
import pytest
from executed_notebook import executed
from notebook_page import opened

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOURCES = sorted(NOTEBOOKS.glob("*.py"))
WITHOUT_STUDY = ["diagnose_your_model", "save_a_dying_unit", "watch_a_unit_die"]
MOST_BYTES = 1_500_000


def test_there_are_notebooks() -> None:
    assert {source.stem for source in SOURCES} == {
        "explore_results",
        "diagnose_your_model",
        "save_a_dying_unit",
        "watch_a_unit_die",
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_STUDY)
def test_it_runs_top_to_bottom_in_a_minute_and_draws(name: str) -> None:
    notebook = executed(NOTEBOOKS / f"{name}.py", NOTEBOOKS)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_tracked_notebook_shows_its_source(source: Path) -> None:
    tracked = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    written = jupytext.read(source)
    assert [(cell.cell_type, cell.source) for cell in tracked.cells] == [
        (cell.cell_type, cell.source) for cell in written.cells
    ]
    code = [cell for cell in tracked.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)
    assert source.with_suffix(".ipynb").stat().st_size < MOST_BYTES


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_it_shows_no_warning_and_no_path_of_a_machine(source: Path) -> None:
    tracked = source.with_suffix(".ipynb")
    cells = nbformat.read(tracked, as_version=4).cells
    assert not any(output.get("name") == "stderr" for cell in cells for output in cell.get("outputs", []))
    assert str(NOTEBOOKS.parent) not in tracked.read_text()


def test_the_slider_needs_no_kernel() -> None:
    tracked = nbformat.read(NOTEBOOKS / "watch_a_unit_die.ipynb", as_version=4)
    outputs = [output.get("data", {}) for cell in tracked.cells for output in cell.get("outputs", [])]
    pages = [data["text/html"] for data in outputs if "text/html" in data]
    assert any('type="range"' in page and page.count("data:image/png;base64") >= 60 for page in pages)


@pytest.mark.slow
def test_the_slider_and_its_buttons_work_offline(tmp_path: Path) -> None:
    tracked = nbformat.read(NOTEBOOKS / "watch_a_unit_die.ipynb", as_version=4)
    with opened(tracked, tmp_path, width=1100) as page:
        buttons = page.locator(".anim-buttons button")
        assert all(button.inner_text().strip() for button in buttons.all())
        slider, picture = page.locator("input[type=range]"), page.locator(".animation img")
        page.wait_for_function("document.querySelector('.animation img').src.startsWith('data:image/png')")
        first = picture.get_attribute("src")
        page.get_by_title("Next frame").click()
        assert slider.input_value() == "1"
        assert picture.get_attribute("src") != first
        slider.fill("30")
        assert slider.input_value() == "30"
        page.get_by_title("First frame").click()
        assert picture.get_attribute("src") == first


@pytest.mark.slow
def test_a_change_of_the_settings_saves_the_unit_offline(tmp_path: Path) -> None:
    tracked = nbformat.read(NOTEBOOKS / "save_a_dying_unit.ipynb", as_version=4)
    with opened(tracked, tmp_path, width=1100) as page:
        chart = page.get_by_role("figure")
        chart.get_by_text("dead from update").wait_for()
        for setting, level in (("Learning rate", "0.1"), ("Gradient clipped", "yes"), ("Inputs", "yes")):
            control = chart.locator(".vega-bind").filter(has_text=setting)
            before = control.locator("input:checked").get_attribute("value")
            control.get_by_label(level, exact=True).check()
            chart.get_by_text("it lives").wait_for()
            control.locator(f"input[value='{before}']").check()
            chart.get_by_text("dead from update").wait_for()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_first_cell_is_short(source: Path) -> None:
    first = next(cell for cell in jupytext.read(source).cells if cell.cell_type == "code")
    assert len(first.source.splitlines()) <= 12
