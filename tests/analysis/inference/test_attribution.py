"""What moved a unit: parts that sum up, on the synthetic study and on numbers worked out by hand."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.factors import UNIT
from dying_relu.analysis.inference.attribution import PARTS, attributed
from dying_relu.analysis.study_results import StudyResults

numbers = st.floats(-1e3, 1e3)


@pytest.fixture(scope="module")
def units(small_study: Path) -> pd.DataFrame:
    return Evidence(StudyResults(small_study)).relu_units("recovery")


@pytest.fixture(scope="module")
def falls(units: pd.DataFrame) -> pd.DataFrame:
    return attributed(units)


def one_unit(depth: int, weights: list[float], biases: list[float], inputs: list[float]) -> pd.DataFrame:
    """A unit with one input, shown one example: two checkpoints."""
    (w, v), (b, c), (a, e) = weights, biases, inputs
    return pd.DataFrame(
        {
            "run": "r",
            "layer": "linear1",
            "unit": 0,
            "depth": depth,
            "step": [0, 5],
            "dead": [w * a + b <= 0, v * e + c <= 0],
            "bias": biases,
            "pre_activation_max": [w * a + b, v * e + c],
            "pre_activation_max_new_weights": [np.nan, v * a + b],
            "pre_activation_max_new_inputs": [np.nan, w * e + b],
        }
    )


def test_each_cause_by_itself_gets_the_whole_fall() -> None:
    cases = {"by_bias": ([1, 1], [0, -3], [2, 2]), "by_weights": ([1, -1], [0, 0], [2, 2])}
    cases["by_inputs"] = ([1, 1], [0, 0], [2, 0.5])
    for cause, (weights, biases, inputs) in cases.items():
        row = attributed(one_unit(2, weights, biases, inputs)).iloc[0]
        assert row[cause] == row["fall"] != 0
        assert row[PARTS].abs().sum() == abs(row["fall"])


def test_weights_and_inputs_share_what_they_do_together() -> None:
    """From 2 * 3 to 1 * 1: the weights take 3 or 1 of it, depending on the order, hence 2; the inputs 4 or 2, hence 3."""
    row = attributed(one_unit(2, [2, 1], [3, -4], [3, 1])).iloc[0]
    assert tuple(row[["fall", *PARTS]]) == (12, 7, 2, 3)
    assert (row["step"], row["step_next"], row["died"], row["revived"]) == (0, 5, True, False)


@given(st.lists(numbers, min_size=2, max_size=2), st.lists(numbers, min_size=2, max_size=2), numbers, numbers)
def test_the_parts_sum_up(weights: list[float], biases: list[float], a: float, e: float) -> None:
    row = attributed(one_unit(2, weights, biases, [a, e])).iloc[0]
    assert row[PARTS].sum() == pytest.approx(row["fall"], abs=1e-8)


def test_the_parts_of_a_study_sum_up(falls: pd.DataFrame) -> None:
    assert falls[PARTS].notna().all(axis=None)
    np.testing.assert_allclose(falls[PARTS].sum(axis=1), falls["fall"], atol=1e-5)


def test_a_row_an_interval_between_consecutive_checkpoints(units: pd.DataFrame, falls: pd.DataFrame) -> None:
    assert len(falls) == len(units) - len(units.drop_duplicates(UNIT))
    assert not falls.duplicated([*UNIT, "step"]).any()
    steps = sorted(units["step"].unique())
    assert set(zip(falls["step"], falls["step_next"], strict=True)) == set(pairwise(steps))
    assert set(units.columns) <= set(falls.columns)


def test_inputs_of_the_first_layer_do_not_move(falls: pd.DataFrame) -> None:
    assert (falls.loc[falls["depth"] == 1, "by_inputs"] == 0).all()
    assert (falls.loc[falls["depth"] == 2, "by_inputs"] != 0).any()


def test_nothing_moves_a_dead_unit_of_the_first_layer_under_plain_gradient_descent(
    falls: pd.DataFrame,
) -> None:
    dead = falls[falls["dead"] & (falls["depth"] == 1) & (falls["optimiser"] == "sgd")]
    assert len(dead)
    assert (dead[["fall", *PARTS]] == 0).all(axis=None)


def test_who_died_and_who_revived(units: pd.DataFrame, falls: pd.DataFrame) -> None:
    assert falls["died"].any()
    assert falls["revived"].any()
    assert (falls.loc[falls["died"], "fall"] > 0).all()
    changes = units.sort_values("step").groupby(UNIT)["dead"].agg(lambda dead: dead.astype(int).diff().sum())
    net = falls.groupby(UNIT)[["died", "revived"]].sum()
    pd.testing.assert_series_equal(net["died"] - net["revived"], changes.astype(int), check_names=False)


def test_the_order_of_rows_does_not_matter(units: pd.DataFrame, falls: pd.DataFrame) -> None:
    shuffled = attributed(units.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(shuffled, falls)


def test_what_is_not_known_is_nan(units: pd.DataFrame) -> None:
    unknown = attributed(units.assign(pre_activation_max_new_weights=np.nan))
    assert unknown.loc[unknown["depth"] == 2, ["by_weights", "by_inputs"]].isna().all(axis=None)
    assert unknown[["fall", "by_bias"]].notna().all(axis=None)
