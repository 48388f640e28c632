"""What the explorer holds: every network in the cells, a sample that stays small, and counts that are those of the tables."""

from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_study import small_tables

from dying_relu.analysis import claims, explorer
from dying_relu.analysis.explorer import charts, networks, page
from dying_relu.analysis.study_results import StudyResults

MOST_BYTES = 5_000_000


class Tables:
    """A study whose tables are in memory."""

    def __init__(self, **tables: pd.DataFrame) -> None:
        self.tables = tables

    def table(self, name: str, columns: object = ()) -> pd.DataFrame:
        return self.tables[name]


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return small_tables()


@pytest.fixture(scope="module")
def shown(tables: dict[str, pd.DataFrame]) -> networks.Networks:
    return networks.of_study(Tables(**tables))  # type: ignore[arg-type]


def test_cells_hold_every_network_once(shown: networks.Networks, tables: dict[str, pd.DataFrame]) -> None:
    runs = tables["runs"]
    trained = runs[runs["outcome"] == "trained"]
    assert shown.total == shown.cells["networks"].sum() == len(runs)
    assert shown.cells["trained"].sum() == len(trained)
    assert shown.cells["dead"].sum() == pytest.approx(trained["dead_fraction"].sum())


def test_a_cell_is_the_mean_of_its_networks(
    shown: networks.Networks, tables: dict[str, pd.DataFrame]
) -> None:
    cells = shown.cells.merge(shown.settings, on="setting")
    cell = cells.query(
        "experiment == 'causes' and dataset == 'mnist' and architecture == 'mlp' and function == 'ReLU'"
        " and initial_bias == -4 and learning_rate == 0.1"
    )
    runs = tables["runs"].query(
        "experiment == 'causes' and dataset == 'mnist' and architecture == 'mlp' and activation == 'relu'"
        " and initial_bias == -4 and learning_rate == 0.1 and outcome == 'trained'"
    )
    assert len(cell) == 1
    assert (cell["dead"] / cell["trained"]).item() == pytest.approx(runs["dead_fraction"].mean())
    assert cell["offset_share"].item() == 0.3


def test_layers_are_those_of_the_table(shown: networks.Networks, tables: dict[str, pd.DataFrame]) -> None:
    steps = shown.schedules.set_index("schedule")["steps"]
    run = shown.sample.iloc[7]
    layers = tables["layers"].query("run == @run.run and probe == 'train'")
    for row in shown.layers[shown.layers["network"] == run["network"]].itertuples():
        rows = layers[layers["layer"] == row.layer].sort_values("step")
        assert row.dead == " ".join(map(str, rows["dead"]))
        assert steps[row.schedule] == " ".join(map(str, rows["step"]))
        assert {row.units} == set(rows["units"])


def test_a_small_study_is_shown_whole(shown: networks.Networks) -> None:
    assert len(shown.sample) == shown.total
    assert set(shown.layers["network"]) == set(shown.sample["network"])


def large_tables(seeds: int = 10, steps: int = 24) -> dict[str, pd.DataFrame]:
    """Tables of a study with 30,000 networks of three layers, as far as the explorer reads them."""
    random = np.random.default_rng(0)
    rates, biases = np.geomspace(1e-3, 10, 25), np.linspace(-4, 0, 15)
    grid = pd.MultiIndex.from_product(
        [["mnist", "cifar10"], ["mlp", "cnn"], ["sgd", "adam"], rates, biases, range(seeds)],
        names=["dataset", "architecture", "optimiser", "learning_rate", "initial_bias", "replicate"],
    ).to_frame(index=False)
    runs = grid.assign(
        run=[f"{number:012x}" for number in random.permutation(len(grid))],
        experiment="causes",
        activation="relu",
        slope=0.0,
        inputs="standardised",
        outcome=random.choice(["trained", "collapsed"], len(grid)),
        dead_fraction=random.uniform(size=len(grid)),
        test_accuracy=random.uniform(size=len(grid)),
    )
    repeated = runs.loc[runs.index.repeat(3 * steps), ["run"]].reset_index(drop=True)
    depth = np.tile(np.repeat([1, 2, 3], steps), len(runs))
    layers = repeated.assign(
        depth=depth,
        step=np.tile(
            np.unique(np.geomspace(1, 1e5, steps).astype(int))[-1] * np.arange(steps), 3 * len(runs)
        ),
        layer=np.char.add("linear", depth.astype(str)),
        probe="train",
        units=100,
        dead=random.integers(0, 100, len(repeated)),
        offset_share=0.4,
    )
    return {"runs": runs, "layers": layers}


def test_a_large_study_becomes_a_small_page(small_paper: Path) -> None:
    shown = networks.of_study(Tables(**large_tables()))  # type: ignore[arg-type]
    assert shown.total == shown.cells["networks"].sum() == 30_000
    assert 1000 < len(shown.sample) <= networks.MOST_NETWORKS
    # A fair sample: half of the networks trained.
    assert (shown.sample["outcome"] == "trained").mean() == pytest.approx(0.5, abs=0.05)
    verdicts = explorer.everything(StudyResults(small_paper / "results"))
    text = page.html("large", verdicts, shown, charts.specification(shown))
    assert len(text.encode()) < MOST_BYTES


def test_the_same_tables_give_the_same_bytes(small_paper: Path, tmp_path: Path) -> None:
    for name in ("first", "again"):
        explorer.write(small_paper / "results", tmp_path / f"{name}.html")
    assert (tmp_path / "first.html").read_bytes() == (tmp_path / "again.html").read_bytes()


def test_the_verdicts_are_a_table(small_paper: Path, tmp_path: Path) -> None:
    explorer.write_verdicts(small_paper / "results", tmp_path / "verdicts.html")
    text = (tmp_path / "verdicts.html").read_text(encoding="utf-8")
    for row in claims.read(small_paper / "results" / "claims.csv").to_dict("records"):
        assert f'<th scope="row">{row["claim"]}</th>' in text
        assert escape(row["statement"]) in text
    assert "Each seed" in text
    assert "<script" not in text


def test_the_tables_alone_can_be_put_into_another_page(small_paper: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "verdicts.html", tmp_path / "part.html"
    explorer.write_verdicts(small_paper / "results", whole, part)
    text = part.read_text(encoding="utf-8")
    assert text.startswith("<div")
    assert text in whole.read_text(encoding="utf-8")
