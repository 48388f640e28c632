"""The tables as the rules ask for them: joined, narrowed to an experiment, and by whatever counts as dead."""

import numpy as np
import pandas as pd
import pytest
from small_evidence import SmallEvidence, diverge
from small_study import small_tables

from dying_relu.analysis.claims.evidence import DEAD, Definition, NotEnoughData, by_replicate, safe
from dying_relu.analysis.factors import FACTORS

INACTIVE = Definition("inactive_fraction", "inactive", ("test", "inactive"), None)


def test_a_stratum_is_data_set_architecture_and_optimiser() -> None:
    runs = SmallEvidence().runs
    assert set(runs.query("experiment == 'recovery'")["stratum"]) == {
        f"{dataset} {architecture} {optimiser}"
        for dataset in ("mnist", "cifar10")
        for architecture in ("mlp", "cnn")
        for optimiser in ("sgd", "adam")
    }


def test_the_papers_definition_leaves_the_table_as_it_is() -> None:
    pd.testing.assert_frame_equal(SmallEvidence().runs.drop(columns="stratum"), small_tables()["runs"])


def test_by_another_definition_those_died_that_are_dead_at_the_end_and_were_not_at_the_start() -> None:
    """On held-out examples, before the first step, one unit of the first layer is inactive and two of the second, of 24 in all."""

    def at_the_start(layers: pd.DataFrame) -> pd.DataFrame:
        first = layers["step"] == 0
        other = layers[first].assign(probe="test", dead=0, inactive=layers["depth"])
        return pd.concat([layers, other])

    found = SmallEvidence(definition=INACTIVE, layers=at_the_start).runs.set_index("run")
    papers = SmallEvidence().runs.set_index("run")
    pd.testing.assert_series_equal(found["dead_fraction"], papers["inactive_fraction"], check_names=False)
    expected = papers["inactive_fraction"] - 3 / 24
    pd.testing.assert_series_equal(found["died_fraction"], expected, check_names=False)


def test_units_have_the_factors_of_their_runs_and_are_those_of_runs_that_did_not_diverge() -> None:
    evidence = SmallEvidence(runs=lambda t: diverge(t, t["learning_rate"] == 1.0))
    units, runs = evidence.units, evidence.runs.set_index("run")
    assert not runs.loc[units["run"].unique(), "diverged"].any()
    stored = small_tables()["units"]
    assert len(units) == stored["run"].map(runs["diverged"]).eq(False).sum() < len(stored)
    assert {"experiment", "stratum", "steps", "train_examples", *FACTORS} <= set(units)
    assert (units["learning_rate"] == units["run"].map(runs["learning_rate"])).all()


def test_units_are_dead_by_the_definition_and_their_numbers_are_in_double_precision() -> None:
    def half(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(inactive=True, dead=units["unit"] % 2 == 0, mean_abs_activation=0.0)

    assert SmallEvidence(definition=INACTIVE, units=half).units["dead"].all()
    units = SmallEvidence(units=half).units
    assert units["dead"].mean() == 0.5
    assert not list(units.select_dtypes("float32"))
    with pytest.raises(NotEnoughData, match=r"^this definition is not recorded of single units$"):
        _ = SmallEvidence(definition=DEAD._replace(of_units=None)).units


def test_an_experiment_is_its_runs_those_that_diverged_too() -> None:
    evidence = SmallEvidence()
    runs = evidence.experiment("causes")
    assert set(runs["experiment"]) == {"causes"}
    assert runs["diverged"].any()
    assert set(evidence.relu("causes")["activation"]) == {"relu"}
    assert evidence.relu("causes")["diverged"].any()
    units = evidence.relu_units("recovery")
    assert set(units["experiment"]) == {"recovery"}
    assert set(units["activation"]) == {"relu"}


def test_what_an_experiment_lacks_is_named() -> None:
    leaky = SmallEvidence(runs=lambda t: t.assign(activation=t["activation"].replace("relu", "elu")))
    for ask, said in (
        (lambda: SmallEvidence().experiment("nothing"), "the study has no experiment 'nothing'"),
        (lambda: leaky.relu("causes"), "the experiment 'causes' has no ReLU networks"),
        (lambda: leaky.relu_units("recovery"), "the experiment 'recovery' has no ReLU networks"),
        (lambda: SmallEvidence().relu_units("causes"), "the experiment 'causes' has no recorded units"),
    ):
        with pytest.raises(NotEnoughData, match=f"^{said}$"):
            ask()


def test_what_moved_the_units_of_an_experiment_is_told_of_that_experiment() -> None:
    evidence = SmallEvidence()
    assert set(evidence.since("recovery")["experiment"]) == {"recovery"}
    assert set(evidence.since("anatomy")["experiment"]) == {"anatomy"}
    assert evidence.since("recovery") is evidence.since("recovery")


def test_a_statistic_is_taken_of_each_stratum_and_replicate_and_left_out_where_there_is_none() -> None:
    table = pd.DataFrame(
        {"stratum": list("bbaab"), "replicate": [1, 1, 0, 0, 0], "x": [1.0, 2.0, 4.0, np.nan, np.nan]}
    )
    found = by_replicate(table, lambda rows: rows["x"].sum(min_count=1))
    expected = pd.DataFrame({"stratum": ["b", "a"], "replicate": [1, 0], "value": [3.0, 4.0]})
    pd.testing.assert_frame_equal(found, expected)


def test_a_setting_is_safe_if_no_replicate_diverges_in_it() -> None:
    runs = pd.DataFrame({"rate": [1, 1, 2, 2], "bias": [0, 1, 0, 0], "diverged": [False, True, False, False]})
    assert safe(runs, ["rate"])["rate"].tolist() == [2, 2]
    assert safe(runs, ["rate", "bias"])["bias"].tolist() == [0, 0, 0]
