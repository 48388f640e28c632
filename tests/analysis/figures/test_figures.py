"""Every figure draws what it is given, in the paper's width, whatever a study left out; the same tables give the same bytes."""

import re
from importlib import import_module
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from planted_findings import PLANTED, tables_of
from small_study import small_tables

from dying_relu.analysis import figures
from dying_relu.analysis.entries import FIGURES
from dying_relu.analysis.figures import phase_diagram, style
from dying_relu.errors import DyingReluError

POINTS_PER_INCH = 72
SMALLEST = 6.5
"""Points of the smallest type."""
PAPER = ("mean_of_inputs", "law", "phase_diagram", "fuse", "price", "when", "remedies")

# matplotlib warns where a layout does not work out or a glyph is missing.
pytestmark = pytest.mark.filterwarnings("error::UserWarning")


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """The tables of a study that has what every figure shows: the planted findings, and the small study's remedies."""
    planted, small = tables_of(PLANTED), small_tables()
    remedies = small["runs"]["experiment"].str.startswith("remedies")
    return {
        "runs": pd.concat([planted["runs"], small["runs"][remedies]], ignore_index=True),
        "layers": planted["layers"],
    }


def drawn(name: str, tables: dict[str, pd.DataFrame]) -> Figure:
    module = import_module(f"dying_relu.analysis.figures.{name}")
    return module.figure(**{table: tables[table] for table in module.TABLES})


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in texts(figure))


def media_box(pdf: Path) -> list[float]:
    found = re.search(rb"/MediaBox \[([^]]+)\]", pdf.read_bytes())
    assert found
    return [float(number) for number in found[1].split()]


def test_the_paper_has_seven_figures() -> None:
    assert set(figures.NAMES) == set(PAPER)


@pytest.mark.parametrize("name", PAPER)
def test_a_figure_has_the_papers_width_and_the_same_bytes_each_time(
    name: str, small_study: Path, tmp_path: Path
) -> None:
    for copy in ("a", "b"):
        figures.draw(name, small_study, tmp_path / copy / f"{name}.pdf")
    assert media_box(tmp_path / "a" / f"{name}.pdf")[2] == pytest.approx(style.TEXT_WIDTH * POINTS_PER_INCH)
    for suffix in (".pdf", ".png"):
        first, second = (tmp_path / copy / f"{name}{suffix}" for copy in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", PAPER)
def test_no_words_overlap_or_are_cut(name: str, tables: dict[str, pd.DataFrame]) -> None:
    figure = drawn(name, tables)
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    boxes = {}
    undrawn = outside(figure)
    for text in texts(figure):
        assert text.get_fontsize() >= SMALLEST, text.get_text()
        if text not in undrawn:
            box = boxes[text] = text.get_window_extent().padded(-1)
            assert min(box.x0, box.y0) >= -2, text.get_text()
            assert box.x1 <= width + 1, text.get_text()
            assert box.y1 <= height + 1, text.get_text()
    for (one, here), (other, there) in combinations(boxes.items(), 2):
        assert not here.overlaps(there), (one.get_text(), other.get_text())
    plt.close(figure)


def outside(figure: Figure) -> set[Text]:
    """The labels of ticks beyond the ends of their scales, which are not drawn."""
    labels = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low <= tick.get_loc() <= high:
                    labels |= {tick.label1, tick.label2}
    return labels


@pytest.mark.parametrize("name", PAPER)
def test_a_study_may_lack_the_experiment_of_a_figure(name: str, tables: dict[str, pd.DataFrame]) -> None:
    module = import_module(f"dying_relu.analysis.figures.{name}")
    prefixes = getattr(module, "EXPERIMENTS_BEGIN", (module.EXPERIMENT,))
    runs = tables["runs"][~tables["runs"]["experiment"].str.startswith(prefixes)]
    figure = drawn(name, tables | {"runs": runs})
    assert "not measured in this study" in words(figure)
    assert module.EXPERIMENT in words(figure)
    plt.close(figure)


@pytest.mark.parametrize("name", PAPER)
@pytest.mark.parametrize("seeds", [[0], [0, 1]])
def test_few_seeds_are_enough(name: str, seeds: list[int], tables: dict[str, pd.DataFrame]) -> None:
    runs = tables["runs"]
    plt.close(drawn(name, tables | {"runs": runs[runs["replicate"].isin(seeds)]}))


@pytest.mark.parametrize("name", PAPER)
def test_networks_that_all_overflowed_leave_a_figure_and_no_value(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    runs = tables["runs"]
    metrics = runs.columns[runs.columns.str.endswith(("fraction", "accuracy", "_loss", "_test"))]
    nothing = dict.fromkeys(metrics.drop(["initial_loss", "peak_loss"]), float("nan"))
    gone = runs.assign(outcome="diverged", overflowed=True, overflow_step=1, **nothing)
    layers = tables["layers"]
    plt.close(drawn(name, {"runs": gone, "layers": layers[layers["step"] == 0]}))


@pytest.mark.parametrize("kept", ["mnist", "cifar10"])
@pytest.mark.parametrize("name", PAPER)
def test_one_data_set_is_enough(name: str, kept: str, tables: dict[str, pd.DataFrame]) -> None:
    runs = tables["runs"]
    plt.close(drawn(name, tables | {"runs": runs[runs["dataset"] == kept]}))


@pytest.mark.parametrize("name", PAPER)
def test_a_caption_says_that_intervals_are_of_medians(name: str) -> None:
    caption = FIGURES.constant(name, "CAPTION")
    assert re.search(r"[Mm]edian", caption)
    assert not re.search(r"\d+ of \d+", caption), "numbers of a study are in its figure"


def test_neighbouring_curves_differ_in_lightness_marker_and_line() -> None:
    looks = [style.look(position) for position in range(12)]
    greys = [float(np.dot(to_rgb(look["color"]), (0.2126, 0.7152, 0.0722))) for look in looks[:4]]
    assert all(abs(one - other) > 0.15 for one, other in pairwise(greys))
    assert len({(look["color"], look["marker"], look["linestyle"]) for look in looks}) == len(looks)


def test_a_mark_stands_out_from_its_cell(tables: dict[str, pd.DataFrame]) -> None:
    runs = tables["runs"].assign(outcome="collapsed")
    figure = drawn("phase_diagram", tables | {"runs": runs})
    panel = figure.axes[0]
    colours = panel.collections[0]
    edges = colours.get_coordinates()[0, :, 0]
    marks = [line for line in panel.lines if line.get_marker() == phase_diagram.MARKED["collapsed"]]
    assert marks
    for mark in marks:
        column = int(np.searchsorted(edges, mark.get_xdata()[0])) - 1
        cell = colours.cmap(colours.norm(colours.get_array()[int(mark.get_ydata()[0]), column]))
        assert abs(luminance(cell) - luminance(mark.get_color())) > 0.3
    plt.close(figure)


def luminance(colour: Any) -> float:
    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))


def test_an_unknown_figure_is_named(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match=r"unknown figure: found 'pie'; expected one of fuse, law"):
        figures.draw("pie", tmp_path, tmp_path / "pie.pdf")
