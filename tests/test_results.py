"""Tables are checked when they are written and read, and say what their numbers follow from."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small_study import ORIGIN

from dying_relu import results
from dying_relu.errors import DyingReluError

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda runs: runs.assign(diverged_step=3), "diverged_step iff diverged"),
        (lambda runs: runs.assign(dead_fraction=float("nan")), "final metrics iff not diverged"),
    ],
)
def test_a_row_with_missing_values_has_its_laws_too(
    change: Change, broken: str, small_study: Path, tmp_path: Path
) -> None:
    runs = results.read("runs", small_study / "runs.parquet")
    sound = runs[~runs["diverged"]]
    with pytest.raises(DyingReluError, match=broken):
        results.write("runs", change(sound), tmp_path / "runs.parquet", ORIGIN)


def test_a_broken_law_is_named_once_and_no_cell_is_blamed(small_study: Path, tmp_path: Path) -> None:
    runs = results.read("runs", small_study / "runs.parquet").assign(diverged_step=3, dead_fraction=2.0)
    with pytest.raises(DyingReluError) as error:
        results.write("runs", runs, tmp_path / "runs.parquet", ORIGIN)
    assert "; diverged_step iff diverged failed; " in f"; {str(error.value).partition('found ')[2]}"
    assert "in_range(0, 1) failed for 2.0 in dead_fraction" in str(error.value)


def test_a_table_says_what_its_numbers_follow_from(small_study: Path, tmp_path: Path) -> None:
    origin = {"configuration": "c0ffee", "code": "5eed", "data": {"mnist": "5"}, "libraries": {"torch": "2"}}
    runs = results.read("runs", small_study / "runs.parquet")
    results.write("runs", runs, tmp_path / "runs.parquet", origin)
    assert results.origin(tmp_path / "runs.parquet") == origin
    pd.testing.assert_frame_equal(results.read("runs", tmp_path / "runs.parquet"), runs)


def test_a_table_that_does_not_say_it_is_named(small_study: Path, tmp_path: Path) -> None:
    pd.read_parquet(small_study / "runs.parquet").to_parquet(tmp_path / "runs.parquet", index=False)
    with pytest.raises(DyingReluError, match=r"runs\.parquet .*does not say what its numbers follow from"):
        results.origin(tmp_path / "runs.parquet")
