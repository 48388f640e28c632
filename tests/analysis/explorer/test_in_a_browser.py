"""The explorer in Chromium: filters change what is shown, hovering and clicking show a network, and the page stays alone and quiet."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dying_relu.analysis import explorer

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

COUNTED = ".outcomes_layer_1_marks text"
MARKS = ".accuracies_marks path"


@pytest.fixture(scope="module")
def file(small_paper: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    explorer.write(small_paper / "results", path)
    return path


@pytest.fixture(scope="module")
def runs(small_paper: Path) -> pd.DataFrame:
    return pd.read_parquet(small_paper / "results" / "runs.parquet")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """The page in a window, with all that it asked of the network and said on the console."""

    def __init__(self, browser: Any, file: Path, width: int) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.set_default_timeout(60_000)
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("#charts[data-ready=yes]")

    def choose(self, name: str, level: str) -> None:
        """Choose a level in a form control."""
        self.control(name).select_option(level)

    def control(self, name: str) -> Any:
        """The form control of a choice."""
        return self.page.locator(f"#choices [name={name}]")

    def charts(self) -> str:
        """All words in the charts."""
        return self.page.locator("#charts").text_content()

    def networks(self) -> int:
        """Networks that the bars count, whatever became of them."""
        return sum(int(text) for text in self.page.locator(COUNTED).all_inner_texts())

    def expect_networks(self, number: int) -> None:
        """Wait until the bars count so many networks."""
        self.page.wait_for_function(
            "([counted, number]) => [...document.querySelectorAll(counted)]"
            ".reduce((sum, text) => sum + Number(text.textContent), 0) === number",
            arg=[COUNTED, number],
        )


@pytest.fixture
def opened(browser: Any, file: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """The page; after the test nothing may have left it, and nothing gone wrong in it."""
    opened = Opened(browser, file, getattr(request, "param", 1280))
    yield opened
    opened.page.close()
    assert opened.requests == [file.as_uri()]
    assert opened.complaints == []


def test_it_shows_the_verdicts_and_the_networks(opened: Opened, runs: pd.DataFrame) -> None:
    rows = opened.page.locator(".verdicts > table").first.locator("tbody > tr:has(> th[scope=row])")
    assert rows.count() == 13
    assert re.search(r"C8\s.*\sholds", rows.nth(7).inner_text(), re.DOTALL)
    opened.expect_networks(int((runs["activation"] == "relu").sum()))


def test_choices_change_what_is_shown(opened: Opened, runs: pd.DataFrame) -> None:
    opened.choose("chosen_dataset", "mnist")
    opened.choose("chosen_architecture", "cnn")
    opened.choose("chosen_optimiser", "adam")
    chosen = runs.query("dataset == 'mnist' and architecture == 'cnn' and optimiser == 'adam'")
    opened.expect_networks(int((chosen["activation"] == "relu").sum()))
    assert opened.page.locator(MARKS).count() == (~chosen["overflowed"]).sum()
    opened.choose("chosen_function", "all")
    opened.choose("chosen_optimiser", "all")
    chosen = runs.query("dataset == 'mnist' and architecture == 'cnn'")
    opened.expect_networks(len(chosen))


def test_the_phase_diagram_takes_another_axis(opened: Opened) -> None:
    squares = opened.page.locator(".phase_diagram_layer_1_marks path")
    assert squares.count() == 9
    opened.choose("vertical", "offset share of the inputs")
    # One offset share, and three rates at which some network trained.
    opened.page.wait_for_function(
        "document.querySelectorAll('.phase_diagram_layer_1_marks path').length === 3"
    )
    assert "offset share" in opened.charts()


def test_hovering_shows_a_network(opened: Opened) -> None:
    opened.page.locator(MARKS).first.hover(force=True)
    tooltip = opened.page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    text = tooltip.inner_text()
    for name in ("run", "dataset", "learning rate", "dead fraction", "test accuracy"):
        assert name in text


def test_clicking_shows_the_layers_of_a_network(opened: Opened) -> None:
    opened.choose("chosen_experiment", "anatomy")
    before = opened.control("picked_network").input_value()
    opened.page.locator(MARKS).last.click(force=True)
    opened.page.wait_for_function(
        "before => document.querySelector('.vega-bind input[type=number]').value !== before",
        arg=before,
    )
    picked = opened.control("picked_network").input_value()
    assert f"Layers of network {picked}" in opened.charts()
    # 13 checkpoints of two layers.
    assert opened.page.locator(".concat_2_layer_1_marks path").count() == 26


def test_a_keyboard_picks_a_network(opened: Opened) -> None:
    number = opened.control("picked_network")
    number.focus()
    number.fill("3")
    opened.page.wait_for_function(
        "document.querySelector('#charts').textContent.includes('Layers of network 3')"
    )
    opened.page.keyboard.press("ArrowUp")
    opened.page.wait_for_function(
        "document.querySelector('#charts').textContent.includes('Layers of network 4')"
    )


def test_a_selection_and_the_sliders_count_networks(opened: Opened, runs: pd.DataFrame) -> None:
    relu = runs[runs["activation"] == "relu"]
    opened.expect_networks(len(relu))
    opened.control("dead_from").fill("0.5")
    kept = relu["dead_fraction"].isna() | (relu["dead_fraction"] >= 0.5)
    opened.expect_networks(int(kept.sum()))
    opened.control("dead_from").fill("0")
    opened.expect_networks(len(relu))
    plot = opened.page.locator(".accuracies_group path.background").first
    box = plot.bounding_box()
    mouse = opened.page.mouse
    # The axis goes from -2 % to 102 %.
    mouse.move(box["x"] + (0.705 + 0.02) / 1.04 * box["width"], box["y"] + 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] - 1, steps=4)
    mouse.up()
    opened.expect_networks(int((relu["dead_fraction"] >= 0.705).sum()))


@pytest.mark.parametrize("opened", [375, 1280], indirect=True)
@pytest.mark.parametrize(
    ("view", "marks"),
    [("accuracies", MARKS), ("layers", ".concat_2_layer_1_marks path")],
    ids=["networks", "layers"],
)
def test_no_point_is_cut_by_the_edge_of_its_plot(opened: Opened, view: str, marks: str) -> None:
    opened.page.locator(marks).first.wait_for()
    sticking_out = opened.page.evaluate(
        """([view, marks]) => {
            const plot = document.querySelector(view).getBoundingClientRect();
            return [...document.querySelectorAll(marks)].map(mark => mark.getBoundingClientRect()).filter(
                box => box.left < plot.left || box.right > plot.right || box.top < plot.top || box.bottom > plot.bottom
            ).length;
        }""",
        [
            f".{view}_group path.background" if view == "accuracies" else ".concat_2_group path.background",
            marks,
        ],
    )
    assert sticking_out == 0


@pytest.mark.parametrize("opened", [375], indirect=True)
def test_nothing_is_wider_than_a_phone(opened: Opened) -> None:
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 375
    assert opened.page.locator("#charts svg.marks").bounding_box()["width"] <= 375


def test_choices_survive_a_narrower_window(opened: Opened, runs: pd.DataFrame) -> None:
    opened.choose("chosen_dataset", "mnist")
    opened.page.set_viewport_size({"width": 400, "height": 800})
    opened.page.wait_for_function("document.querySelector('#charts svg.marks').clientWidth < 400")
    chosen = runs.query("dataset == 'mnist' and activation == 'relu'")
    opened.expect_networks(len(chosen))
    assert opened.control("chosen_dataset").input_value() == "mnist"
