"""Means by setting and differences of twins."""

import numpy as np
import pandas as pd
import pytest

from dying_relu.analysis.inference.summaries import differences, pairs, summarise


def runs(**columns: list) -> pd.DataFrame:
    return pd.DataFrame({"outcome": "trained", **columns})


def test_networks_that_did_not_train_are_counted_and_in_no_mean() -> None:
    table = runs(rate=[1, 1, 1, 2], dead=[0.1, 0.3, 0.9, np.nan])
    table["outcome"] = ["trained", "trained", "collapsed", "diverged"]
    found = summarise(table, ["rate"], "dead").set_index("rate")
    assert found.loc[1, ["estimate", "n", "untrained"]].tolist() == pytest.approx([0.2, 2, 1])
    assert np.isnan(found.loc[2, "estimate"])
    assert found.loc[2, ["n", "untrained"]].tolist() == [0, 1]


def test_a_difference_is_that_of_twins() -> None:
    """Seeds differ much, and all rise alike."""
    table = runs(replicate=[0, 1, 2] * 2, rate=[1] * 3 + [2] * 3, dead=[0.1, 0.5, 0.8, 0.2, 0.61, 0.9])
    found = pairs(table, [], "rate", 1, "dead")
    assert found["difference"].tolist() == pytest.approx([0.1, 0.11, 0.1])


def test_a_pair_has_the_outcome_of_the_one_that_did_not_train() -> None:
    table = runs(replicate=[0, 1] * 2, arm=["a", "a", "b", "b"], dead=[0.1, 0.2, 0.3, 0.4])
    table["outcome"] = ["diverged", "trained", "trained", "collapsed"]
    found = pairs(table, [], "arm", "a", "dead").set_index("replicate")["outcome"]
    assert found.to_dict() == {0: "diverged", 1: "collapsed"}


@pytest.mark.parametrize("twice", ["a", "b"])
def test_a_factor_that_was_left_out_is_noticed(twice: str) -> None:
    table = runs(replicate=[0, 0, 0], arm=["a", "b", twice], dead=[0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="do not name a single run"):
        pairs(table, [], "arm", "a", "dead")


def test_settings_are_summarised_apart() -> None:
    table = runs(replicate=[0, 1, 2] * 4, place=["x"] * 6 + ["y"] * 6, arm=(["a"] * 3 + ["b"] * 3) * 2)
    table["dead"] = [0, 0, 0, 0.1, 0.2, 0.3, 0, 0, 0, 0.5, 0.6, 0.7]
    found = differences(table, ["place"], "arm", "a", "dead").set_index("place")
    assert found["estimate"].to_dict() == pytest.approx({"x": 0.2, "y": 0.6})
    assert (found["low"] < found["estimate"]).all()


def test_settings_stand_in_order_and_one_without_a_level_is_one_too() -> None:
    """Activations without a slope have none in the table."""
    table = runs(slope=[0.1, 0.1, np.nan, np.nan, 0.01, 0.01], dead=[0.5, 0.7, 0.8, 1.0, 0.2, 0.4])
    found = summarise(table, ["slope"], "dead")
    np.testing.assert_equal(found["slope"].to_numpy(), [0.01, 0.1, np.nan])
    assert found["estimate"].tolist() == pytest.approx([0.3, 0.6, 0.9])
    assert list(found) == ["slope", "estimate", "low", "high", "n", "untrained"]


def test_a_level_that_no_run_has_is_no_setting() -> None:
    table = runs(arm=pd.Categorical(["b", "b"], ["a", "b", "c"]), dead=[0.1, 0.3])
    assert summarise(table, ["arm"], "dead")["arm"].tolist() == ["b"]
