"""Every figure draws what it is given, in the paper's width, whatever a study left out; the same tables give the same bytes."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from small_study import write_small_study

from dying_relu import results
from dying_relu.analysis import figures
from dying_relu.analysis.figures import anatomy, over_time, phase_diagram, style
from dying_relu.errors import DyingReluError

POINTS_PER_INCH = 72


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_small_study(folder)
    return folder


def media_box(pdf: Path) -> list[float]:
    found = re.search(rb"/MediaBox \[([^]]+)\]", pdf.read_bytes())
    assert found
    return [float(number) for number in found[1].split()]


@pytest.mark.parametrize("name", figures.NAMES)
def test_a_figure_has_the_papers_width_and_the_same_bytes_each_time(
    name: str, study: Path, tmp_path: Path
) -> None:
    for copy in ("a", "b"):
        figures.draw(name, study, tmp_path / copy / f"{name}.pdf")
    assert media_box(tmp_path / "a" / f"{name}.pdf")[2] == pytest.approx(style.TEXT_WIDTH * POINTS_PER_INCH)
    for suffix in (".pdf", ".png"):
        first, second = (tmp_path / copy / f"{name}{suffix}" for copy in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()


def module_of(name: str) -> Any:
    return import_module(f"dying_relu.analysis.figures.{name}")


@pytest.mark.parametrize("name", figures.NAMES)
def test_a_study_may_lack_the_experiment_of_a_figure(name: str, study: Path) -> None:
    module = module_of(name)
    tables = {table: results.read(table, study / f"{table}.parquet") for table in module.TABLES}
    tables["runs"] = tables["runs"].query(f"experiment != '{module.EXPERIMENT}'")
    drawn = module.figure(**tables)
    assert module.EXPERIMENT in drawn.axes[0].texts[0].get_text()
    plt.close(drawn)


def test_one_replicate_is_enough_for_every_figure(tmp_path: Path) -> None:
    write_small_study(tmp_path, replicates=1)
    for name in figures.NAMES:
        tables = {
            table: results.read(table, tmp_path / f"{table}.parquet") for table in module_of(name).TABLES
        }
        plt.close(module_of(name).figure(**tables))


@pytest.mark.parametrize("name", [name for name in figures.NAMES if name not in ("over_time", "anatomy")])
def test_networks_that_all_diverged_leave_a_figure_and_no_value(name: str, study: Path) -> None:
    runs = results.read("runs", study / "runs.parquet")
    metrics = runs.columns[runs.columns.str.endswith(("fraction", "accuracy", "loss", "_test"))]
    runs = runs.assign(
        diverged=True, diverged_step=1, mean_slope=float("nan"), **dict.fromkeys(metrics, float("nan"))
    )
    plt.close(module_of(name).figure(runs))


def test_a_phase_diagram_shows_the_mean_of_what_did_not_diverge(study: Path) -> None:
    runs = results.read("runs", study / "runs.parquet")
    drawn = phase_diagram.figure(runs.sample(frac=1, random_state=0))
    first = (runs["experiment"] == "causes") & (runs["dataset"] == "mnist") & (runs["architecture"] == "mlp")
    cells = runs[first & (runs["activation"] == "relu")].pivot_table(
        values="dead_fraction", index="initial_bias", columns="learning_rate", dropna=False
    )
    image = next(axes.images[0] for axes in drawn.axes if axes.get_title() == "MNIST, MLP\nReLU")
    np.testing.assert_allclose(image.get_array().filled(np.nan), cells.to_numpy())
    plt.close(drawn)


def test_the_unit_in_the_anatomy_is_dead_from_the_step_marked_on(study: Path) -> None:
    units = results.read("units", study / "units.parquet")
    runs = results.read("runs", study / "runs.parquet")
    units = units[units["run"].isin(runs.loc[runs["experiment"] == "anatomy", "run"])]
    found = anatomy.liveliest_death(units)
    assert found
    run, layer, unit, step = found
    life = units[(units["run"] == run) & (units["layer"] == layer) & (units["unit"] == unit)]
    assert life.loc[life["step"] >= step, "dead"].all()
    assert not life.loc[life["step"] < step, "dead"].iloc[-1]


def test_without_a_death_there_is_no_anatomy(study: Path) -> None:
    units = results.read("units", study / "units.parquet")
    assert anatomy.liveliest_death(units.assign(dead=False)) is None
    assert anatomy.liveliest_death(units.iloc[:0]) is None


def test_the_liveliest_setting_is_the_one_with_most_deaths_and_revivals() -> None:
    layers = pd.DataFrame(
        {
            "initial_bias": [0.0, -1.0, -2.0],
            "learning_rate": [0.1, 0.1, 1.0],
            "died": [1, 2, 9],
            "revived": [0, 3, 9],
            "diverged": [False, False, True],
        }
    )
    assert over_time.liveliest(layers) == (-1.0, 0.1)


def test_an_unknown_figure_is_named(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match=r"unknown figure: found 'pie'; expected one of phase_diagram"):
        figures.draw("pie", tmp_path, tmp_path / "pie.pdf")
