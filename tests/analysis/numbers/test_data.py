"""What raw pixels and other minibatches change: differences paired by replicate, where both studies have a setting."""

from pathlib import Path

import pandas as pd
import pytest
from small_study import ORIGIN

from dying_relu.analysis.numbers.data import numbers
from dying_relu.analysis.outcomes import trained
from dying_relu.analysis.study_results import StudyResults
from dying_relu.results import store


def changed(study: Path, folder: Path, rows: pd.Series, **columns: object) -> dict[str, object]:
    """The macros' values after some rows of the table of runs were given other values."""
    runs = store.read("runs", study / "runs.parquet")
    for name, value in columns.items():
        runs.loc[rows, name] = value
    store.write("runs", runs, folder / "runs.parquet", ORIGIN)
    return {name: macro.value for name, macro in numbers(StudyResults(folder)).items()}


@pytest.fixture
def runs(small_study: Path) -> pd.DataFrame:
    return store.read("runs", small_study / "runs.parquet")


def test_networks_that_are_the_same_do_not_differ(small_study: Path) -> None:
    values = {name: macro.value for name, macro in numbers(StudyResults(small_study)).items()}
    assert values["RawPixelsDead"] == values["RawPixelsBornDead"] == values["SmallBatchesDead"] == 0
    assert values["SmallBatchesSize"] == 2


def test_an_experiment_that_is_not_there_was_not_measured(small_study: Path) -> None:
    values = {name: macro.value for name, macro in numbers(StudyResults(small_study)).items()}
    assert values["LargeBatchesDead"] is None
    assert values["LargeBatchesSize"] is None


def test_dead_units_of_raw_pixels_count_where_all_train(
    runs: pd.DataFrame, small_study: Path, tmp_path: Path
) -> None:
    raw = runs["experiment"].eq("data_raw_pixels") & trained(runs)
    values = changed(
        small_study, tmp_path, raw, dead_fraction=1.0, dead_fraction_probe=1.0, born_dead_fraction=0.75
    )
    like = runs["experiment"].eq("causes") & runs["architecture"].eq("mlp") & runs["activation"].eq("relu")
    before = runs[like & runs["initial_bias"].eq(0) & trained(runs)]
    assert values["RawPixelsDead"] == pytest.approx(1 - before["dead_fraction"].mean())
    assert values["RawPixelsBornDead"] == pytest.approx(0.75 - before["born_dead_fraction"].mean())
    assert values["SmallBatchesDead"] == 0
