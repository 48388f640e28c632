"""Every figure draws what it is given, in the paper's width, whatever a study left out; the same tables give the same bytes."""

import re
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from small_study import write_small_study

from dying_relu.analysis import figures
from dying_relu.analysis.figures import (
    anatomy,
    born_dead,
    capacity,
    optimisers,
    over_time,
    phase_diagram,
    style,
    survival,
)
from dying_relu.analysis.inference.attribution import attributed
from dying_relu.analysis.outcomes import trained, untrained
from dying_relu.errors import DyingReluError
from dying_relu.results import store
from dying_relu.theory.born_dead import born_dead_probability_one_point

POINTS_PER_INCH = 72
OF_RUNS = [name for name in figures.NAMES if name != "born_dead"]
"""Figures of a study's networks."""

# matplotlib warns where a layout does not work out or a glyph is missing.
pytestmark = pytest.mark.filterwarnings("error::UserWarning")


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


@pytest.mark.parametrize("name", OF_RUNS)
def test_a_study_may_lack_the_experiment_of_a_figure(name: str, study: Path) -> None:
    module = module_of(name)
    tables = {table: store.read(table, study / f"{table}.parquet") for table in module.TABLES}
    of_figure = tables["runs"]["experiment"].str.startswith(module.EXPERIMENT)
    tables["runs"] = tables["runs"][~of_figure]
    drawn = module.figure(**tables)
    assert module.EXPERIMENT in drawn.axes[0].texts[0].get_text()
    plt.close(drawn)


def test_one_replicate_is_enough_for_every_figure(tmp_path: Path) -> None:
    write_small_study(tmp_path, replicates=1)
    for name in figures.NAMES:
        tables = {table: store.read(table, tmp_path / f"{table}.parquet") for table in module_of(name).TABLES}
        plt.close(module_of(name).figure(**tables))


@pytest.mark.parametrize("name", OF_RUNS)
def test_networks_that_all_diverged_leave_a_figure_and_no_value(name: str, study: Path) -> None:
    """Nothing was measured of them, not even at step 0."""
    module = module_of(name)
    tables = {table: store.read(table, study / f"{table}.parquet") for table in module.TABLES}
    runs = tables["runs"]
    metrics = runs.columns[runs.columns.str.endswith(("fraction", "accuracy", "loss", "_test"))]
    nothing = dict.fromkeys(metrics, float("nan"))
    gone = runs.assign(
        outcome="diverged", overflowed=True, overflow_step=1, mean_slope=float("nan"), **nothing
    )
    empty = {table: rows.iloc[:0] for table, rows in tables.items()}
    plt.close(module.figure(**(empty | {"runs": gone})))


@pytest.mark.parametrize(
    "name", ["learning_rate", "optimisers", "initial_bias", "remedies", "slopes", "data"]
)
def test_a_network_that_did_not_train_is_a_cross_where_no_value_can_be(name: str, study: Path) -> None:
    runs = store.read("runs", study / "runs.parquet")
    drawn = module_of(name).figure(lost(runs, runs["replicate"] == 0))
    crosses = [
        line
        for axes in drawn.axes
        for line in axes.lines
        if line.get_marker() == "x" and len(line.get_xdata())
    ]
    assert crosses
    beyond = [line.get_xdata() if name == "remedies" else line.get_ydata() for line in crosses]
    assert np.concatenate(beyond).min() > 1.03
    plt.close(drawn)


@pytest.mark.parametrize("name", OF_RUNS)
def test_every_figure_says_which_networks_did_not_train(name: str, study: Path) -> None:
    module = module_of(name)
    tables = {table: store.read(table, study / f"{table}.parquet") for table in module.TABLES}
    tables["runs"] = lost(tables["runs"], tables["runs"]["replicate"] == 0)
    drawn = module.figure(**tables)
    texts = [text.get_text() for text in drawn.findobj(Text)]
    assert any("not train" in text for text in texts)
    if name in ("over_time", "capacity", "anatomy", "survival"):
        own = tables["runs"].query("experiment == @module.EXPERIMENT and activation == 'relu'")
        assert f"{untrained(own).sum()} of {len(own)} runs did not train and are left out" in texts
    plt.close(drawn)


def test_a_mean_over_time_is_of_runs_that_reach_the_end(study: Path) -> None:
    """If every setting has a diverged replicate the others are shown."""
    tables = {table: store.read(table, study / f"{table}.parquet") for table in over_time.TABLES}
    tables["runs"] = lost(tables["runs"], tables["runs"]["replicate"] == 0)
    gone = tables["runs"].loc[untrained(tables["runs"]), "run"]
    layers = tables["layers"]
    layers.loc[layers["run"].isin(gone), "dead"] = 10**6
    drawn = over_time.figure(**tables)
    assert max(line.get_ydata().max() for axes in drawn.axes for line in axes.lines) <= 1
    plt.close(drawn)


