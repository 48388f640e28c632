"""The tables as the rules ask for them: joined, narrowed to an experiment, and by whatever counts as dead and as trained."""

import pandas as pd
import pytest
from planted_study import evidence
from small_evidence import SmallEvidence
from small_study import small_tables

from dying_relu.analysis.claims.evidence import DEAD, Definition, Evidence, NotEnoughData, measured
from dying_relu.analysis.factors import FACTORS
from dying_relu.analysis.thresholds import PAPER

INACTIVE = Definition("inactive_fraction", "inactive", "inactive")


def test_the_plans_definition_leaves_the_table_as_it_is() -> None:
    pd.testing.assert_frame_equal(SmallEvidence().runs, small_tables()["runs"])


def test_by_another_definition_those_are_newly_dead_that_are_dead_at_the_end_and_were_not_at_the_start() -> (
    None
):
    """Before the first step one unit of the first layer is inactive and two of the second, of 24 in all."""

    def at_the_start(layers: pd.DataFrame) -> pd.DataFrame:
        start = (layers["step"] == 0) & (layers["probe"] == "train")
        return layers.assign(
            **{
                name: layers[name].mask(start, number)
                for name, number in {"dead": 0, "dead_all": 0, "new_dead_all": 0, "saturated": 0}.items()
            },
            inactive=layers["inactive"].mask(start, layers["depth"]),
        )

    found = SmallEvidence(definition=INACTIVE, layers=at_the_start).runs.set_index("run")
    plans = SmallEvidence().runs.set_index("run")
    pd.testing.assert_series_equal(found["dead_fraction"], plans["inactive_fraction"], check_names=False)
    expected = (plans["inactive_fraction"] - 3 / 24).clip(lower=0)
    pd.testing.assert_series_equal(found["new_dead_fraction"], expected, check_names=False)


def test_every_finite_network_can_be_counted_as_trained() -> None:
    small = SmallEvidence()
    small.finite_is_trained = True
    outcomes = small.runs.groupby("overflowed")["outcome"].unique()
    assert [*outcomes[False], *outcomes[True]] == ["trained", "diverged"]


def test_units_have_the_factors_of_their_runs_and_are_those_of_runs_that_trained() -> None:
    def collapsed(runs: pd.DataFrame) -> pd.DataFrame:
        return runs.assign(outcome=runs["outcome"].mask(runs["learning_rate"] == 1.0, "collapsed"))

    small = SmallEvidence(runs=collapsed)
    runs = small.runs.set_index("run")
    units = small.units_of(small.runs)
    assert set(runs.loc[units["run"].unique(), "outcome"]) == {"trained"}
    stored = small_tables()["units"]
    assert len(units) == (stored["run"].map(runs["outcome"]) == "trained").sum() < len(stored)
    assert {"experiment", "steps", "train_examples", *FACTORS} <= set(units)
    assert (units["learning_rate"] == units["run"].map(runs["learning_rate"])).all()


def test_units_are_dead_by_the_definition_and_their_numbers_are_in_double_precision() -> None:
    def half(units: pd.DataFrame) -> pd.DataFrame:
        dead = units["unit"] % 2 == 0
        return units.assign(inactive=True, dead=dead, dead_all=dead, mean_abs_activation=0.0)

    inactive = SmallEvidence(definition=INACTIVE, units=half)
    assert inactive.units_of(inactive.runs)["dead"].all()
    plans = SmallEvidence(units=half)
    units = plans.units_of(plans.runs)
    assert units["dead"].mean() == 0.5
    assert not list(units.select_dtypes("float32"))
    with pytest.raises(NotEnoughData, match=r"^this definition is not recorded of single units$"):
        SmallEvidence(definition=DEAD._replace(of_units=None)).units_of(plans.runs)


def test_checkpoints_at_which_units_were_not_counted_on_all_examples_are_left_out() -> None:
    def uncounted(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(dead_all=units["dead_all"].mask(units["step"] == 10))

    units = evidence(units=uncounted).relu_units("recovery")
    assert sorted(units["step"].unique()) == [0, 20]


def test_an_experiment_is_its_runs_whatever_their_outcome() -> None:
    small = SmallEvidence()
    runs = small.experiment("causes")
    assert set(runs["experiment"]) == {"causes"}
    assert {"diverged", "trained"} <= set(runs["outcome"])
    assert set(small.relu("causes", "optimisers")["experiment"]) == {"causes", "optimisers"}
    assert set(small.relu("causes", "nothing")["activation"]) == {"relu"}
    units = small.relu_units("recovery")
    assert set(units["experiment"]) == {"recovery"}
    assert set(units["activation"]) == {"relu"}


def test_recorded_units_are_those_of_reported_seeds() -> None:
    assert evidence().relu_units("recovery")["replicate"].max() == 19


def test_what_an_experiment_lacks_is_named() -> None:
    leaky = SmallEvidence(runs=lambda t: t.assign(activation=t["activation"].replace("relu", "elu")))
    for ask, said in (
        (lambda: SmallEvidence().experiment("nothing"), "the study has no experiment 'nothing'"),
        (lambda: leaky.relu("causes"), "the experiment 'causes' has no ReLU networks"),
        (lambda: leaky.relu_units("recovery"), "the experiment 'recovery' has no ReLU networks"),
        (
            lambda: SmallEvidence().relu_units("causes"),
            "the experiment 'causes' has no recorded units of networks that trained",
        ),
    ):
        with pytest.raises(NotEnoughData, match=f"^{said}$"):
            ask()


def test_what_moved_the_units_of_an_experiment_is_told_of_that_experiment() -> None:
    small = SmallEvidence()
    assert set(small.since("recovery")["experiment"]) == {"recovery"}
    assert set(small.since("anatomy")["experiment"]) == {"anatomy"}
    assert small.since("recovery") is small.since("recovery")


def test_a_measurement_is_made_once_for_all_thresholds_and_keeps_its_name() -> None:
    made = []

    @measured
    def networks(evidence: Evidence, factor: int) -> int:
        """Count."""
        made.append(factor)
        return factor * len(evidence.runs)

    study = SmallEvidence()
    assert networks(study, 2) == networks(study.judged_by(PAPER.replace(often=0.6)), 2) == 2 * len(study.runs)
    assert networks(study, 3) == 3 * len(study.runs)
    assert made == [2, 3]
    assert (networks.__name__, networks.__doc__) == ("networks", "Count.")
