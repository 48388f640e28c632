"""The updates that killed a unit."""

import numpy as np
import pandas as pd
import pytest
from small_evidence import SmallEvidence

from dying_relu.analysis.claims.deaths import deaths
from dying_relu.analysis.claims.evidence import NotEnoughData
from dying_relu.analysis.inference.attribution import PARTS


def test_a_death_is_split_by_what_moved_the_unit() -> None:
    """As built: a quarter of every fall is due to the bias, and in the first layer the rest to the weights."""
    found = deaths(SmallEvidence())
    assert set(found["optimiser"]) == {"sgd", "adam"}
    assert found["of_fall_by_bias"].to_numpy() == pytest.approx(0.25, abs=1e-5)
    first = found[found["place"] == "first layer"]
    assert (first["largest"] == "by_weights").all()
    by_weights = 0.75 * first["fall"]
    assert (first["enough_by_weights"] == (by_weights >= first["pre_activation_max"])).all()
    assert not first["enough_by_inputs"].any()


def test_deaths_stand_by_depth_and_then_in_the_order_of_the_optimisers() -> None:
    found = deaths(SmallEvidence(runs=lambda t: t.iloc[::-1]))
    order = list(found[["place", "depth", "optimiser"]].drop_duplicates().itertuples(index=False, name=None))
    assert order == [
        ("first layer", 1, "adam"),
        ("first layer", 1, "sgd"),
        ("deeper layers", 2, "adam"),
        ("deeper layers", 2, "sgd"),
    ]
    forwards = deaths(SmallEvidence())["optimiser"].drop_duplicates().tolist()
    assert forwards == ["sgd", "adam"]


def test_deaths_are_those_of_relu_units_from_one_update_to_the_next_of_which_all_parts_are_known() -> None:
    evidence = SmallEvidence()
    units = evidence.units_of(evidence.runs)
    units = units[units["experiment"].str.startswith("anatomy")].sort_values("step")
    before = units.groupby(["run", "layer", "unit"])["dead"].shift(1)
    assert len(deaths(evidence)) == (before.eq(False) & units["dead"]).sum()

    def leaky(runs: pd.DataFrame) -> pd.DataFrame:
        slow = runs["experiment"].eq("anatomy") & runs["learning_rate"].eq(0.1)
        return runs.assign(activation=runs["activation"].mask(slow, "leaky_relu"))

    assert "anatomy-0000" in set(deaths(evidence)["run"])
    assert "anatomy-0000" not in set(deaths(SmallEvidence(runs=leaky))["run"])

    def unknown(units: pd.DataFrame) -> pd.DataFrame:
        column = "pre_activation_max_new_weights"
        return units.assign(**{column: units[column].mask((units["depth"] == 2) & (units["unit"] < 6))})

    assert deaths(SmallEvidence(units=unknown)).query("depth == 2")["unit"].min() == 6
    sparse = deaths(SmallEvidence(units=lambda t: t[t["step"] != 3]))
    assert not sparse["step"].isin([2, 3]).any()
    assert len(sparse) < len(deaths(evidence))


def test_the_share_in_a_fall_and_what_was_enough_follow_from_the_parts() -> None:
    found = deaths(SmallEvidence())
    for part in PARTS:
        assert np.allclose(found[f"of_fall_{part}"], found[part] / found["fall"])
        assert (found[f"enough_{part}"] == (found[part] >= found["pre_activation_max"])).all()
    assert np.allclose(found[[f"of_fall_{part}" for part in PARTS]].sum(axis=1), 1)


def test_the_negative_weights_after_a_death_are_those_of_the_next_step() -> None:
    changed = lambda t: t.assign(negative_weights=t["step"] / 100)  # noqa: E731
    found = deaths(SmallEvidence(units=changed))
    assert np.allclose(found["negative_weights_next"], found["step_next"] / 100)
    assert np.allclose(found["negative_weights"], found["step"] / 100)


def test_without_a_death_there_is_nothing_to_split() -> None:
    with pytest.raises(NotEnoughData, match=r"^no unit dies in the experiments 'anatomy\.\.\.'$"):
        deaths(SmallEvidence(units=lambda t: t.assign(dead=False, dead_all=False)))