def lost(runs: pd.DataFrame, which: pd.Series) -> pd.DataFrame:
    """``runs``, of which those that are ``which`` diverged without overflowing."""
    metrics = runs.columns[runs.columns.str.endswith(("fraction", "accuracy", "loss", "_test"))]
    return runs.assign(
        outcome=runs["outcome"].mask(which, "diverged"),
        **{metric: runs[metric].where(~which) for metric in metrics},
    )


@pytest.mark.parametrize("name", ["learning_rate", "phase_diagram", "remedies", "slopes", "capacity"])
def test_one_setting_is_enough(name: str, study: Path) -> None:
    runs = store.read("runs", study / "runs.parquet")
    runs = runs[(runs["experiment"] == module_of(name).EXPERIMENT) & trained(runs)]
    plt.close(module_of(name).figure(runs.iloc[:1]))


def test_life_before_an_explosive_death_can_be_seen(study: Path) -> None:
    tables = {table: store.read(table, study / f"{table}.parquet") for table in anatomy.TABLES}
    levels = [column for column in tables["units"].columns if column.startswith("pre_activation")]
    units = tables["units"]
    units.loc[units["dead"], levels] = units.loc[units["dead"], levels] * 1000
    drawn = anatomy.figure(tables["runs"], units)
    axes = drawn.axes[0]
    low, high = axes.transAxes.inverted().transform(axes.transData.transform([(0, -3), (0, 3)]))[:, 1]
    assert high - low > 0.1
    plt.close(drawn)


def test_a_hatch_stands_out_from_its_cell(study: Path) -> None:
    runs = store.read("runs", study / "runs.parquet")
    drawn = phase_diagram.figure(lost(runs, runs["replicate"] == 0))
    for axes in (axes for axes in drawn.axes if axes.images):
        for patch in axes.patches:
            column, row = (round(place + 0.5) for place in patch.get_xy())
            value = axes.images[0].get_array()[row, column]
            cell = 1.0 if np.ma.is_masked(value) else luminance(axes.images[0].cmap(float(value)))
            assert abs(cell - luminance(patch.get_edgecolor())) > 0.3
    plt.close(drawn)


def luminance(colour: Any) -> float:
    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("activation", ["relu", "prelu", "leaky_relu"])
def test_slopes_of_one_kind_are_enough(activation: str, study: Path) -> None:
    runs = store.read("runs", study / "runs.parquet")
    plt.close(module_of("slopes").figure(runs[runs["activation"] == activation]))


def test_slopes_have_a_row_for_each_rate_that_names_its_setting(study: Path) -> None:
    runs = store.read("runs", study / "runs.parquet").query("experiment == 'slopes'")
    slower = runs.assign(run="slow-" + runs["run"], learning_rate=0.03)
    drawn = module_of("slopes").figure(pd.concat([runs, slower]))
    titles = [axes.get_title(loc="left") for axes in drawn.axes]
    assert [title for title in titles if title] == [
        f"SGD, bias {style.MINUS}4, rate {rate}" for rate in (0.03, 0.1)
    ]
    plt.close(drawn)


@pytest.mark.parametrize("name", ["phase_diagram", "learning_rate", "initial_bias", "over_time", "capacity"])
def test_what_a_figure_does_not_show_gets_panels_of_its_own(name: str, study: Path) -> None:
    """Networks of another optimiser are not replicates; nine places do not fit side by side."""
    module = module_of(name)
    tables = {table: store.read(table, study / f"{table}.parquet") for table in module.TABLES}
    mnist = tables["runs"].query("experiment == 'causes' and dataset == 'mnist' and architecture == 'mlp'")
    copies = [
        mnist.assign(run=f"{optimiser}-{scheme}-" + mnist["run"], optimiser=optimiser, initialisation=scheme)
        for optimiser in ("sgd", "momentum", "adam")
        for scheme in ("he", "default", "orthogonal")
    ]
    tables["runs"] = pd.concat(copies)
    if "layers" in tables:
        layers = tables["layers"]
        ids = [
            layers.assign(run=copy["run"].iloc[0].removesuffix(mnist["run"].iloc[0]) + layers["run"])
            for copy in copies
        ]
        tables["layers"] = pd.concat(ids)
    drawn = module.figure(**tables)
    titles = [axes.get_title() for axes in drawn.axes]
    assert sum("MNIST, MLP\nAdam, default" in title for title in titles) == 1
    assert max(axes.get_subplotspec().get_gridspec().ncols for axes in drawn.axes if axes.get_title()) <= 4
    assert drawn.get_figheight() <= style.MOST_HEIGHT
    plt.close(drawn)


def test_neighbouring_curves_differ_in_lightness_marker_and_line() -> None:
    looks = [style.look(position) for position in range(12)]
    greys = [luminance(look["color"]) for look in looks[:4]]
    assert all(abs(one - other) > 0.15 for one, other in pairwise(greys))
    assert len({(look["color"], look["marker"], look["linestyle"]) for look in looks}) == len(looks)


def test_two_initial_biases_of_the_optimisers_are_two_lines_of_one_colour(study: Path) -> None:
    runs = store.read("runs", study / "runs.parquet")
    own = runs[runs["experiment"] == optimisers.EXPERIMENT]
    places, names = own.groupby(["dataset", "architecture"]).ngroups, own["optimiser"].nunique()
    both = pd.concat([runs, own.assign(run="b-" + own["run"], initial_bias=-2.0)])
    drawn = optimisers.figure(both)
    assert len(drawn.axes) == 2 * places
    curves = [line for line in drawn.axes[0].lines if line.get_linestyle() != "None"]
    assert len(curves) == 2 * names
    assert len({line.get_color() for line in curves}) == names
    assert len({(line.get_color(), line.get_linestyle()) for line in curves}) == 2 * names
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert {"bias 0", f"bias {style.MINUS}2"} < set(labels)
    plt.close(drawn)


def test_every_network_that_trained_is_a_mark_under_its_correlation(study: Path) -> None:
    runs = store.read("runs", study / "runs.parquet")
    drawn = capacity.figure(runs)
    own = runs.query("experiment == 'causes' and activation == 'relu' and outcome == 'trained'")
    first = own[
        (own["dataset"] == own["dataset"].iloc[0]) & (own["architecture"] == own["architecture"].iloc[0])
    ]
    marks = [line for line in drawn.axes[0].lines if line.get_label().startswith("_")]
    shown = sorted(tuple(point) for line in marks for point in line.get_xydata())
    assert shown == sorted(first[["dead_fraction", "test_accuracy"]].itertuples(index=False, name=None))
    ranks = first[["dead_fraction", "test_accuracy"]].rank().corr().iloc[0, 1]
    assert style.correlation(ranks) in drawn.axes[0].get_title()
    plt.close(drawn)


def test_a_phase_diagram_shows_the_mean_of_what_trained(study: Path) -> None:
    runs = store.read("runs", study / "runs.parquet")
    drawn = phase_diagram.figure(runs.sample(frac=1, random_state=0))
    first = (runs["experiment"] == "causes") & (runs["dataset"] == "mnist") & (runs["architecture"] == "mlp")
    here = runs[first & (runs["activation"] == "relu")]
    cells = here.assign(dead=here["dead_fraction"].where(trained(here))).pivot_table(
        values="dead", index="initial_bias", columns="learning_rate", dropna=False
    )
    image = next(axes.images[0] for axes in drawn.axes if axes.get_title() == "MNIST, MLP\nReLU")
    np.testing.assert_allclose(image.get_array().filled(np.nan), cells.to_numpy())
    plt.close(drawn)


def steps_of_anatomy(study: Path) -> pd.DataFrame:
    units = store.read("units", study / "units.parquet")
    runs = store.read("runs", study / "runs.parquet")
    units = units[units["run"].isin(runs.loc[runs["experiment"] == "anatomy", "run"])]
    return attributed(units)


def test_the_unit_in_the_anatomy_is_dead_from_the_step_marked_on(study: Path) -> None:
    units = store.read("units", study / "units.parquet")
    found = anatomy.typical_death(steps_of_anatomy(study))
    assert found
    run, layer, unit, step = found
    life = units[(units["run"] == run) & (units["layer"] == layer) & (units["unit"] == unit)]
    assert life.loc[life["step"] >= step, "dead"].all()
    assert not life.loc[life["step"] < step, "dead"].iloc[-1]


def test_as_many_units_fall_further_than_the_typical_one_as_less_far() -> None:
    """Unit 1 dies twice, unit 5 revives for good, unit 6 is born dead: four deaths for good, by 1, 2, 4 and 8."""
    rows = [
        *((unit, 3, fall, True, True) for unit, fall in ((0, 8.0), (2, 1.0), (3, 4.0))),
        (1, 1, 9.0, True, True),
        (1, 2, -9.0, False, False),
        (1, 3, 2.0, True, True),
        (5, 1, 3.0, True, True),
        (5, 2, -3.0, False, False),
        (6, 1, 3.0, False, True),
    ]
    steps = pd.DataFrame(rows, columns=["unit", "step_next", "fall", "died", "dead_next"])
    steps = steps.assign(run="r", layer="linear1", step=steps["step_next"] - 1)
    assert anatomy.typical_death(steps) == ("r", "linear1", 1, 3)
    assert anatomy.typical_death(steps[steps["fall"] > 2]) == ("r", "linear1", 3, 3)


def test_without_a_death_there_is_no_anatomy(study: Path) -> None:
    steps = steps_of_anatomy(study)
    assert anatomy.typical_death(steps.assign(died=False, dead_next=False)) is None
    assert anatomy.typical_death(steps.iloc[:0]) is None


def test_what_moves_a_unit_is_stacked_to_what_its_largest_pre_activation_does(study: Path) -> None:
    tables = {table: store.read(table, study / f"{table}.parquet") for table in anatomy.TABLES}
    drawn = anatomy.figure(**tables)
    panel = drawn.axes[1]
    (marks,) = (line for line in panel.lines if line.get_marker() == "D")
    stacked = dict.fromkeys(marks.get_xdata(), 0.0)
    for bar in panel.patches:
        stacked[round(bar.get_x() + bar.get_width() / 2)] += bar.get_height()
    assert list(stacked.values()) == pytest.approx(list(marks.get_ydata()), abs=1e-5)
    assert len(stacked) > 3
    plt.close(drawn)


def test_units_that_died_and_units_born_dead_have_panels_of_their_own(study: Path) -> None:
    tables = {table: store.read(table, study / f"{table}.parquet") for table in survival.TABLES}
    runs = tables["runs"].query("experiment == 'recovery' and outcome == 'trained'")
    lives = (
        tables["units"]
        .merge(runs[["run"]], on="run")
        .sort_values("step")
        .groupby(["run", "depth", "layer", "unit"])["dead"]
    )
    born = lives.first()
    # Those that die at the last checkpoint were not followed.
    died = ~born & lives.apply(lambda dead: bool(dead.iloc[:-1].any()))
    counts = {"born dead": born, "died": died}
    drawn = survival.figure(**tables)
    shown = {axes.get_title().replace("\n", " ") for axes in drawn.axes}
    expected = {
        f"{style.layer(layer, depth)}: {of_layer.sum()} {words}"
        for words, which in counts.items()
        for (depth, layer), of_layer in which.groupby(["depth", "layer"])
        if of_layer.any()
    }
    assert shown == expected
    plt.close(drawn)


def test_the_liveliest_setting_is_the_one_with_most_deaths_and_revivals() -> None:
    layers = pd.DataFrame(
        {
            "initial_bias": [0.0, -1.0, -2.0],
            "learning_rate": [0.1, 0.1, 1.0],
            "died": [1, 2, 9],
            "revived": [0, 3, 9],
            "outcome": ["trained", "trained", "diverged"],
        }
    )
    assert over_time.liveliest(layers) == (-1.0, 0.1)


def test_networks_born_dead_stand_on_the_line_of_theory(study: Path) -> None:
    """In the small study they are as many as theory has them, whatever the inputs."""
    counts = store.read("born_dead", study / "born_dead.parquet")
    drawn = born_dead.figure(counts)
    by_depth, by_width = drawn.axes
    for axes, across in ((by_depth, "depth"), (by_width, "width")):
        lines = [line for line in axes.lines if line.get_linestyle() == "-"]
        points = [line for line in axes.lines if line.get_linestyle() == "None"]
        assert len(lines) == (len(born_dead.WIDTHS) if across == "depth" else 1)
        assert len(points) >= 4
        for line in lines:
            exact = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
            shown = [
                dots for dots in points if dots.get_color() == line.get_color() and len(dots.get_xdata())
            ]
            assert shown
            for dots in shown:
                for x, y in zip(dots.get_xdata(), dots.get_ydata(), strict=True):
                    assert y == pytest.approx(exact[x], abs=1e-4)
    assert by_width.lines[0].get_ydata()[1] == born_dead_probability_one_point(2, 10)
    plt.close(drawn)


def test_an_unknown_figure_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        DyingReluError, match=r"unknown figure: found 'pie'; expected one of anatomy, born_dead"
    ):
        figures.draw("pie", tmp_path, tmp_path / "pie.pdf")
